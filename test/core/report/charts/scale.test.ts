import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ends, extent, linearScale, niceTicks, spread } from '../../../../core/report/charts/scale.ts';

describe('linearScale', () => {
  it('maps the domain onto the range', () => {
    const scale = linearScale([0, 4], [10, 50]);
    expect([0, 1, 4].map(scale)).toEqual([10, 10 + 40 / 4, 50]);
  });

  it('turns round where the range falls, as a y axis does', () => {
    expect(linearScale([0, 1], [200, 100])(0.25)).toBe(200 - 100 * 0.25);
  });

  it('puts everything in the middle of a domain without width', () => {
    expect(linearScale([3, 3], [0, 10])(3)).toBe(5);
  });
});

describe('niceTicks', () => {
  it('takes steps of 1, 2 or 5 times a power of ten', () => {
    expect(niceTicks([0, 0.65], { atMost: 5 })).toEqual({ values: [0, 0.2, 0.4, 0.6, 0.8], decimals: 1 });
    expect(niceTicks([0, 10], { atMost: 6 }).values).toEqual([0, 2, 4, 6, 8, 10]);
    expect(niceTicks([0.651, 0.771], { atMost: 6 }).values).toEqual([
      0.64, 0.66, 0.68, 0.7, 0.72, 0.74, 0.76, 0.78,
    ]);
  });

  it('never splits what is counted', () => {
    expect(niceTicks([1, 2], { atMost: 6, minStep: 1 }).values).toEqual([1, 2]);
    expect(niceTicks([1, 1], { atMost: 6, minStep: 1 }).values).toEqual([1, 2]);
  });

  it('encloses the interval with few ticks', () => {
    const bounds = fc.tuple(
      fc.double({ min: -5, max: 5, noNaN: true }),
      fc.double({ min: 1e-3, max: 1e4, noNaN: true }),
    );
    fc.assert(
      fc.property(bounds, ([low, width]) => {
        const [first, last] = ends(niceTicks([low, low + width], { atMost: 6 }));
        expect(first).toBeLessThanOrEqual(low + width * 1e-6);
        expect(last).toBeGreaterThanOrEqual(low + width - width * 1e-6);
        expect(niceTicks([low, low + width], { atMost: 6 }).values.length).toBeLessThanOrEqual(9);
      }),
    );
  });
});

describe('extent', () => {
  it('pads by a share of the span, or by that share of one where there is no span', () => {
    expect(extent([2, 4, 3], 0.5)).toEqual([2 - 1, 4 + 1]);
    expect(extent([7, 7], 0.05)).toEqual([7 - 0.05, 7 + 0.05]);
    expect(extent([1, 2])).toEqual([1, 2]);
  });
});

describe('spread', () => {
  it('moves neighbours apart and keeps their order', () => {
    expect(spread([50, 45, 100], 13)).toEqual([45 + 13, 45, 100]);
  });
});
