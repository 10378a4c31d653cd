import { describe, expect, it } from 'vitest';
import { pairedDifference } from '../../../../core/fairness/statistics/paired-rates.ts';

/** Exact coverage of the interval: all outcomes of n rows that turn up, turn down, or stay. */
function coverage(n: number, [up, down]: readonly [number, number]): number {
  const logFactorial = (k: number) =>
    Array.from({ length: k }, (_, i) => Math.log(i + 1)).reduce((a, b) => a + b, 0);
  let covered = 0;
  for (let u = 0; u <= n; u += 1) {
    for (let d = 0; d <= n - u; d += 1) {
      const rest = n - u - d;
      const ways = logFactorial(n) - logFactorial(u) - logFactorial(d) - logFactorial(rest);
      const chance = Math.exp(ways) * up ** u * down ** d * (1 - up - down) ** rest;
      const { low, high } = pairedDifference({ up: u, down: d, support: n }, 0.95)!;
      if (low <= up - down && up - down <= high) covered += chance;
    }
  }
  return covered;
}

describe('pairedDifference', () => {
  it('is the formula of Bonett and Price, by hand', () => {
    // 30 rows, 9 up, 2 down: u = 10/32, d = 3/32, difference 7/32, variance (13/32 - (7/32)²)/32
    const half = 1.959964 * Math.sqrt((13 / 32 - (7 / 32) ** 2) / 32);
    const { low, high } = pairedDifference({ up: 9, down: 2, support: 30 }, 0.95)!;
    expect([low, high]).toEqual([expect.closeTo(7 / 32 - half, 6), expect.closeTo(7 / 32 + half, 6)]);
  });

  it.each([
    [10, [0.2, 0.2]],
    [30, [0.3, 0.05]],
    [40, [0.02, 0.1]],
  ] as const)('covers what it says on %d rows', (n, chances) => {
    expect(coverage(n, chances)).toBeGreaterThan(0.94);
  });

  it('is null without rows, and stays inside [-1, 1]', () => {
    expect(pairedDifference({ up: 0, down: 0, support: 0 }, 0.95)).toBeNull();
    expect(pairedDifference({ up: 1, down: 0, support: 1 }, 0.999)!.high).toBeLessThanOrEqual(1);
  });
});
