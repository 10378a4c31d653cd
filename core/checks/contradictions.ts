import { normalSurvival } from '../fairness/statistics/distributions.ts';

/** Rows of a class below which its middle is not known. */
const LEAST_CLASS = 20;
/** Standard deviations of a bell curve in one median absolute deviation. */
const DEVIATIONS = 1.4826;
/** Level, and how many times more than by chance. */
const [LEVEL, FACTOR] = [0.001, 3];
/** Share of rows below which even certain mistakes move no conclusion. */
const LEAST_SHARE = 0.02;
/** Standard deviations between two classes from which a row in the midst of the other is a surprise, whatever the tails. */
const LEAST_DISTANCE = 3;

export interface Contradictions {
  /** Rows beyond the median of the other class. */
  readonly count: number;
  readonly expected: number;
  /** Rows on the wrong side that this means: of those, half lie below the median of where they belong. */
  readonly wrong: number;
  /** Between the medians, in standard deviations. */
  readonly distance: number;
  readonly pValue: number;
}

/**
 * Rows of one class in the midst of the other: beyond its median, as confident learning counts them (Northcutt et al.
 * 2021, where a row's doubt begins at the mean confidence of the other class). Two classes that overlap have such rows
 * without any mistake: of bell curves a distance d apart, Φ(-d). Medians and median absolute deviations give d,
 * since mistakes below half of a class do not move them far.
 *
 * @param first   scores of the class that should be low
 * @param second  of the one that should be high
 * @returns null when there are not more than chance explains, or too few rows to say
 */
export function contradictionsOf(first: readonly number[], second: readonly number[]): Contradictions | null {
  if (Math.min(first.length, second.length) < LEAST_CLASS) return null;
  const [low, high] = [robust(first), robust(second)];
  const deviation = Math.sqrt((low.deviation ** 2 + high.deviation ** 2) / 2);
  const distance = (high.median - low.median) / deviation;
  if (!(distance >= LEAST_DISTANCE) || !Number.isFinite(distance)) return null;
  const count =
    first.filter((value) => value > high.median).length + second.filter((value) => value < low.median).length;
  const size = first.length + second.length;
  const expected = size * normalSurvival(distance);
  const pValue = normalSurvival((count - 0.5 - expected) / Math.sqrt(Math.max(expected, 1)));
  if (count < FACTOR * expected || count < LEAST_SHARE * size || pValue >= LEVEL) return null;
  return { count, expected, wrong: Math.round(2 * (count - expected)), distance, pValue };
}

function robust(values: readonly number[]) {
  const median = medianOf(values);
  return { median, deviation: DEVIATIONS * medianOf(values.map((value) => Math.abs(value - median))) };
}

function medianOf(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2;
}
