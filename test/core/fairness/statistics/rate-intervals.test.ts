import { describe, expect, it } from 'vitest';
import type { Bounds } from '../../../../core/fairness/statistics/mover.ts';
import {
  effectiveSupport,
  katzRatio,
  newcombe,
  type Proportion,
  ratioInterval,
  wilson,
} from '../../../../core/fairness/statistics/rate-intervals.ts';

const of = (numerator: number, support: number): Proportion => ({ numerator, support });

function expectBounds(received: Bounds | null, [low, high]: readonly number[], digits: number): void {
  expect(received?.low).toBeCloseTo(low!, digits);
  expect(received?.high).toBeCloseTo(high!, digits);
}

describe('wilson', () => {
  // statsmodels 0.15, proportion_confint(method='wilson'); 81/263, 15/148 and 0/20 are also Newcombe's (1998).
  it.each([
    [of(6, 10), [0.31267376973365824, 0.8318196702937638]],
    [of(81, 263), [0.2552885198782742, 0.36620957698280004]],
    [of(15, 148), [0.06238639953073628, 0.16048724172330803]],
    [of(0, 20), [0, 0.1611251580528194]],
    [of(20, 20), [0.8388748419471804, 1]],
  ])('of %o', (rate, expected) => {
    expectBounds(wilson(rate, 0.95), expected, 13);
  });

  it('takes effective counts: weights that are all equal change nothing, one row of weight counts once', () => {
    const equal = effectiveSupport(10 * 3, 10 * 3 * 3);
    expect(wilson(of(0.6 * equal, equal), 0.95)).toEqual(wilson(of(6, 10), 0.95));
    expect(effectiveSupport(7, 7 * 7)).toBe(1);
    expect(effectiveSupport(0, 0)).toBe(0);
  });
});

describe('newcombe', () => {
  // The eight examples of Newcombe, Statistics in Medicine 17 (1998) 873-890, table II, method 10.
  it.each([
    [of(56, 70), of(48, 80), [0.0524, 0.3339]],
    [of(9, 10), of(3, 10), [0.1705, 0.809]],
    [of(6, 7), of(2, 7), [0.0582, 0.8062]],
    [of(5, 56), of(0, 29), [-0.0381, 0.1926]],
    [of(0, 10), of(0, 20), [-0.1611, 0.2775]],
    [of(0, 10), of(0, 10), [-0.2775, 0.2775]],
    [of(10, 10), of(0, 20), [0.6791, 1]],
    [of(10, 10), of(0, 10), [0.6075, 1]],
  ])('of %o and %o as published', (first, second, expected) => {
    expectBounds(newcombe(first, second, 0.95), expected, 4);
  });
});

describe('ratios', () => {
  // statsmodels 0.15, confint_proportions_2indep(compare='ratio', method='log').
  it.each([
    [of(56, 70), of(48, 80), [1.0766264227631928, 1.6512485112663873]],
    [of(3, 10), of(6, 10), [0.17090222548631334, 1.462824719155112]],
    [of(5, 56), of(1, 29), [0.3171736750503823, 21.137947558665154]],
  ])("Katz's of %o and %o", (first, second, expected) => {
    expectBounds(katzRatio(first, second, 0.95), expected, 11);
  });

  it.each([
    [of(3, 10), of(6, 10)],
    [of(0, 10), of(6, 10)],
    [of(10, 10), of(1, 10)],
    [of(1, 5), of(1, 40)],
    [of(20, 20), of(20, 20)],
  ])('MOVER-R limits of %o and %o are where the MOVER limits of p1 - R p2 are 0', (first, second) => {
    const bounds = ratioInterval(first, second, 0.95)!;
    const [one, two] = [wilson(first, 0.95)!, wilson(second, 0.95)!];
    const [p1, p2] = [first.numerator / first.support, second.numerator / second.support];
    expect(bounds.low).toBeLessThanOrEqual(p1 / p2);
    expect(bounds.high).toBeGreaterThanOrEqual(p1 / p2);
    const lowGap = p1 - bounds.low * p2 - Math.hypot(p1 - one.low, bounds.low * (two.high - p2));
    const highGap = p1 - bounds.high * p2 + Math.hypot(one.high - p1, bounds.high * (p2 - two.low));
    expect([lowGap, highGap]).toEqual([expect.closeTo(0, 12), expect.closeTo(0, 12)]);
  });
});

describe('without rows behind them', () => {
  it('rates, differences and ratios have no interval', () => {
    expect(wilson(of(0, 0), 0.95)).toBeNull();
    for (const interval of [newcombe, ratioInterval, katzRatio]) {
      expect(interval(of(0, 0), of(3, 5), 0.95)).toBeNull();
      expect(interval(of(3, 5), of(0, 0), 0.95)).toBeNull();
    }
  });

  it('nor have ratios over a rate of 0', () => {
    expect(ratioInterval(of(3, 5), of(0, 5), 0.95)).toBeNull();
    expect(katzRatio(of(3, 5), of(0, 5), 0.95)).toBeNull();
  });
});
