import { twoSidedNormal } from '../statistics/distributions.ts';

/** One audit's value of a metric. */
export interface DriftPoint {
  /** Milliseconds since 1970. */
  readonly time: number;
  readonly value: number;
  /** Of the value; null when the audit has no interval for it. */
  readonly standardError: number | null;
}

export interface Trend {
  /** Median of the slopes between all pairs of points (Theil and Sen), in units of the metric per day. */
  readonly slopePerDay: number;
  /** Two-sided, by Mann and Kendall: the chance of so steady a rise or fall if the order meant nothing. */
  readonly pValue: number;
}

const DAY_MS = 86_400_000;
/** With fewer even the steadiest rise has a p-value above 0.08. */
const LEAST_POINTS = 4;
/** Above, the exact distribution costs more than the normal one errs. */
const MOST_EXACT = 40;

/**
 * Trend of a metric over time.
 *
 * @param points  in order of time, times distinct
 * @returns null with fewer than four points
 * @see Kendall, Rank Correlation Methods (1975); Sen, JASA 63 (1968)
 */
export function trendOf(points: readonly DriftPoint[]): Trend | null {
  if (points.length < LEAST_POINTS) return null;
  const pairs = points.flatMap((later, index) =>
    points.slice(0, index).map((earlier) => ({
      rise: Math.sign(later.value - earlier.value),
      slope: (later.value - earlier.value) / ((later.time - earlier.time) / DAY_MS),
    })),
  );
  const rises = pairs.reduce((sum, { rise }) => sum + rise, 0);
  const values = points.map(({ value }) => value);
  return { slopePerDay: median(pairs.map(({ slope }) => slope)), pValue: kendallTest(rises, values) };
}

/** @param rises  pairs that rise minus pairs that fall */
function kendallTest(rises: number, values: readonly number[]): number {
  const n = values.length;
  const ties = tieCounts(values);
  if (ties.length === n && n <= MOST_EXACT) return exactTest(rises, n);
  const spread = (count: number) => count * (count - 1) * (2 * count + 5);
  const variance = (spread(n) - ties.reduce((sum, count) => sum + spread(count), 0)) / 18;
  if (variance === 0) return 1; // all values are one
  return twoSidedNormal(Math.max(0, Math.abs(rises) - 1) / Math.sqrt(variance));
}

/** Share of all orders of n values in which pairs rise or fall as steadily. */
function exactTest(rises: number, n: number): number {
  const pairs = (n * (n - 1)) / 2;
  // share[k]: of the orders of the first values, those with k pairs that fall
  let share = [1];
  for (let count = 2; count <= n; count += 1) {
    const next = new Array<number>(share.length + count - 1).fill(0);
    share.forEach((part, falls) => {
      for (let more = 0; more < count; more += 1) next[falls + more]! += part / count;
    });
    share = next;
  }
  const isAsSteady = (falls: number) => Math.abs(pairs - 2 * falls) >= Math.abs(rises);
  return Math.min(
    1,
    share.reduce((sum, part, falls) => sum + (isAsSteady(falls) ? part : 0), 0),
  );
}

function tieCounts(values: readonly number[]): number[] {
  const counts = new Map<number, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts.values()];
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
