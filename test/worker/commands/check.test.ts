import { readFile, writeFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import type { DataCheck } from '../../../core/checks/types.ts';
import type { RunRecord } from '../../../core/jobs/run-record.ts';
import { runCommand } from '../../helpers/cli.ts';
import { useWorkshop } from '../../helpers/made-files.ts';

useWorkshop();

const COLUMNS = '--image file --label malignant --sensitive ink --subject patient --split-column part';
const check = (flags: string, manifest = 'labels.csv') =>
  runCommand(`check ${manifest} --model model ${COLUMNS} --preprocess unit ${flags}`);

/** The manifest with some of its rows changed; cells are file, malignant, ink, patient, part. */
async function changed(name: string, change: (cells: string[], row: number) => string[]): Promise<string> {
  const [header, ...rows] = (await readFile('labels.csv', 'utf8')).trimEnd().split('\n');
  const lines = rows.map((line, row) => change(line.split(','), row).join(','));
  await writeFile(name, `${[header, ...lines].join('\n')}\n`);
  return name;
}

describe('counterweight check', () => {
  it('calls small but sound data usable with care, with what to collect, and ends with 0', async () => {
    const run = await check('');
    expect(run).toMatchObject({ exitCode: 0, leaked: 0 });
    expect(run.stdout).toMatch(/^usable with care\n/);
    expect(run.stdout).toContain('CARE small-cell');
    expect(run.stdout).toMatch(/ink {6}inked {2}/);
    expect(run.stderr).toMatch(/read images .*\ncheck data/);
  });

  it('refuses two tables, two test sets of one name, and a file that exists', async () => {
    await writeFile('there.json', '{}');
    const twice = await check('--test-manifest a=manifest.csv a=manifest.csv');
    expect(twice).toMatchObject({ exitCode: 64 });
    expect(twice.stderr).toContain('test set "a": expected each name once, received it twice');
    const both = await check('--manifest other.csv');
    expect(both).toMatchObject({ exitCode: 64 });
    expect(both.stderr).toContain('--manifest: expected it or a table without a flag, received both');
    const there = await check('--out there.json');
    expect(there).toMatchObject({ exitCode: 64 });
    expect(there.stderr).toContain('output "there.json": expected a file that does not exist yet');
    expect(await readFile('there.json', 'utf8')).toBe('{}');
  });

  it('prints as JSON what --out writes, without a file, a line or a path of a row', async () => {
    const { stdout, exitCode } = await check('--json --out check.json');
    expect(exitCode).toBe(0);
    expect(stdout).toBe(await readFile('check.json', 'utf8'));
    const { cells, verdict } = JSON.parse(stdout) as DataCheck;
    expect(verdict).toBe('usable with care');
    expect(cells).toContainEqual({
      part: 'test',
      isTest: true,
      sensitiveFeature: 'ink',
      group: 'inked',
      label: 1,
      support: 10,
    });
    expect(stdout).not.toMatch(/images\/|\.png|P-/);
  });

  it('takes the manifest as a flag too, and says the same for the same seed', async () => {
    const flag = await runCommand(
      `check --manifest labels.csv --model model ${COLUMNS} --preprocess unit --json`,
    );
    expect(flag.stdout).toBe((await check('--json')).stdout);
  });

  it('ends with 65 for patients in two parts, where a mitigation ends with 64', async () => {
    let patient = '';
    const manifest = await changed('overlap.csv', (cells) => {
      if (cells[4] === 'external') [, , , patient] = cells as [string, string, string, string];
      return cells[4] === 'test' && patient !== '' ? [...cells.slice(0, 3), patient, 'test'] : cells;
    });
    const run = await check('', manifest);
    expect(run.exitCode).toBe(65);
    expect(run.stdout).toMatch(
      /^unfit\n\nUNFIT subject-overlap\n {2}1 subject is in both the \w+ and the test part/,
    );
  });

  it('lists lines of copies only when asked to', async () => {
    const bytes = await readFile('images/test-plain-0-0.png');
    await writeFile('images/copy.png', bytes);
    const [first] = (await readFile('labels.csv', 'utf8')).split('\n').slice(1);
    const manifest = await changed('copied.csv', (cells, row) =>
      row === 0 ? ['images/copy.png', ...cells.slice(1)] : cells,
    );
    expect(first).toMatch(/external$/);
    const lines = (await readFile('labels.csv', 'utf8')).split('\n');
    const original = lines.findIndex((line) => line.startsWith('images/test-plain-0-0.png')) + 1;
    expect((await check('', manifest)).stdout).not.toMatch(/copies: /);
    expect((await check('--list', manifest)).stdout).toMatch(
      new RegExp(`copies: (?:tune|select) 2, test ${original}\n`),
    );
  });

  it('compares with a reference, and refuses two', async () => {
    const manifest = await changed('reference.csv', (cells) => cells);
    expect((await check(`--reference ${manifest}`)).exitCode).toBe(0);
    const both = await check('--reference reference.csv --reference-split test');
    expect(both.exitCode).toBe(64);
    expect(both.stderr).toContain('--reference: expected it or --reference-split, received both');
    expect((await check('--reference-split nowhere')).stderr).toContain(
      'split "nowhere": expected rows to compare with, received none among 100',
    );
  });
});

describe('a mitigation', () => {
  const mitigate = (out: string, flags: string) =>
    runCommand(
      `mitigate --model model --manifest swapped.csv ${COLUMNS} --preprocess unit --out ${out} --options few.json ${flags}`,
    );
  const recordOf = async (run: string) => JSON.parse(await readFile(`${run}/run.json`, 'utf8')) as RunRecord;

  it('refuses what the check calls unfit, and goes on when told to, which the report says at its top', async () => {
    await writeFile(
      'few.json',
      '{"mask": {"percentiles": [50]}, "body": {"epochs": 1, "disparityWeights": [1]}, "selection": {"checkpoints": [1]}}',
    );
    await changed('swapped.csv', ([file, label, ...rest]) => [file!, label === '1' ? '0' : '1', ...rest]);
    expect((await mitigate('refused', '')).exitCode).toBe(65);
    const refused = await recordOf('refused');
    expect(refused.outcome.status).toBe('rejected');
    expect(refused.outcome.reasons[0]).toMatch(/^The labels are the reverse of what the model says/);
    expect(refused.check).toMatchObject({ verdict: 'unfit', isOverruled: false });

    await mitigate('overruled', '--despite-check');
    expect((await recordOf('overruled')).check).toMatchObject({ verdict: 'unfit', isOverruled: true });
    expect((await recordOf('overruled')).outcome.status).not.toBe('rejected');
    const report = await readFile('overruled/report.html', 'utf8');
    expect(report.indexOf('the run was told to go on')).toBeLessThan(report.indexOf('<section'));
  });
});
