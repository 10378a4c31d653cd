import { criticalValue } from './distributions.ts';

/** A numerator out of a support, 0 <= numerator <= support. Both may be effective counts of weighted rows. */
export interface Proportion {
  readonly numerator: number;
  readonly support: number;
}

export interface Bounds {
  readonly low: number;
  readonly high: number;
}

/**
 * Kish's effective number of rows behind a weighted rate: (Σw)² / Σw². A rate of weights goes into the intervals
 * and tests here as `numerator = rate · effective`, `support = effective`.
 */
export function effectiveSupport(weights: number, squaredWeights: number): number {
  return squaredWeights === 0 ? 0 : (weights * weights) / squaredWeights;
}

/**
 * Wilson's score interval of a rate (1927).
 *
 *   (p + z²/2n ± z √(p(1 - p)/n + z²/4n²)) / (1 + z²/n)
 *
 * @param level  in (0, 1), as 0.95
 * @returns null when the support is 0
 */
export function wilson({ numerator, support }: Proportion, level: number): Bounds | null {
  const z = criticalValue(level);
  if (support === 0) return null;
  const p = numerator / support;
  const square = (z * z) / support;
  const centre = p + square / 2;
  const half = Math.sqrt(p * (1 - p) * square + (square * square) / 4);
  return {
    low: p === 0 ? 0 : (centre - half) / (1 + square),
    high: p === 1 ? 1 : (centre + half) / (1 + square),
  };
}

/**
 * Newcombe's hybrid score interval of the difference `first - second` of two independent rates (1998, method 10):
 * the Wilson limits l, u of each are combined by
 *
 *   d - √((p1 - l1)² + (u2 - p2)²)   to   d + √((u1 - p1)² + (p2 - l2)²)
 *
 * @returns null when a support is 0
 */
export function newcombe(first: Proportion, second: Proportion, level: number): Bounds | null {
  const one = wilson(first, level);
  const two = wilson(second, level);
  if (!one || !two) return null;
  const p1 = first.numerator / first.support;
  const p2 = second.numerator / second.support;
  return {
    low: p1 - p2 - Math.hypot(p1 - one.low, two.high - p2),
    high: p1 - p2 + Math.hypot(one.high - p1, p2 - two.low),
  };
}

/**
 * Katz's interval of the ratio `first / second` of two independent rates (1978): normal on the log scale.
 *
 *   R exp(± z √(1/x1 - 1/n1 + 1/x2 - 1/n2))
 *
 * @returns null when a numerator or a support is 0
 */
export function katzRatio(first: Proportion, second: Proportion, level: number): Bounds | null {
  const z = criticalValue(level);
  const { numerator: x1, support: n1 } = first;
  const { numerator: x2, support: n2 } = second;
  if (x1 === 0 || x2 === 0) return null;
  const ratio = x1 / n1 / (x2 / n2);
  const spread = Math.exp(z * Math.sqrt(1 / x1 - 1 / n1 + 1 / x2 - 1 / n2));
  return { low: ratio / spread, high: ratio * spread };
}

/**
 * Interval of the ratio `first / second` from the Wilson limits of both (MOVER-R of Donner and Zou, 2012), which
 * stands zeros in the first rate. With a = p1 p2:
 *
 *   low  = l1(2p1 - l1) / (a + √(a² - l1(2p1 - l1) u2(2p2 - u2)))
 *   high = (a + √(a² - u1(2p1 - u1) l2(2p2 - l2))) / (l2(2p2 - l2))
 *
 * @returns null when a support or the second rate is 0: the ratio is not defined or has no upper end
 */
export function moverRatio(first: Proportion, second: Proportion, level: number): Bounds | null {
  const one = wilson(first, level);
  const two = wilson(second, level);
  if (!one || !two || second.numerator === 0) return null;
  const p1 = first.numerator / first.support;
  const p2 = second.numerator / second.support;
  const product = p1 * p2;
  const root = (one: number, two: number) => Math.sqrt(Math.max(0, product * product - one * two));
  const least = one.low * (2 * p1 - one.low);
  const most = one.high * (2 * p1 - one.high);
  const secondLeast = two.low * (2 * p2 - two.low);
  const secondMost = two.high * (2 * p2 - two.high);
  return {
    low: p1 === 0 ? 0 : least / (product + root(least, secondMost)),
    high: (product + root(most, secondLeast)) / secondLeast,
  };
}
