import { describe, expect, it } from 'vitest';
import { holm } from '../../../../core/fairness/statistics/multiple-tests.ts';

describe('adjusted p-values of Holm', () => {
  const close = (values: readonly number[]) => values.map((value) => expect.closeTo(value, 12));

  it('are 6, 5, 4, 3, 2 and 1 times the ascending ones, never falling', () => {
    expect(holm([0.01, 0.04, 0.03, 0.005, 0.5, 0.02])).toEqual(
      close([5 * 0.01, 3 * 0.03, 3 * 0.03, 6 * 0.005, 0.5, 4 * 0.02]),
    );
  });

  it('never exceed 1, and are none of none', () => {
    expect(holm([0.6, 0.7])).toEqual([1, 1]);
    expect(holm([])).toEqual([]);
  });
});
