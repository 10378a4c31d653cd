import { criticalValue } from './distributions.ts';
import type { Bounds } from './mover.ts';

/** The same rows before and after. */
interface Pairs {
  /** Rows that turned from 0 to 1. */
  readonly up: number;
  /** Rows that turned from 1 to 0. */
  readonly down: number;
  readonly support: number;
}

/**
 * Adjusted Wald interval of the difference of two rates over the same rows, after minus before.
 *
 *   d ± z √((u + d' - (u - d')²) / (n + 2)),  u = (up + 1)/(n + 2),  d' = (down + 1)/(n + 2),  d = u - d'
 *
 * It holds its level for small n, where the plain one does not.
 *
 * @returns null when the support is 0
 * @see Bonett and Price, Adjusted Wald confidence interval for a difference of binomial proportions based on paired
 *   data, Journal of Educational and Behavioral Statistics 37 (2012)
 */
export function pairedDifference({ up, down, support }: Pairs, level: number): Bounds | null {
  if (support === 0) return null;
  const [more, fewer] = [(up + 1) / (support + 2), (down + 1) / (support + 2)];
  const difference = more - fewer;
  const half = criticalValue(level) * Math.sqrt((more + fewer - difference ** 2) / (support + 2));
  return { low: Math.max(-1, difference - half), high: Math.min(1, difference + half) };
}
