import { describe, expect, test } from 'vitest';
import { crossAucDisparity, crossAucs } from '../../../core/fairness/cross-auc.ts';
import { collect } from '../../../core/fairness/score-column.ts';
import { groupFrom } from '../../helpers/metric-tables.ts';

const calibration = { error: none(), slope: none(), intercept: none(), bins: [] };
function none() {
  return { value: null, interval: null };
}
const group = (name: string, truePositives: number) => ({
  ...groupFrom(name, { truePositives, falsePositives: 1, trueNegatives: 1, falseNegatives: 0 }),
  calibration,
});
const cross = (positives: string, negatives: string, value: number | null) => ({
  positives,
  negatives,
  auc: { value, interval: null },
});

describe('crossAucs', () => {
  const column = (...scores: number[]) => collect(Float64Array.from(scores), null);
  const input = {
    groupNames: ['a', 'b', 'c'],
    columns: [
      [column(0.5), column(0.4, 0.9)],
      [column(0.2, 0.7), column(0.6)],
      [column(0.4), column()],
    ],
    isBinned: false,
  } as const;

  test('count pairs in which a positive of one group is above a negative of another, ties half', () => {
    const pairs = crossAucs({ ...input, level: 0.95 });
    expect(pairs.map(({ positives, negatives, auc }) => [positives, negatives, auc.value])).toEqual([
      ['a', 'b', 3 / 4], // 0.9 above both, 0.4 above 0.2
      ['a', 'c', 1.5 / 2], // 0.4 is tied
      ['b', 'a', 1],
      ['b', 'c', 1],
      ['c', 'a', null],
      ['c', 'b', null],
    ]);
    expect(pairs[4]!.auc.reason).toBe('no positive labels');
    for (const { auc, estimator } of pairs.slice(0, 4)) {
      expect(auc.interval!.low).toBeLessThan(auc.value!);
      expect(estimator!(0.95)).toMatchObject({ low: auc.interval!.low, high: auc.interval!.high });
    }
  });

  test('have no interval without a level, and say how far bins may be off', () => {
    const [first, second] = crossAucs({ ...input, isBinned: true, level: null });
    expect(first).toMatchObject({ auc: { interval: null, errorBound: 0 }, estimator: null });
    expect(second!.auc.errorBound).toBe(1 / 2 / 2); // half of one tied pair in two
  });
});

describe('crossAucDisparity', () => {
  test('is the largest gap between a pair and its reverse', () => {
    const pairs = [
      cross('a', 'b', 0.9),
      cross('b', 'a', 0.7),
      cross('a', 'c', 0.5),
      cross('c', 'a', 0.8),
      cross('b', 'c', 0.6),
      cross('c', 'b', 0.6),
    ];
    expect(crossAucDisparity([group('a', 1), group('b', 1), group('c', 1)], pairs).value).toBeCloseTo(
      0.3,
      12,
    );
  });

  test('names the group that lacks a class', () => {
    const pairs = [cross('a', 'b', 0.9), cross('b', 'a', null)];
    expect(crossAucDisparity([group('a', 1), group('b', 0)], pairs)).toMatchObject({
      value: null,
      amongSupported: null,
      unsupportedGroups: ['b'],
      reason: 'group "b" has no positive labels',
    });
  });

  test.each([
    [[groupFrom('a', group('a', 1).counts)], 'no scores'],
    [[group('a', 1)], 'one group only: a disparity needs two'],
    [[group('a', 1), group('b', 1)], 'more than 20 groups'],
  ])('says why there is none', (groups, reason) => {
    expect(crossAucDisparity(groups, [])).toMatchObject({ value: null, reason });
  });
});
