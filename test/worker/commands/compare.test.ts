import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Comparison } from '../../../worker/methods/comparison.ts';
import { type CliRun, runCommand, testBadInputs } from '../../helpers/cli.ts';
import { useWorkshop } from '../../helpers/made-files.ts';

useWorkshop();

const DATA =
  '--model model --manifest labels.csv --image file --label malignant --sensitive ink --subject patient --split-column part --preprocess unit --options few.json';
const FEW = {
  mask: { percentiles: [50] },
  body: { epochs: 2, disparityWeights: [1] },
  selection: { checkpoints: [2] },
};
const FLAGS = '--methods head-only random-mask robust --seeds 2';
const compare = (flags: string, signal?: AbortSignal) =>
  runCommand(`compare ${DATA} ${flags}`, signal ? { signal } : {});
const comparisonIn = async (folder: string) =>
  JSON.parse(await readFile(`${folder}/comparison.json`, 'utf8')) as Comparison;

/** All but times, which differ from run to run. */
const untimed = (comparison: Comparison) =>
  JSON.stringify(comparison, (key, value) => (key === 'seconds' ? 0 : value));

let first: CliRun;

beforeAll(async () => {
  await writeFile('few.json', JSON.stringify(FEW));
  first = await compare(`${FLAGS} --out first`);
});

describe('counterweight compare', () => {
  it('prints means, differences, costs and whether the mask earned its keep', () => {
    expect(first).toMatchObject({ exitCode: 0, leaked: 0 });
    const lines = first.stdout.split('\n');
    expect(lines[0]).toBe('equalizedOdds by ink, 2 seeds; means over seeds on the test data');
    for (const name of ['untouched', 'head-only', 'random-mask', 'robust']) {
      expect(lines.filter((line) => line.startsWith(name))).toHaveLength(name === 'untouched' ? 1 : 2);
    }
    expect(lines.filter((line) => line.startsWith('- robust: '))).toHaveLength(2);
  });

  it('writes the figures of each method and seed and no row', async () => {
    const names = ['head-only', 'random-mask', 'robust', 'untouched'];
    expect((await readdir('first')).sort()).toEqual(
      [
        'comparison.json',
        ...names.flatMap((name) => [0, 1].map((seed) => `${name}-seed-${seed}.json`)),
      ].sort(),
    );
    const figures = JSON.parse(await readFile('first/robust-seed-1.json', 'utf8'));
    expect(figures).toMatchObject({ method: 'robust', seed: 1, cost: { epochs: expect.any(Number) } });
    expect(figures).not.toHaveProperty('decisions');
  });

  it('prints comparison.json with --json', async () => {
    const { stdout } = await compare('--methods untouched head-only --seeds 1 --json');
    const comparison = JSON.parse(stdout) as Comparison;
    expect(comparison).toMatchObject({ schemaVersion: 1, reference: 'untouched', seeds: [0], mask: [] });
    expect(comparison.methods.map(({ method }) => method)).toEqual(['untouched', 'head-only']);
  });

  it('holds the others against the baseline that was asked for, which runs too', async () => {
    const { stdout } = await compare('--methods untouched --baseline head-only --seeds 1 --json');
    const { methods } = JSON.parse(stdout) as Comparison;
    expect(methods.map(({ method, differences }) => [method, differences === null])).toEqual([
      ['untouched', false],
      ['head-only', true],
    ]);
  });

  it('goes on where it was stopped, to the same figures', async () => {
    const stop = new AbortController();
    const watched = new AbortController();
    const until = (async () => {
      while (!watched.signal.aborted) {
        const files = await readdir('second').catch((): string[] => []);
        if (files.includes('head-only-seed-0.json')) return stop.abort();
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    })();
    const stopped = await compare(`${FLAGS} --out second`, stop.signal);
    watched.abort();
    await until;
    expect(stopped.exitCode).toBe(130);
    expect(stopped.stderr).toContain('what is finished is in "second", and the same command goes on with it');
    const done = (await readdir('second')).filter((name) => name.endsWith('.json'));
    expect(done).toContain('head-only-seed-0.json');
    expect(done).not.toContain('comparison.json');
    const before = await readFile('second/head-only-seed-0.json', 'utf8');
    expect((await compare(`${FLAGS} --out second`)).exitCode).toBe(0);
    expect(await readFile('second/head-only-seed-0.json', 'utf8')).toBe(before);
    expect(untimed(await comparisonIn('second'))).toBe(untimed(await comparisonIn('first')));
    await rm('second', { recursive: true });
  });
});

testBadInputs('compare', {
  'a method that there is not': {
    line: `compare ${DATA} --methods robust robuster`,
    says: '--methods: expected all or some of untouched, group-thresholds, batch-norm, head-only, llft, dfr, reweighting, disparity, reweighting-disparity, group-dro, fairprune, diff-bias, random-mask, all-ones-mask, bmft-released, swift-released, robust, received "robuster"',
  },
  'no seed': {
    line: `compare ${DATA} --seeds 0`,
    says: '--seeds: expected a whole number from 1 to 100, received "0"',
  },
  'a complete comparison as its output': {
    line: `compare ${DATA} --methods untouched --out first`,
    says: 'output "first": expected a folder that does not exist yet or an unfinished comparison, received a complete one',
  },
  'a folder of something else as its output': {
    files: { 'elsewhere/run.json': '{}' },
    line: `compare ${DATA} --methods untouched --out elsewhere`,
    says: 'output "elsewhere": expected a folder that does not exist yet or an unfinished comparison, received one with other files',
  },
  'a place below a file as its output': {
    files: { plain: '' },
    line: `compare ${DATA} --methods untouched --out plain/deep`,
    says: 'output "plain/deep": cannot be written (ENOTDIR)',
    exit: [64, 'STORAGE'],
  },
  'a file as its output': {
    files: { plain: '' },
    line: `compare ${DATA} --methods untouched --out plain`,
    says: 'output "plain": expected a folder that does not exist yet, received one that does',
  },
  'an unfinished comparison of other settings as its output': {
    files: { 'other/.unfinished/settings.json': '{}' },
    line: `compare ${DATA} --methods untouched --out other`,
    says: 'output "other": expected a comparison of the same model, data and settings to go on with, received another',
  },
});
