/** Ends of an interval; both belong to it. */
export interface Bounds {
  readonly low: number;
  readonly high: number;
}

/** A figure with its interval. */
export interface Estimate extends Bounds {
  readonly value: number;
}

/** The figure of one group with its interval at any level; see `rateEstimator` and `aucEstimator`. */
export type Estimator = (level: number) => Estimate;

/**
 * Interval of the difference `first - second` of two independent figures from their own intervals (the method of
 * variance estimates recovery, MOVER, of Zou and Donner, 2008; Newcombe's when these are Wilson's):
 *
 *   d - √((v1 - l1)² + (u2 - v2)²)   to   d + √((u1 - v1)² + (v2 - l2)²)
 */
export function differenceOf(first: Estimate, second: Estimate): Bounds {
  const difference = first.value - second.value;
  return {
    low: difference - Math.hypot(first.value - first.low, second.high - second.value),
    high: difference + Math.hypot(first.high - first.value, second.value - second.low),
  };
}

/**
 * Interval of the ratio `first / second` of two independent figures >= 0 from their own intervals (MOVER-R of Donner
 * and Zou, 2012). Of rates it is used for all supports: Katz's log interval, from which it differs little in large
 * samples, covers 70 to 90 % where rates are near 1 and supports unequal, and has none for a rate of 0
 * (docs/statistics.md). With a = v1 v2:
 *
 *   low  = l1(2v1 - l1) / (a + √(a² - l1(2v1 - l1) u2(2v2 - u2)))
 *   high = (a + √(a² - u1(2v1 - u1) l2(2v2 - l2))) / (l2(2v2 - l2))
 *
 * @returns null when the second figure or its lower end is 0: there is no ratio, or no upper end
 */
export function ratioOf(first: Estimate, second: Estimate): Bounds | null {
  const secondLeast = second.low * (2 * second.value - second.low);
  if (!(secondLeast > 0)) return null;
  const product = first.value * second.value;
  const root = (one: number, two: number) => Math.sqrt(Math.max(0, product * product - one * two));
  const least = first.low * (2 * first.value - first.low);
  const most = first.high * (2 * first.value - first.high);
  const secondMost = second.high * (2 * second.value - second.high);
  return {
    low: least === 0 ? 0 : least / (product + root(least, secondMost)),
    high: (product + root(most, secondLeast)) / secondLeast,
  };
}

export interface GapOptions {
  /** in (0, 1) */
  readonly level: number;
  /** No test of "no gap" for this statistic rejects at 1 - level: the interval then reaches "no gap". */
  readonly areAlike: boolean;
}

/**
 * Interval of the largest minus the smallest figure over groups, which is the largest of all differences of two:
 * from the largest lower end to the largest upper end of their intervals.
 *
 * Percentile intervals of redrawn gaps are wrong here: a gap of noisy figures is larger than that of the true ones,
 * and never 0 (docs/statistics.md has their coverage, 0 to 98 %). Upper ends are safe, since one of the pairs is the
 * true one. Among k groups many pairs may come close, and the largest of their lower ends is too large, so these are
 * taken at level 1 - (1 - level)/√(k - 1): between no correction and Bonferroni's, by simulation.
 *
 * @param groups  two or more
 */
export function largestDifference(groups: readonly Estimator[], { level, areAlike }: GapOptions): Bounds {
  const ends = (at: number) => pairsAt(groups, at).map(([first, second]) => differenceOf(first, second));
  const lower = ends(innerLevel(level, groups.length));
  return {
    low: areAlike ? 0 : Math.max(0, ...lower.map(({ low }) => low)),
    high: Math.max(0, ...ends(level).map(({ high }) => high)),
  };
}

/**
 * Interval of the smallest over the largest figure: as `largestDifference`, with the smallest ends of all ratios.
 *
 * @returns null when no ratio has an interval, as when all figures are 0
 */
export function smallestRatio(groups: readonly Estimator[], { level, areAlike }: GapOptions): Bounds | null {
  const ends = (at: number) => pairsAt(groups, at).flatMap(([first, second]) => ratioOf(first, second) ?? []);
  const outer = ends(level);
  if (outer.length === 0) return null;
  const upper = ends(innerLevel(level, groups.length));
  return {
    low: Math.min(1, ...outer.map(({ low }) => low)),
    high: areAlike ? 1 : Math.min(1, ...upper.map(({ high }) => high)),
  };
}

/**
 * Interval of the smallest ratio to a reference group: from the smallest lower end to the smallest upper end of all
 * ratios, the latter at a higher level, as `smallestRatio`.
 *
 * @param others  one or more
 * @returns null when the reference's figure has 0 in its interval
 */
export function smallestRatioTo(
  reference: Estimator,
  others: readonly Estimator[],
  level: number,
): Bounds | null {
  const ends = (at: number) => others.flatMap((other) => ratioOf(other(at), reference(at)) ?? []);
  const [outer, inner] = [ends(level), ends(innerLevel(level, others.length + 1))];
  if (outer.length < others.length || inner.length < others.length) return null;
  return { low: smallestOf(outer).low, high: smallestOf(inner).high };
}

/** Level of the end that is nearer to "no gap". */
const innerLevel = (level: number, groups: number) => 1 - (1 - level) / Math.sqrt(groups - 1);

function pairsAt(groups: readonly Estimator[], level: number): (readonly [Estimate, Estimate])[] {
  const estimates = groups.map((estimator) => estimator(level));
  return estimates.flatMap((first) =>
    estimates.flatMap((second) => (first === second ? [] : [[first, second] as const])),
  );
}

/**
 * Interval of the largest of several gaps, as equalized odds: each with its interval at one and the same level.
 *
 * @param gaps  one or more; made with one `areAlike` for all of them
 */
export function largestOf(gaps: readonly Bounds[]): Bounds {
  return { low: Math.max(...gaps.map(({ low }) => low)), high: Math.max(...gaps.map(({ high }) => high)) };
}

/** Interval of the smallest of several ratios, as `largestOf`. */
export function smallestOf(ratios: readonly Bounds[]): Bounds {
  return {
    low: Math.min(...ratios.map(({ low }) => low)),
    high: Math.min(...ratios.map(({ high }) => high)),
  };
}

/** MOVER interval of the mean of independent figures. */
export function meanOf(figures: readonly Estimate[]): Bounds {
  const mean = figures.reduce((sum, { value }) => sum + value, 0) / figures.length;
  return {
    low: mean - Math.hypot(...figures.map(({ value, low }) => value - low)) / figures.length,
    high: mean + Math.hypot(...figures.map(({ value, high }) => high - value)) / figures.length,
  };
}
