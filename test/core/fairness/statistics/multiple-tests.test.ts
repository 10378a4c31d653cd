import { describe, expect, it } from 'vitest';
import { benjaminiHochberg, holm } from '../../../../core/fairness/statistics/multiple-tests.ts';

describe('adjusted p-values', () => {
  const pValues = [0.01, 0.04, 0.03, 0.005, 0.5, 0.02];
  const close = (values: readonly number[]) => values.map((value) => expect.closeTo(value, 12));

  it('of Holm: 6, 5, 4, 3, 2 and 1 times the ascending ones, never falling', () => {
    expect(holm(pValues)).toEqual(close([5 * 0.01, 3 * 0.03, 3 * 0.03, 6 * 0.005, 0.5, 4 * 0.02]));
  });

  it('of Benjamini and Hochberg: 6/i times the i-th, never rising from the largest down', () => {
    expect(benjaminiHochberg(pValues)).toEqual(
      close([0.03, (6 / 5) * 0.04, (6 / 4) * 0.03, 0.03, 0.5, 0.04]),
    );
  });

  it('never exceed 1, and are none of none', () => {
    expect([holm([0.6, 0.7]), benjaminiHochberg([0.6, 0.7])]).toEqual([[1, 1], close([0.7, 0.7])]);
    expect([holm([]), benjaminiHochberg([])]).toEqual([[], []]);
  });
});
