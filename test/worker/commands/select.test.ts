import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { parse } from 'csv-parse/sync';
import { describe, expect, it } from 'vitest';
import type { SelectSummary } from '../../../worker/select-subset.ts';
import { runCommand, testBadInputs } from '../../helpers/cli.ts';
import { useWorkshop } from '../../helpers/made-files.ts';

useWorkshop();

const IMAGES =
  'select --model model --manifest labels.csv --image file --label malignant --sensitive ink --subject patient --preprocess unit';
const ROWS =
  'select --model table-model --manifest rows.csv --label malignant --sensitive ink --preprocess table.json';
const SPLITS = '--split-column part';

type Row = Record<string, string>;

const rowsOf = async (file: string) => parse(await readFile(file, 'utf8'), { columns: true }) as Row[];
const cellsOf = (rows: readonly Row[]) => {
  const counts: Record<string, number> = {};
  for (const { ink, malignant } of rows) {
    counts[`${ink} ${malignant}`] = (counts[`${ink} ${malignant}`] ?? 0) + 1;
  }
  return counts;
};
const EIGHT = { 'inked 0': 8, 'inked 1': 8, 'plain 0': 8, 'plain 1': 8 };

describe('counterweight select', () => {
  it('writes rows of the pool with as many of each cell, and those of other splits, as they were', async () => {
    const run = await runCommand(
      `${IMAGES} ${SPLITS} --reference-split test --size 32 --out chosen.csv --json`,
    );
    expect(run).toMatchObject({ exitCode: 0, leaked: 0 });
    const [before, after] = [await rowsOf('labels.csv'), await rowsOf('chosen.csv')];
    expect(cellsOf(after.filter(({ part }) => part === 'external'))).toEqual(EIGHT);
    expect(after.filter(({ part }) => part === 'test')).toEqual(before.filter(({ part }) => part === 'test'));
    const lines = (await readFile('chosen.csv', 'utf8')).split('\n');
    const original = (await readFile('labels.csv', 'utf8')).split('\n');
    expect(original.filter((line) => lines.includes(line))).toEqual(lines); // same lines in the same order
    const summary = JSON.parse(run.stdout) as SelectSummary;
    expect(summary).toMatchObject({ size: 32, subjects: 32, perCell: 8, splitColumn: 'part' });
    expect(
      summary.cells.map(({ groups, label, pool, chosen, reference }) => [
        groups,
        label,
        pool,
        chosen,
        reference,
      ]),
    ).toEqual([
      [{ ink: 'inked' }, 0, 15, 8, 10],
      [{ ink: 'inked' }, 1, 15, 8, 10],
      [{ ink: 'plain' }, 0, 15, 8, 10],
      [{ ink: 'plain' }, 1, 15, 8, 10],
    ]);
    for (const { distance, ofRandom } of summary.cells) expect(distance).toBeLessThan(ofRandom);
  });

  it('prints a table and says each stage, and writes the same bytes again', async () => {
    const first = await readFile('chosen.csv', 'utf8');
    await rm('chosen.csv');
    const run = await runCommand(`${IMAGES} ${SPLITS} --reference-split test --size 32 --out chosen.csv`);
    expect(await readFile('chosen.csv', 'utf8')).toBe(first);
    expect(run.stdout).toMatch(/^32 samples of 32 subjects, 4 cells alike\n\ncell +pool +chosen/);
    expect(run.stdout).toMatch(/ink "inked" with label 1 +15 +8 +0\.\d{4} +0\.\d{4}\n/);
    const stages = run.stderr
      .trimEnd()
      .split('\n')
      .map((line) => line.replace(/\s+\d+\.\d s$/, ''));
    expect(stages).toEqual([
      'read images',
      'features',
      'read images',
      'features',
      'choose',
      'manifest: chosen.csv',
    ]);
  });

  it('gives what mitigate takes', async () => {
    const few = { mask: { percentiles: [50] }, body: { epochs: 1, disparityWeights: [1] }, selection: null };
    await writeFile('few.json', JSON.stringify({ ...few, selection: { checkpoints: [1] } }));
    const { exitCode } = await runCommand(
      `${IMAGES.replace('select', 'mitigate').replace('labels.csv', 'chosen.csv')} ${SPLITS} --options few.json --out run --json`,
    );
    expect([0, 10]).toContain(exitCode);
  });

  it('adds a column of splits to a table without one, cells in quotes where they need them', async () => {
    const rows = await rowsOf('rows.csv');
    const plain = rows.map(({ malignant, ink, size, depth, site }, at) =>
      [malignant, ink, size, depth, site, at === 0 ? '"a, ""b"""' : ''].join(','),
    );
    await writeFile('plain.csv', `malignant,ink,size,depth,site,note\n${plain.join('\n')}\n`);
    const line = ROWS.replace('rows.csv', 'plain.csv');
    expect(await runCommand(`${line} --size 100 --out all.csv`)).toMatchObject({ exitCode: 0 });
    const all = await rowsOf('all.csv');
    expect(all.length).toBe(100);
    expect(all[0]).toMatchObject({ note: 'a, "b"', split: 'external', size: rows[0]!.size });
  });

  it('takes a reference from another table, by names of groups, and several features at once', async () => {
    const rows = await rowsOf('rows.csv');
    const bands = (at: number) => (at % 2 === 0 ? 'young' : 'old');
    const text = (all: readonly Row[]) =>
      [
        'malignant,ink,age,size,depth,site',
        ...all.map(({ malignant, ink, size, depth, site }, at) =>
          [malignant, ink, at % 7 === 0 ? '' : bands(at), size, depth, site].join(','),
        ),
      ].join('\n');
    await writeFile('pool.csv', text(rows));
    await writeFile('clinic.csv', text(rows.filter(({ ink }) => ink === 'plain')));
    const line = ROWS.replace('rows.csv', 'pool.csv').replace('ink', 'ink age');
    const run = await runCommand(`${line} --reference clinic.csv --size 40 --out crossed.csv --json`);
    const { cells, leftOut } = JSON.parse(run.stdout) as SelectSummary;
    expect(cells.length).toBe(8);
    expect(cells[0]).toMatchObject({
      groups: { ink: 'inked', age: 'old' },
      label: 0,
      chosen: 5,
      reference: 0,
    });
    expect(leftOut).toEqual({ withoutGroup: 15, subjectInOtherSplit: 0 });
    expect(run.stderr).toContain('15 rows without a group left out');
    expect(run.stderr).toContain('the reference has none of: ink "inked", age "old" with label 0;');
    const chosen = await rowsOf('crossed.csv');
    expect(chosen.length).toBe(40);
    expect(chosen.every(({ age }) => age !== '')).toBe(true);
  });

  it('leaves out a subject that another split has as well', async () => {
    const text = await readFile('labels.csv', 'utf8');
    const [first] = (await rowsOf('labels.csv')).filter(({ part }) => part === 'test');
    await writeFile('shared.csv', text.replace('P-external-inked-0-0', first!.patient!));
    const run = await runCommand(
      `${IMAGES.replace('labels.csv', 'shared.csv')} ${SPLITS} --size 56 --out apart.csv`,
    );
    expect(run.stderr).toContain('1 row left out whose subject is in another split');
    expect((await rowsOf('apart.csv')).filter(({ patient }) => patient === first!.patient).length).toBe(1);
  });

  it('says which root to give where the manifest lies in another folder', async () => {
    const run = await runCommand(`${IMAGES} ${SPLITS} --size 4 --out elsewhere/chosen.csv`);
    expect(run.stderr).toContain('image paths start from another folder: give --root . with it');
  });

  it('stops at Ctrl-C and leaves nothing', async () => {
    const before = await readdir('.');
    const run = await runCommand(`${IMAGES} ${SPLITS} --size 32 --out stopped.csv`, {
      signal: AbortSignal.abort(),
    });
    expect(run).toMatchObject({ exitCode: 130, leaked: 0 });
    expect(await readdir('.')).toEqual(before);
  });
});

testBadInputs('select', {
  'a size that cells do not divide': {
    line: `${IMAGES} ${SPLITS} --size 30 --out x.csv`,
    says: '--size: expected a multiple of 4, the number of cells (groups × label), such as 28 or 32, received 30',
  },
  'a size below one a cell': {
    line: `${IMAGES} ${SPLITS} --size 2 --out x.csv`,
    says: '--size: expected a multiple of 4, the number of cells (groups × label), such as 4, received 2',
  },
  'a size that is no number': {
    line: `${IMAGES} ${SPLITS} --size many --out x.csv`,
    says: '--size: expected a whole number from 1, received "many"',
  },
  'a size beyond the cells': {
    files: {
      'less.csv': async () =>
        (await readFile('labels.csv', 'utf8')).replace(/images\/external-plain-1-\d\.png.*\n/g, ''),
    },
    line: `${IMAGES.replace('labels.csv', 'less.csv')} ${SPLITS} --size 60 --out x.csv`,
    says: '--size: expected 15 samples in each of 4 cells for 60, received too few: ink "plain" with label 1 has 5 (lacks 10); the largest size is 20',
  },
  'a cell that is empty': {
    files: {
      'none.csv': async () =>
        (await readFile('labels.csv', 'utf8')).replace(/images\/external-plain-1-\d+\.png.*\n/g, ''),
    },
    line: `${IMAGES.replace('labels.csv', 'none.csv')} ${SPLITS} --size 8 --out x.csv`,
    says: '--size: expected 2 samples in each of 4 cells for 8, received too few: ink "plain" with label 1 has 0 (lacks 2); no size will do without samples in each',
  },
  'subjects that do not add up': {
    files: {
      'pairs.csv': async () =>
        (await readFile('labels.csv', 'utf8'))
          .replace(/.*-14\.png.*\n/g, '')
          .replace(/P-external-(\w+-\d)-(\d+)/g, (_, cell, index) => `P-${cell}-${Math.floor(index / 2)}`),
    },
    line: `${IMAGES.replace('labels.csv', 'pairs.csv')} ${SPLITS} --size 12 --out x.csv`,
    says: '--size: expected whole subjects (--subject) to fill each cell with exactly 3, received subjects that do not add up to it; try another size',
  },
  'a pool without rows': {
    line: `${IMAGES} ${SPLITS} --external nothing --size 4 --out x.csv`,
    says: 'split "nothing": expected rows, received none among 100',
  },
  'a reference without rows': {
    line: `${IMAGES} ${SPLITS} --reference-split nothing --size 4 --out x.csv`,
    says: 'split "nothing": expected rows, received none among 100',
  },
  'a reference that is the pool': {
    line: `${IMAGES} ${SPLITS} --reference-split external --size 4 --out x.csv`,
    says: "--reference-split: expected a split of the table other than the pool's, received the pool's own",
  },
  'a reference split without splits': {
    line: `${IMAGES} --reference-split test --size 4 --out x.csv`,
    says: "--reference-split: expected a split of the table other than the pool's, received no --split-column",
  },
  'two references': {
    line: `${IMAGES} ${SPLITS} --reference-split test --reference a.csv --size 4 --out x.csv`,
    says: '--reference: expected no --reference-split beside it, received both',
  },
  'an output that exists': {
    line: `${IMAGES} ${SPLITS} --size 4 --out labels.csv`,
    says: 'output "labels.csv": expected a file that does not exist yet, received one that does',
  },
  'a column of splits that is not named': {
    files: { 'own.csv': 'file,malignant,ink,patient,split\n' },
    line: `${IMAGES.replace('labels.csv', 'own.csv')} --size 4 --out x.csv`,
    says: 'own.csv: expected --split-column, since the table has a column "split", received none',
  },
});
