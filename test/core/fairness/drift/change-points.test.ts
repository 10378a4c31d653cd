import { describe, expect, it } from 'vitest';
import { changePoints } from '../../../../core/fairness/drift/change-points.ts';
import { seededUniform } from '../../../../core/fairness/statistics/sampling.ts';

const series = (values: readonly number[], standardError: number | null = 0.01) =>
  values.map((value, day) => ({ time: day, value, standardError }));

describe('changePoints', () => {
  it('finds where the level changed, with both levels', () => {
    const changes = changePoints(series([0.1, 0.1, 0.1, 0.3, 0.3]));
    expect(changes).toHaveLength(1);
    expect(changes[0]).toMatchObject({
      at: 3,
      before: expect.closeTo(0.1, 12),
      after: expect.closeTo(0.3, 12),
    });
  });

  it('finds several', () => {
    expect(changePoints(series([0.1, 0.1, 0.5, 0.5, 0.2, 0.2])).map(({ at }) => at)).toEqual([2, 4]);
  });

  it('finds one at the last point', () => {
    expect(changePoints(series([0.1, 0.1, 0.1, 0.1, 0.3])).map(({ at }) => at)).toEqual([4]);
  });

  // z = 0.02 / √(0.01²/2 + 0.01²/2) = 2, p = 0.0455, three places: 0.1365
  it('leaves alone what sampling explains, in as many places as there are', () => {
    expect(changePoints(series([0.1, 0.1, 0.12, 0.12]))).toEqual([]);
    expect(changePoints(series([0.1, 0.1, 0.12, 0.12]), 0.137)).toMatchObject([
      { at: 2, pValue: expect.closeTo(3 * 0.0455, 4) },
    ]);
  });

  it('passes over points without a standard error, and counts indices with them', () => {
    const [first, ...rest] = series([0.1, 0.1, 0.1, 0.5, 0.5]);
    expect(changePoints([{ ...first!, standardError: null }, ...rest]).map(({ at }) => at)).toEqual([3]);
    expect(changePoints(series([0.1, 0.9], null))).toEqual([]);
  });

  it('raises a false alarm in 5 of 100 runs at most', () => {
    const uniform = seededUniform(3);
    const noise = () => Array.from({ length: 12 }, uniform).reduce((sum, value) => sum + value, -6);
    const alarms = Array.from({ length: 400 }, () =>
      changePoints(series(Array.from({ length: 10 }, () => 0.2 + 0.01 * noise()))),
    ).filter((changes) => changes.length > 0).length;
    expect(alarms / 400).toBeLessThan(0.05 + 3 * Math.sqrt((0.05 * 0.95) / 400));
  });
});
