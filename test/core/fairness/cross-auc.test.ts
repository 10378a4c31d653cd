import { describe, expect, test } from 'vitest';
import { crossAucDisparity } from '../../../core/fairness/cross-auc.ts';
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
