import { describe, expect, it } from 'vitest';
import { trendOf } from '../../../../core/fairness/drift/trend.ts';

const DAY = 86_400_000;
const daily = (values: readonly number[]) =>
  values.map((value, day) => ({ time: day * DAY, value, standardError: null }));

describe('trendOf', () => {
  it('needs four points', () => {
    expect(trendOf(daily([1, 2, 3]))).toBeNull();
  });

  it.each([
    // p: orders of n values that rise in all pairs, or fall in all: 2/n!
    ['a steady rise', [0.1, 0.2, 0.3, 0.4, 0.5], 0.1, 2 / 120],
    ['a steady fall', [0.8, 0.6, 0.4, 0.2], -0.2, 2 / 24],
    // one of six pairs falls: 1 + 3 orders of 24 have at most one such pair, as many the other way
    // slopes −.1 .05 .05 .1 .2 .2
    ['one pair that falls', [0.1, 0.3, 0.2, 0.4], 0.075, 8 / 24],
  ])('%s', (_, values, slope, pValue) => {
    const trend = trendOf(daily(values))!;
    expect(trend.slopePerDay).toBeCloseTo(slope, 10);
    expect(trend.pValue).toBeCloseTo(pValue, 12);
  });

  it('is not led astray by one wild value', () => {
    expect(trendOf(daily([0, 0.1, 0.2, 9, 0.4, 0.5, 0.6]))!.slopePerDay).toBeCloseTo(0.1, 10);
  });

  it('counts days, not points', () => {
    const points = daily([0, 1, 2, 3]).map((point) => ({ ...point, time: 7 * point.time }));
    expect(trendOf(points)!.slopePerDay).toBeCloseTo(1 / 7, 12);
  });

  it('finds none in values that are all one', () => {
    expect(trendOf(daily([0.3, 0.3, 0.3, 0.3, 0.3]))).toEqual({ slopePerDay: 0, pValue: 1 });
  });

  it('has the variance of Kendall where values are tied', () => {
    const trend = trendOf(daily([1, 2, 3, 4, 5, 6, 6, 7, 10, 8]))!;
    // pairs: 45, one tied, one falls (10 before 8): 43 rise, S = 42; z = 41/√124
    expect(trend.pValue).toBeCloseTo(2 * upperTail(41 / Math.sqrt(124)), 6);
  });
});

/** Standard normal upper tail by Simpson's rule. */
function upperTail(z: number): number {
  const density = (x: number) => Math.exp(-(x ** 2) / 2) / Math.sqrt(2 * Math.PI);
  const step = 1e-3;
  let sum = 0;
  for (let x = z; x < z + 8; x += step) {
    sum += (step / 6) * (density(x) + 4 * density(x + step / 2) + density(x + step));
  }
  return sum;
}
