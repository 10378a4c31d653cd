import { criticalValue } from './distributions.ts';
import { type Bounds, differenceOf, type Estimator } from './mover.ts';

/** A numerator out of a support, 0 <= numerator <= support. Both may be effective counts of weighted rows. */
export interface Proportion {
  readonly numerator: number;
  readonly support: number;
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

/** A rate with its Wilson interval. @param rate  support > 0 */
export function rateEstimator(rate: Proportion): Estimator {
  return (level) => ({ value: rate.numerator / rate.support, ...wilson(rate, level)! });
}

/**
 * Newcombe's hybrid score interval of the difference `first - second` of two independent rates (1998, method 10):
 * the Wilson limits of each, combined by `differenceOf`.
 *
 * @returns null when a support is 0
 */
export function newcombe(first: Proportion, second: Proportion, level: number): Bounds | null {
  if (first.support === 0 || second.support === 0) return null;
  return differenceOf(rateEstimator(first)(level), rateEstimator(second)(level));
}
