import { describe, expect, it } from 'vitest';
import { standardizationOf, standardized } from '../../../../core/fairness/statistics/standardization.ts';

describe('standardizationOf', () => {
  it('gives the mean and the inverse deviation of each feature', () => {
    // feature 0: 1, 3, 5 (mean 2 above 1, variance 8/3); feature 1: 2, 2, 8 (mean 4, variance 8)
    const { means, inverses } = standardizationOf(Float32Array.from([1, 2, 3, 2, 5, 8]), 2);
    expect(Array.from(means)).toEqual([3, 4]);
    expect(inverses[0]).toBeCloseTo(1 / Math.sqrt(8 / 3), 12);
    expect(inverses[1]).toBeCloseTo(1 / Math.sqrt(8), 12);
  });

  it('gives a feature that varies by rounding only the inverse 0, whatever its size', () => {
    const { inverses } = standardizationOf(Float32Array.from([1e6, 0, 1e6 + 0.0625, 0, 1e6, 0]), 2);
    expect(Array.from(inverses)).toEqual([0, 0]);
  });
});

describe('standardized', () => {
  it('puts (x - mean) / deviation in place of x', () => {
    const scale = { means: Float64Array.from([3, 4]), inverses: Float64Array.from([0.5, 0]) };
    expect(Array.from(standardized(Float32Array.from([5, 9, 1, 9]), scale))).toEqual([1, 0, -1, 0]);
  });
});
