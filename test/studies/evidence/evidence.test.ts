import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, test } from 'vitest';
import type { MethodResult } from '../../../worker/methods/run-method.ts';
import type { ScenarioSummary } from './summary.ts';
import { summarize } from './summary.ts';
import { methodTable } from './tables.ts';
import { writeEvidence } from './write-evidence.ts';

/** Eight rows, each its own subject: two groups with two positives and two negatives each. */
const ROWS = {
  labels: Int32Array.of(1, 1, 0, 0, 1, 1, 0, 0),
  groups: Int32Array.of(0, 0, 0, 0, 1, 1, 1, 1),
  subjects: Int32Array.of(0, 1, 2, 3, 4, 5, 6, 7),
  groupNames: ['a', 'b'],
};

interface Made {
  readonly method: string;
  readonly seed: number;
  readonly status: MethodResult['status'];
  readonly predictions: readonly number[] | null;
  readonly rates: readonly [number, number];
  readonly disparity: number;
}

function made({ method, seed, status, predictions, rates, disparity }: Made): MethodResult {
  const figures = {
    disparity,
    auc: 0.75,
    balancedAccuracy: 0.75,
    threshold: 0.5,
    groups: ROWS.groupNames.map((group, place) => ({
      group,
      auc: 0.75,
      truePositiveRate: rates[place]!,
      falsePositiveRate: 0,
    })),
  };
  const decisions = (values: readonly number[]) => ({
    rows: ROWS,
    scores: Float64Array.from(values),
    predictions: Uint8Array.from(values),
  });
  return {
    method,
    seed,
    status,
    reasons: predictions === null ? ['no batch norm'] : [],
    violations: [],
    before: figures,
    after: predictions === null ? null : figures,
    chosen: null,
    candidates: 0,
    cost: { epochs: 2, seconds: 1, parametersTouched: 10 },
    decisions: { before: decisions([...ROWS.labels]), after: predictions && decisions(predictions) },
  };
}

/** Group b gets no positive found by `untouched`, all of them by `robust` with seed 1. */
const MISSES_B = [1, 1, 0, 0, 0, 0, 0, 0];
const PERFECT = [1, 1, 0, 0, 1, 1, 0, 0];
const RESULTS = [0, 1].flatMap((seed) => [
  made({
    method: 'untouched',
    seed,
    status: 'reference',
    predictions: MISSES_B,
    rates: [1, 0],
    disparity: 1,
  }),
  made({
    method: 'batch-norm',
    seed,
    status: 'not-applicable',
    predictions: null,
    rates: [1, 0],
    disparity: 1,
  }),
  seed === 0
    ? made({
        method: 'robust',
        seed,
        status: 'not-improved',
        predictions: MISSES_B,
        rates: [1, 0],
        disparity: 1,
      })
    : made({ method: 'robust', seed, status: 'improved', predictions: PERFECT, rates: [1, 1], disparity: 0 }),
]);

const SUMMARY = summarize({ name: 'made', title: 'Made' }, RESULTS);

test('means, ranges and counts over seeds are those of the results', () => {
  const robust = SUMMARY.rows.find(({ method }) => method === 'robust')!;
  expect(robust.means!.disparity).toBe(0.5); // (1 + 0) / 2
  expect(robust.range).toEqual([0, 1]);
  expect(robust.lowestTruePositiveRate).toBe(0.5);
  expect([robust.improved, robust.seeds]).toEqual([1, 2]);
  expect(robust.differences!.disparity.value).toBe(-0.5);
  expect(SUMMARY.audited).toEqual([
    { rows: 8, subjects: 8 },
    { rows: 8, subjects: 8 },
  ]);
});

test('a method that did not run has its status and no figures', () => {
  const line = methodTable(SUMMARY)
    .split('\n')
    .find((row) => row.startsWith('| batch-norm'));
  expect(line).toBe('| batch-norm | not-applicable | – | – | – | – | – | – | – |');
});

test('a page keeps its text and gets tables and plots between its marks', async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'evidence-'));
  const page = path.join(folder, 'evidence.md');
  await writeFile(
    page,
    'Before\n<!-- made: made -->old<!-- /made -->\nBetween\n<!-- made: made controls --><!-- /made -->\nAfter\n',
  );
  await writeEvidence(page, [SUMMARY]);
  await writeEvidence(page, [SUMMARY]); // and again, over itself
  const text = await readFile(page, 'utf8');
  expect(text).toMatch(/^Before\n<!-- made: made -->\n\n2 seeds; audited on 8 rows of 8 subjects\./);
  expect(text).not.toContain('old');
  expect(text).toMatch(/Between\n<!-- made: made controls -->\n\n\| mask − control/);
  expect(text.match(/\| robust \|/g)).toHaveLength(1);
  const picture = await readFile(path.join(folder, 'evidence/made.svg'), 'utf8');
  expect(picture).toMatch(/^<svg xmlns="http:\/\/www.w3.org\/2000\/svg" width="\d+" height="\d+"/);
  expect(picture).toContain('>robust<');
});

test('a page without the marks of a scenario is refused', async () => {
  const page = path.join(await mkdtemp(path.join(tmpdir(), 'evidence-')), 'evidence.md');
  await writeFile(page, 'no marks\n');
  const summaries: ScenarioSummary[] = [SUMMARY];
  await expect(writeEvidence(page, summaries)).rejects.toThrow('expected <!-- made: made -->');
});
