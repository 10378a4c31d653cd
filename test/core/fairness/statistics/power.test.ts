import { describe, expect, it } from 'vitest';
import { largestDifference, smallestRatio } from '../../../../core/fairness/statistics/mover.ts';
import {
  rowsToDecide,
  smallestDetectable,
  smallestDetectableAuc,
} from '../../../../core/fairness/statistics/power.ts';
import { type Proportion, rateEstimator } from '../../../../core/fairness/statistics/rate-intervals.ts';

const of = (numerator: number, support: number): Proportion => ({ numerator, support });
const OPTIONS = { level: 0.95, power: 0.8 };

describe('smallestDetectable', () => {
  // Roots of statsmodels 0.15 power_proportions_2indep(...) = 0.8 at this pooled rate, the larger of both signs; its
  // power also counts findings of the wrong sign, 1e-5 of them.
  it.each([
    [of(60, 100), of(40, 100), 0.1969364],
    [of(450, 500), of(30, 40), 0.1606183],
    [of(5, 1000), of(4, 1000), 0.0083809],
  ])('in %o and %o as statsmodels', (first, second, expected) => {
    expect(smallestDetectable(first, second, OPTIONS)! / expected).toBeCloseTo(1, 3);
  });

  it('does not depend on which group comes first', () => {
    expect(smallestDetectable(of(30, 40), of(450, 500), OPTIONS)).toBeCloseTo(
      smallestDetectable(of(450, 500), of(30, 40), OPTIONS)!,
      12,
    );
  });

  it('is null where nothing could be found: no rows, or one in each group', () => {
    expect(smallestDetectable(of(0, 0), of(3, 5), OPTIONS)).toBeNull();
    expect(smallestDetectable(of(3, 5), of(0, 0), OPTIONS)).toBeNull();
    expect(smallestDetectable(of(1, 1), of(0, 1), OPTIONS)).toBeNull();
  });
});

describe('smallestDetectableAuc', () => {
  const auc = (variance: number) => ({ auc: 0.8, positives: 50, negatives: 50, variance, degrees: 98 });

  it('is 1.96 + 0.84 standard errors of the difference', () => {
    const expected = (1.959964 + 0.841621) * Math.sqrt(0.0009 + 0.0016);
    expect(smallestDetectableAuc(auc(0.0009), auc(0.0016), OPTIONS)).toBeCloseTo(expected, 6);
  });

  it('is null when it would have to exceed 1', () => {
    expect(smallestDetectableAuc(auc(0.1), auc(0.1), OPTIONS)).toBeNull();
  });
});

describe('rowsToDecide', () => {
  const grow = (rate: Proportion, more: number): Proportion =>
    of((rate.numerator / rate.support) * (rate.support + more), rate.support + more);

  it('names the small group, and one row fewer would not have decided', () => {
    const rates = [of(600, 1000), of(300, 600), of(20, 50)];
    const decision = { limit: 0.1, of: 'difference', level: 0.95 } as const;
    const [{ group, more }] = rowsToDecide(rates, decision) as [{ group: number; more: number }];
    expect(group).toBe(2);
    const low = (count: number) =>
      largestDifference(
        rates.map((rate, at) => rateEstimator(at === group ? grow(rate, count) : rate)),
        { level: 0.95, areAlike: false },
      ).low;
    expect(low(more)).toBeGreaterThan(0.1);
    expect(low(more - 1)).toBeLessThanOrEqual(0.1);
  });

  it('asks the same number of every group where one alone cannot decide', () => {
    const rates = [of(60, 100), of(52, 100)];
    const more = rowsToDecide(rates, { limit: 0.1, of: 'difference', level: 0.95 })!;
    expect(more.map(({ group }) => group)).toEqual([0, 1]);
    const high = (count: number) =>
      largestDifference(
        rates.map((rate) => rateEstimator(grow(rate, count))),
        { level: 0.95, areAlike: false },
      ).high;
    expect(high(more[0]!.more)).toBeLessThanOrEqual(0.1);
    expect(high(more[0]!.more - 1)).toBeGreaterThan(0.1);
  });

  it('of a ratio: four fifths', () => {
    const rates = [of(600, 1000), of(28, 50)];
    const [{ group, more }] = rowsToDecide(rates, { limit: 0.8, of: 'ratio', level: 0.95 }) as [
      { group: number; more: number },
    ];
    const low = (count: number) =>
      smallestRatio([rateEstimator(rates[0]!), rateEstimator(grow(rates[1]!, count))], {
        level: 0.95,
        areAlike: false,
      })!.low;
    expect(group).toBe(1);
    expect(low(more)).toBeGreaterThanOrEqual(0.8);
    expect(low(more - 1)).toBeLessThan(0.8);
  });

  it('is empty when decided already, and null where no number would do', () => {
    const wide = { limit: 0.1, of: 'difference', level: 0.95 } as const;
    expect(rowsToDecide([of(600, 1000), of(590, 1000)], wide)).toEqual([]);
    expect(rowsToDecide([of(60, 100), of(50, 100)], { ...wide, limit: 0.6 - 0.5 })).toBeNull();
    expect(rowsToDecide([of(0, 10), of(0, 10)], { limit: 0.8, of: 'ratio', level: 0.95 })).toBeNull();
  });
});
