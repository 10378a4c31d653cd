import { recalibrate } from './recalibration.ts';
import type { ScoreTable } from './score-column.ts';
import type { Calibration, CalibrationBin, Statistic, Sweep } from './types.ts';

const NO_SAMPLES = 'no samples';
const NO_PROBABILITIES = 'scores outside [0, 1] are no probabilities';
/** Bins of a calibration curve, as most published ECEs have. */
const CALIBRATION_BINS = 10;

/** A value with its variance, where one was estimated. */
export interface Moment {
  readonly value: number;
  readonly variance: number | null;
}

/** Why figures that read scores as probabilities are not defined; null where they are. */
export function whyNoCalibration({ scores, positives, negatives }: ScoreTable): string | null {
  if (massOf(positives) + massOf(negatives) === 0) return NO_SAMPLES;
  return scores[0]! >= 0 && scores.at(-1)! <= 1 ? null : NO_PROBABILITIES;
}

/**
 * Brier score: mean of (score - label)², with the variance of that mean.
 *
 * @returns null where `whyNoCalibration` says why
 */
export function brierOf(table: ScoreTable): Moment | null {
  if (whyNoCalibration(table) !== null) return null;
  const { scores, positives, negatives, squares = table } = table;
  let [mass, error, square] = [0, 0, 0];
  for (let at = 0; at < scores.length; at += 1) {
    mass += positives[at]! + negatives[at]!;
    square += squares.positives[at]! + squares.negatives[at]!;
    error += positives[at]! * (1 - scores[at]!) ** 2 + negatives[at]! * scores[at]! ** 2;
  }
  const value = error / mass;
  let spread = 0;
  for (let at = 0; at < scores.length; at += 1) {
    spread += squares.positives[at]! * ((1 - scores[at]!) ** 2 - value) ** 2;
    spread += squares.negatives[at]! * (scores[at]! ** 2 - value) ** 2;
  }
  const rows = mass ** 2 / square;
  return { value, variance: rows > 1 ? ((spread / mass ** 2) * rows) / (rows - 1) : null };
}

/** @param level  of the intervals of slope and intercept; null for none */
export function calibrationOf(table: ScoreTable, level: number | null): Calibration {
  const reason = whyNoCalibration(table);
  if (reason !== null) {
    const none: Statistic = { value: null, reason, interval: null };
    return { error: none, slope: none, intercept: none, bins: [] };
  }
  const bins = equalMassBins(table);
  const mass = bins.reduce((sum, { support }) => sum + support, 0);
  const gaps = bins.map((bin) => Math.abs(bin.positives - bin.meanScore * bin.support));
  const value = gaps.reduce((sum, gap) => sum + gap, 0) / mass;
  return { error: { value, interval: null }, ...recalibrate(table, level), bins };
}

/**
 * Neighbouring scores in bins of equal mass. Rows of one score stay together, so that the bins do not depend on the
 * order of rows: a bin ends with the score at which the next tenth of the mass is full.
 */
function equalMassBins({ scores, positives, negatives }: ScoreTable): CalibrationBin[] {
  const mass = massOf(positives) + massOf(negatives);
  const bins: CalibrationBin[] = [];
  let [weighted, positive, support, before] = [0, 0, 0, 0];
  let end = endOfShare(before, mass / CALIBRATION_BINS);
  for (let at = 0; at < scores.length; at += 1) {
    const rows = positives[at]! + negatives[at]!;
    weighted += rows * scores[at]!;
    positive += positives[at]!;
    support += rows;
    before += rows;
    if (support > 0 && (before >= end || at === scores.length - 1)) {
      bins.push({ meanScore: Math.min(1, weighted / support), positives: positive, support });
      [weighted, positive, support] = [0, 0, 0];
      end = endOfShare(before, mass / CALIBRATION_BINS);
    }
  }
  return bins;
}

function massOf(weights: Float64Array): number {
  let mass = 0;
  for (let at = 0; at < weights.length; at += 1) mass += weights[at]!;
  return mass;
}

/** The next multiple of a share above what is full; sums of weights are held as equal within rounding. */
function endOfShare(before: number, share: number): number {
  return (Math.floor(before / share + 1e-9) + 1) * share * (1 - 1e-12);
}

/** Rows at or above each threshold. */
export function sweepOf({ scores, rows }: ScoreTable, thresholds: readonly number[]): Sweep {
  const above = (counts: Float64Array) => {
    const sums: number[] = new Array(thresholds.length).fill(0);
    let sum = 0;
    let at = scores.length - 1;
    for (let place = thresholds.length - 1; place >= 0; place -= 1) {
      while (at >= 0 && scores[at]! >= thresholds[place]!) sum += counts[at--]!;
      sums[place] = sum;
    }
    return sums;
  };
  return { truePositives: above(rows.positives), falsePositives: above(rows.negatives) };
}

const MOST_THRESHOLDS = 101;

/** Quantiles of the pooled scores, with the threshold of the report among them. */
export function sweepThresholds({ scores, rows }: ScoreTable, threshold: number | null): number[] {
  const share = (massOf(rows.positives) + massOf(rows.negatives)) / (MOST_THRESHOLDS - 1);
  const quantiles: number[] = [];
  let before = 0;
  let end = 0;
  for (let at = 0; at < scores.length; at += 1) {
    if (before >= end) {
      quantiles.push(scores[at]!);
      end = endOfShare(before, share);
    }
    before += rows.positives[at]! + rows.negatives[at]!;
  }
  const all = threshold === null ? quantiles : [...quantiles, threshold];
  return [...new Set(all)].sort((a, b) => a - b);
}
