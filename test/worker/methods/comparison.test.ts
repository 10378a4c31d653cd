import { describe, expect, test } from 'vitest';
import { compareResults } from '../../../worker/methods/comparison.ts';
import type { MethodResult } from '../../../worker/methods/run-method.ts';

const rows = {
  labels: Int32Array.of(0, 1, 0, 1),
  groups: Int32Array.of(0, 0, 1, 1),
  groupNames: ['a', 'b'],
  subjects: Int32Array.of(0, 0, 0, 0), // one subject: intervals shrink to the differences over seeds
};
const decisions = {
  rows,
  scores: Float64Array.of(0.1, 0.9, 0.2, 0.8),
  predictions: Uint8Array.of(0, 1, 0, 1),
};
const figures = (disparity: number) => ({
  disparity,
  auc: 0.9,
  balancedAccuracy: 0.8,
  threshold: 0.5,
  groups: [],
});

function result(method: string, seed: number, disparity: number | null): MethodResult {
  return {
    ...{ method, seed, violations: [], chosen: null, candidates: 1, before: figures(0.5) },
    status: disparity === null ? 'not-applicable' : 'improved',
    reasons: disparity === null ? ['no such layer'] : [],
    after: disparity === null ? null : figures(disparity),
    cost: { epochs: 4 + seed, seconds: 2 * seed, parametersTouched: 10 },
    decisions: { before: decisions, after: disparity === null ? null : decisions },
  };
}

const OPTIONS = { metric: 'equalizedOdds', reference: 'untouched', level: 0.95, replicates: 50 } as const;

describe('compareResults', () => {
  const results = [0, 1].flatMap((seed) => [
    result('untouched', seed, 0.5),
    result('batch-norm', seed, null),
    result('random-mask', seed, 0.3),
    result('robust', seed, 0.1 + 0.1 * seed),
  ]);
  const { methods, mask } = compareResults(results, OPTIONS);
  const of = (name: string) => methods.find(({ method }) => method === name)!;

  test('gives means over seeds, paired differences and mean costs', () => {
    expect(methods.map(({ method }) => method)).toEqual(['untouched', 'batch-norm', 'random-mask', 'robust']);
    expect(of('robust').means!.disparity).toBeCloseTo(0.15, 12);
    expect(of('robust').differences!.disparity.value).toBeCloseTo(0.15 - 0.5, 12);
    expect(of('robust').cost).toEqual({ epochs: 4.5, seconds: 1, parametersTouched: 10 });
    expect(of('robust').statuses).toEqual({ improved: 2 });
  });

  test('compares the reference with nothing', () => {
    expect(of('untouched').differences).toBeNull();
  });

  test('says why a method has no figures', () => {
    expect(of('batch-norm')).toMatchObject({ means: null, differences: null, reasons: ['no such layer'] });
    expect(of('batch-norm').statuses).toEqual({ 'not-applicable': 2 });
  });

  test('holds masks against the controls that ran', () => {
    expect(mask.map(({ method, control }) => [method, control])).toEqual([['robust', 'random-mask']]);
    expect(mask[0]!.disparity.value).toBeCloseTo(0.15 - 0.3, 12);
  });

  test('has no row of the data in it', () => {
    expect(JSON.stringify({ methods, mask })).not.toContain('scores');
  });
});
