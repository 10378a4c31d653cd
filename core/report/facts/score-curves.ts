import type { AuditReport, GroupMetrics, Sweep } from '../../fairness/types.ts';

interface Point {
  readonly x: number;
  readonly y: number;
}

/** A group whose scores were swept, with both labels. */
export interface SweptGroup extends GroupMetrics {
  readonly sweep: Sweep;
}

export function isSwept(group: GroupMetrics): group is SweptGroup {
  return group.sweep !== null && group.positives > 0 && group.negatives > 0;
}

/** False against true positive rate, from the highest threshold (0, 0) to below the lowest (1, 1). */
export function rocPoints({ sweep, positives, negatives }: SweptGroup): Point[] {
  const points = sweep.truePositives.map((count, at) => ({
    x: sweep.falsePositives[at]! / negatives,
    y: count / positives,
  }));
  return [{ x: 0, y: 0 }, ...points.reverse(), { x: 1, y: 1 }].filter(
    (point, at, all) => at === 0 || point.x !== all[at - 1]!.x || point.y !== all[at - 1]!.y,
  );
}

/** Where the threshold of the report lies on the curve. */
export function rocMark({ sweep, positives, negatives }: SweptGroup, at: number): Point {
  return { x: sweep.falsePositives[at]! / negatives, y: sweep.truePositives[at]! / positives };
}

/** Mean score of each bin against its share of positives. */
export function calibrationPoints({ calibration }: GroupMetrics): Point[] {
  return (calibration?.bins ?? []).map(({ meanScore, positives, support }) => ({
    x: meanScore,
    y: positives / support,
  }));
}

/** Bins of the range of scores in pictures of densities. */
export const DENSITY_BINS = 20;

/** Range of the scores: that of probabilities, or from the lowest to the highest threshold where some lie outside. */
export function scoreRange({ thresholds }: Pick<AuditReport, 'thresholds'>): readonly [number, number] {
  const [low, high] = [thresholds[0] ?? 0, thresholds.at(-1) ?? 1];
  return low >= 0 && high <= 1 ? [0, 1] : [low, high];
}

/**
 * Share of the rows of one label in each bin of the range of scores. Between two thresholds rows are spread evenly,
 * since the sweep does not say where they lie.
 *
 * @param counts  rows at or above each threshold
 * @param support  rows in all, at least one
 * @returns [DENSITY_BINS] that add up to 1
 */
export function densityOf(
  counts: readonly number[],
  support: number,
  { thresholds }: Pick<AuditReport, 'thresholds'>,
): number[] {
  const [low, high] = scoreRange({ thresholds });
  const xs = [low, ...thresholds.filter((each) => each > low), high];
  const above = [support, ...counts.filter((_, at) => thresholds[at]! > low), 0];
  const aboveAt = (score: number) => {
    const next = xs.findIndex((each) => each > score);
    if (next === -1) return 0;
    const [from, to] = [xs[Math.max(0, next - 1)]!, xs[next]!];
    const share = to === from ? 0 : (score - from) / (to - from);
    return above[Math.max(0, next - 1)]! * (1 - share) + above[next]! * share;
  };
  const edges = Array.from({ length: DENSITY_BINS + 1 }, (_, bin) =>
    bin === DENSITY_BINS ? 0 : aboveAt(low + ((high - low) * bin) / DENSITY_BINS),
  );
  return edges.slice(1).map((edge, bin) => (edges[bin]! - edge) / support);
}

/**
 * The groups whose curves a picture shows: those with enough support, since the curves of others are noise, and of
 * those at most `most`.
 */
export function drawnGroups<Group extends GroupMetrics>(groups: readonly Group[], most: number): Group[] {
  const large = groups.filter(({ isSmall }) => !isSmall);
  return largestGroups(large.length === 0 ? groups : large, most);
}

/** The largest groups, in the order of the report. */
export function largestGroups<Group extends GroupMetrics>(groups: readonly Group[], most: number): Group[] {
  if (groups.length <= most) return [...groups];
  const sizes = groups.map(({ support }) => support).sort((a, b) => b - a);
  const least = sizes[most - 1]!;
  return groups.filter(({ support }) => support >= least).slice(0, most);
}
