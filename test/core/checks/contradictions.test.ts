import { describe, expect, it } from 'vitest';
import { contradictionsOf } from '../../../core/checks/contradictions.ts';
import { normalQuantile } from '../../../core/fairness/statistics/distributions.ts';

/** Evenly spaced quantiles of a bell curve. */
const bell = (size: number, mean: number) =>
  Array.from({ length: size }, (_, index) => mean + normalQuantile((index + 0.5) / size));

describe('contradictionsOf', () => {
  it('is null for two bell curves, however they overlap', () => {
    expect(contradictionsOf(bell(200, 0), bell(200, 5))).toBeNull();
    expect(contradictionsOf(bell(200, 0), bell(200, 2))).toBeNull();
    expect(contradictionsOf(bell(200, 5), bell(200, 0))).toBeNull();
  });

  it('counts rows beyond the median of the other class, of which there are half of the wrong ones', () => {
    // 20 of 200 on the wrong side each: 10 of them beyond the median of where they belong
    const found = contradictionsOf([...bell(180, 0), ...bell(20, 6)], [...bell(180, 6), ...bell(20, 0)])!;
    expect(found.count).toBeGreaterThanOrEqual(16);
    expect(found.count).toBeLessThanOrEqual(24);
    expect(found.wrong).toBeGreaterThanOrEqual(32);
    expect(found.wrong).toBeLessThanOrEqual(48);
    expect(found.distance).toBeGreaterThan(4.5);
  });

  it('is null for few rows and for classes without spread', () => {
    expect(contradictionsOf(bell(19, 0), bell(200, 6))).toBeNull();
    expect(contradictionsOf(new Array(30).fill(0), new Array(30).fill(1))).toBeNull();
  });
});
