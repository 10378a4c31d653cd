import { twoSidedNormal } from '../statistics/distributions.ts';
import type { DriftPoint } from './trend.ts';

/** Where the level of a metric changed. */
export interface ChangePoint {
  /** Index of the first point of the new level. */
  readonly at: number;
  /** Weighted means of the points between the neighbouring changes. */
  readonly before: number;
  readonly after: number;
  /** Adjusted for the number of places where a change could have been (Bonferroni). */
  readonly pValue: number;
}

type Known = DriftPoint & { readonly standardError: number };

/**
 * Changes of level by binary segmentation: where a run of points splits best, and does so better than chance, each
 * half is searched in turn. Points count by the precision that their audits claim, so a change is one that sampling
 * does not explain.
 *
 *   z = |m₁ − m₂| / √(1/w₁ + 1/w₂),   w = Σ 1/se²,   m = Σ value/se² / w
 *
 * @param points  in order of time; those without a standard error above 0 are passed over
 * @param level  chance of finding a change in a run without one, in (0, 1)
 */
export function changePoints(points: readonly DriftPoint[], level = 0.05): ChangePoint[] {
  const known = points.flatMap((point, index) => (hasError(point) ? [{ point, index }] : []));
  const values = known.map(({ point }) => point);
  return segment(values, { start: 0, end: values.length, level }).map((change) => ({
    ...change,
    at: known[change.at]!.index,
  }));
}

const hasError = (point: DriftPoint): point is Known =>
  point.standardError !== null && point.standardError > 0;

interface Run {
  readonly start: number;
  readonly end: number;
  readonly level: number;
}

function segment(points: readonly Known[], { start, end, level }: Run): ChangePoint[] {
  const splits = Array.from({ length: Math.max(0, end - start - 1) }, (_, index) =>
    splitAt(points, { start, end }, start + 1 + index),
  );
  const best = splits.toSorted((a, b) => b.z - a.z)[0];
  if (best === undefined) return [];
  const pValue = Math.min(1, splits.length * twoSidedNormal(best.z));
  if (pValue >= level) return [];
  const { at, before, after } = best;
  return [
    ...segment(points, { start, end: at, level }),
    { at, before, after, pValue },
    ...segment(points, { start: at, end, level }),
  ];
}

function splitAt(points: readonly Known[], { start, end }: Pick<Run, 'start' | 'end'>, at: number) {
  const before = levelOf(points.slice(start, at));
  const after = levelOf(points.slice(at, end));
  const error = Math.sqrt(1 / before.weight + 1 / after.weight);
  return { at, before: before.mean, after: after.mean, z: Math.abs(before.mean - after.mean) / error };
}

function levelOf(points: readonly Known[]): { mean: number; weight: number } {
  const weights = points.map(({ standardError }) => 1 / standardError ** 2);
  const weight = weights.reduce((sum, each) => sum + each, 0);
  return {
    weight,
    mean: points.reduce((sum, { value }, index) => sum + weights[index]! * value, 0) / weight,
  };
}
