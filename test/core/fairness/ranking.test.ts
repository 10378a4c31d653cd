import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { areaUnderRocCurve } from '../../../core/fairness/ranking.ts';

/** The definition: share of (positive, negative) pairs in the right order, ties half. */
function byPairs(scores: readonly number[], labels: readonly number[]): number {
  const positives = scores.filter((_, row) => labels[row] === 1);
  const negatives = scores.filter((_, row) => labels[row] === 0);
  const wins = positives.flatMap<number>((p) => negatives.map((n) => (p > n ? 1 : p === n ? 0.5 : 0)));
  return wins.reduce((sum, win) => sum + win, 0) / wins.length;
}

describe('areaUnderRocCurve', () => {
  test('is the share of ordered pairs, ties counted half', () => {
    const rows = fc.array(
      fc.record({ score: fc.integer({ min: 0, max: 8 }), label: fc.integer({ min: 0, max: 1 }) }),
      {
        minLength: 2,
        maxLength: 40,
      },
    );
    fc.assert(
      fc.property(rows, (samples) => {
        const scores = samples.map(({ score }) => score / 8);
        const labels = samples.map(({ label }) => label);
        fc.pre(labels.includes(0) && labels.includes(1));
        expect(areaUnderRocCurve(scores, labels).value).toBeCloseTo(byPairs(scores, labels), 12);
      }),
      { seed: 3 },
    );
  });

  test('is null with the reason when a class is absent', () => {
    expect(areaUnderRocCurve([0.1, 0.9], [1, 1])).toMatchObject({
      value: null,
      reason: 'no negative labels',
    });
    expect(areaUnderRocCurve([0.1, 0.9], [0, 0])).toMatchObject({
      value: null,
      reason: 'no positive labels',
    });
    expect(areaUnderRocCurve([], [])).toMatchObject({ value: null, reason: 'no positive labels' });
  });
});
