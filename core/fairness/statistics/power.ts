import type { AucEstimate } from './delong.ts';
import { criticalValue, normalQuantile } from './distributions.ts';
import { firmVariance } from './gap-tests.ts';
import { type Bounds, largestDifference, smallestRatio } from './mover.ts';
import { type Proportion, rateEstimator } from './rate-intervals.ts';

export interface PowerOptions {
  /** Of the confidence intervals; the tests' is 1 - level. */
  readonly level: number;
  /** Chance of finding the gap, as 0.8 */
  readonly power: number;
}

const HALVINGS = 50;

/**
 * Smallest difference of two rates that the two-proportion test finds with the given power in these supports, when
 * the rate p of both together is what it is: the least d, for whichever group is the higher, with
 *
 *   d = z √(p(1 - p)(1/n1 + 1/n2)) + z_power √(p1(1 - p1)/n1 + p2(1 - p2)/n2),   p1 - p2 = ± d
 *
 * the larger of the two signs' values, so that a gap of this size is found whichever way it lies.
 *
 * @returns null when a support is 0 or no difference that these rates allow would be found
 */
export function smallestDetectable(
  first: Proportion,
  second: Proportion,
  { level, power }: PowerOptions,
): number | null {
  const [n1, n2] = [first.support, second.support];
  if (n1 === 0 || n2 === 0) return null;
  const p = (first.numerator + second.numerator) / (n1 + n2);
  const nullSpread = criticalValue(level) * Math.sqrt(p * (1 - p) * (1 / n1 + 1 / n2));
  const zPower = normalQuantile(power);
  const detectable = (sign: 1 | -1): number | null => {
    const [step1, step2] = [(sign * n2) / (n1 + n2), (-sign * n1) / (n1 + n2)];
    const most = Math.min(room(p, step1), room(p, step2));
    const isFound = (d: number) => {
      const [p1, p2] = [p + d * step1, p + d * step2];
      const variance = Math.max(0, (p1 * (1 - p1)) / n1 + (p2 * (1 - p2)) / n2);
      return d > nullSpread + zPower * Math.sqrt(variance);
    };
    return isFound(most) ? leastThat(isFound, most) : null;
  };
  const found = [detectable(1), detectable(-1)].filter((value) => value !== null);
  return found.length === 0 ? null : Math.max(...found);
}

/**
 * Smallest difference of two AUCs that DeLong's test finds with the given power, at the variances that there are.
 *
 *   (z + z_power) √(variance1 + variance2)
 *
 * @returns null when that is more than 1, which no difference is
 */
export function smallestDetectableAuc(
  first: AucEstimate,
  second: AucEstimate,
  { level, power }: PowerOptions,
): number | null {
  const deviation = Math.sqrt(firmVariance(first) + firmVariance(second));
  const least = (criticalValue(level) + normalQuantile(power)) * deviation;
  return least > 1 ? null : least;
}

/** How far a rate p can move by steps before it leaves [0, 1]. */
const room = (p: number, step: number): number => (step > 0 ? (1 - p) / step : p / -step);

function leastThat(holds: (value: number) => boolean, most: number): number {
  let [low, high] = [0, most];
  for (let halving = 0; halving < HALVINGS; halving += 1) {
    const middle = (low + high) / 2;
    if (holds(middle)) high = middle;
    else low = middle;
  }
  return high;
}

/** More rows than these, and saying so helps nobody. */
const MOST_MORE = 1e9;

export interface Decision {
  /** The policy's limit: on the largest difference (at most) or on the smallest ratio (at least). */
  readonly limit: number;
  readonly of: 'difference' | 'ratio';
  readonly level: number;
}

export interface MoreRows {
  /** Index among the rates. */
  readonly group: number;
  /** Rows behind the group's rate (positives for a true positive rate) on top of those that there are. */
  readonly more: number;
}

/**
 * The fewest additional rows, at the rates that were observed, with which the interval of the gap would no longer
 * hold the limit: of one group if that can be enough, else the same number of each.
 *
 * @param rates  support > 0 each, two or more
 * @returns empty when the interval excludes the limit already; null when no number of rows decides, as when the gap
 *   is the limit itself
 */
export function rowsToDecide(rates: readonly Proportion[], decision: Decision): readonly MoreRows[] | null {
  if (isDecided(rates, decision)) return [];
  const alone = rates
    .map((_, group) => ({
      group,
      more: fewestMore((more) => isDecided(grown(rates, more, group), decision)),
    }))
    .filter((option): option is MoreRows => option.more !== null)
    .sort((a, b) => a.more - b.more)[0];
  if (alone) return [alone];
  const more = fewestMore((count) => isDecided(grown(rates, count), decision));
  return more === null ? null : rates.map((_, group) => ({ group, more }));
}

function isDecided(rates: readonly Proportion[], { limit, of, level }: Decision): boolean {
  const estimators = rates.map(rateEstimator);
  const options = { level, areAlike: false };
  const excludes = ({ low, high }: Bounds) =>
    of === 'difference' ? high <= limit || low > limit : low >= limit || high < limit;
  const bounds =
    of === 'difference' ? largestDifference(estimators, options) : smallestRatio(estimators, options);
  return bounds !== null && excludes(bounds);
}

/** @param group  the one that grows; all when absent */
function grown(rates: readonly Proportion[], more: number, group?: number): Proportion[] {
  return rates.map(({ numerator, support }, index) => {
    const factor = group === undefined || group === index ? (support + more) / support : 1;
    return { numerator: numerator * factor, support: support * factor };
  });
}

function fewestMore(decides: (more: number) => boolean): number | null {
  let high = 1;
  while (!decides(high)) {
    high *= 2;
    if (high > MOST_MORE) return null;
  }
  let low = Math.floor(high / 2); // does not decide
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (decides(middle)) high = middle;
    else low = middle;
  }
  return high;
}
