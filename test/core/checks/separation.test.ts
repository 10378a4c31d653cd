import { describe, expect, it } from 'vitest';
import { separate } from '../../../core/checks/separation.ts';

describe('separate', () => {
  it('is the share of pairs in order, ties half', () => {
    // pairs (1, 2) (1, 3) (2, 2) (2, 3): 1 + 1 + 0.5 + 1 of 4
    expect(separate([1, 2], [2, 3])!.auc).toBe(3.5 / 4);
    expect(separate([2, 3], [1, 2])!.auc).toBe(0.5 / 4);
  });

  it('has a p-value of 1 without a difference, and a small one where the two are far apart', () => {
    const low = Array.from({ length: 30 }, (_, index) => index);
    expect(separate(low, low)).toEqual({ auc: 0.5, pValue: 1 });
    expect(
      separate(
        low,
        low.map((value) => value + 20),
      )!.pValue,
    ).toBeLessThan(1e-6);
  });

  it('is null for a sample without rows', () => {
    expect(separate([], [1])).toBeNull();
  });
});
