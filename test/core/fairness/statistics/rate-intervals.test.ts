import { describe, expect, it } from 'vitest';
import type { Bounds } from '../../../../core/fairness/statistics/mover.ts';
import {
  effectiveSupport,
  newcombe,
  type Proportion,
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

describe('without rows behind them', () => {
  it('rates and differences have no interval', () => {
    expect(wilson(of(0, 0), 0.95)).toBeNull();
    expect(newcombe(of(0, 0), of(3, 5), 0.95)).toBeNull();
    expect(newcombe(of(3, 5), of(0, 0), 0.95)).toBeNull();
  });
});
