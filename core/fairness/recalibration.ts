import type { ScoreTable } from './score-column.ts';
import { criticalValue } from './statistics/distributions.ts';
import type { Statistic } from './types.ts';

/** Scores are held this far from 0 and 1, where their logit is infinite: the step of float32 below 1. */
const CLIPPED = 2 ** -24;
const MOST_STEPS = 50;
/** Largest step that counts as none; Newton's method doubles its digits each step. */
const CONVERGED = 1e-9;
const LONGEST_STEP = 5;
const COARSE_POINTS = 2_048;

/** Slope and intercept of logit P(label = 1) on logit(score), each by maximum likelihood. */
export interface Recalibration {
  readonly slope: Statistic;
  readonly intercept: Statistic;
}

/**
 * Logistic recalibration by iteratively reweighted least squares (Newton's method on the likelihood).
 *
 *   slope b:      logit P = a + b · logit(score)
 *   intercept a:  logit P = a + logit(score), calibration in the large
 *
 * Intervals are Wald's, from the inverse of the information matrix.
 *
 * @param level  null for values without intervals
 */
export function recalibrate(table: ScoreTable, level: number | null): Recalibration {
  const reason = whyNone(table);
  if (reason !== null) return { slope: undefinedFor(reason), intercept: undefinedFor(reason) };
  const points = pointsOf(table);
  const coarse = coarsened(points);
  const both = maximise(points, maximise(coarse, { intercept: 0, slope: 0, isSlopeFree: true }));
  const large = maximise(points, maximise(coarse, { intercept: 0, slope: 1, isSlopeFree: false }));
  return {
    slope:
      both && !areSeparated(table)
        ? statisticOf(both.slope, both.slopeVariance, level)
        : undefinedFor('the scores separate the classes: no finite slope'),
    intercept: large
      ? statisticOf(large.intercept, large.interceptVariance, level)
      : undefinedFor('no finite intercept'),
  };
}

function whyNone({ positives, negatives, scores }: ScoreTable): string | null {
  if (positives.every((weight) => weight === 0)) return 'no positive labels';
  if (negatives.every((weight) => weight === 0)) return 'no negative labels';
  if (scores.length < 2) return 'all scores are equal';
  return null;
}

/** No score of one class lies beyond one of the other: the likelihood then grows with the slope without end. */
function areSeparated({ positives, negatives }: ScoreTable): boolean {
  const isAbove = (upper: Float64Array, lower: Float64Array) =>
    upper.findIndex((weight) => weight > 0) >= lower.findLastIndex((weight) => weight > 0);
  return isAbove(positives, negatives) || isAbove(negatives, positives);
}

const undefinedFor = (reason: string): Statistic => ({ value: null, reason, interval: null });

function statisticOf(value: number, variance: number, level: number | null): Statistic {
  if (level === null) return { value, interval: null };
  const half = criticalValue(level) * Math.sqrt(variance);
  return { value, interval: { low: value - half, high: value + half, method: 'wald' } };
}

/** Rows at each logit of a score, or at the mean logit of neighbouring ones. */
interface Points {
  readonly logits: Float64Array;
  readonly positives: Float64Array;
  readonly negatives: Float64Array;
  /** Σw² / Σw: by how much weights that differ widen an interval. */
  readonly inflation: number;
}

function pointsOf({ scores, positives, negatives, squares }: ScoreTable): Points {
  const logits = scores.map((score) => {
    const clipped = Math.min(Math.max(score, CLIPPED), 1 - CLIPPED);
    return Math.log(clipped / (1 - clipped));
  });
  const inflation = squares
    ? (sum(squares.positives) + sum(squares.negatives)) / (sum(positives) + sum(negatives))
    : 1;
  return { logits, positives, negatives, inflation };
}

function sum(values: ArrayLike<number>): number {
  let total = 0;
  for (let at = 0; at < values.length; at += 1) total += values[at]!;
  return total;
}

/** Few points from which a fit starts so close that all points take one or two steps. */
function coarsened(points: Points): Points {
  const { length } = points.logits;
  if (length <= 2 * COARSE_POINTS) return points;
  const size = Math.ceil(length / COARSE_POINTS);
  const [logits, positives, negatives] = [0, 1, 2].map(() => new Float64Array(COARSE_POINTS));
  const mass = new Float64Array(COARSE_POINTS);
  for (let at = 0; at < length; at += 1) {
    const place = Math.floor(at / size);
    const weight = points.positives[at]! + points.negatives[at]!;
    logits![place]! += weight * points.logits[at]!;
    positives![place]! += points.positives[at]!;
    negatives![place]! += points.negatives[at]!;
    mass[place]! += weight;
  }
  logits!.forEach((weighted, place) => {
    if (mass[place]! > 0) logits![place] = weighted / mass[place]!;
  });
  return { ...points, logits: logits!, positives: positives!, negatives: negatives! };
}

interface Start {
  readonly intercept: number;
  readonly slope: number;
  readonly isSlopeFree: boolean;
}

interface Fit extends Start {
  readonly interceptVariance: number;
  readonly slopeVariance: number;
}

/** @returns null where the likelihood has no finite maximum, or where there is no start */
function maximise(points: Points, start: Start | null): Fit | null {
  if (start === null) return null;
  const { isSlopeFree } = start;
  let { intercept, slope } = start;
  for (let step = 0; step < MOST_STEPS; step += 1) {
    const move = newtonStep(points, { intercept, slope, isSlopeFree });
    if (move === null) return null;
    intercept += move.across;
    slope += move.along;
    if (Math.max(Math.abs(move.across), Math.abs(move.along)) < CONVERGED) {
      return { isSlopeFree, intercept, slope, ...move.variances };
    }
  }
  return null;
}

/** @returns null where the likelihood is flat */
function newtonStep(points: Points, { intercept, slope, isSlopeFree }: Start) {
  const { g0, g1, h00, h01, h11 } = derivativesAt(points, intercept, slope);
  const determinant = isSlopeFree ? h00 * h11 - h01 ** 2 : h00;
  if (!(determinant > 0)) return null;
  const [across, along] = isSlopeFree
    ? [(h11 * g0 - h01 * g1) / determinant, (h00 * g1 - h01 * g0) / determinant]
    : [g0 / determinant, 0];
  // A step is held back where the likelihood is flat, so that it cannot overshoot into another flat part.
  const part = LONGEST_STEP / Math.max(LONGEST_STEP, Math.abs(across), Math.abs(along));
  const variances = {
    interceptVariance: (isSlopeFree ? h11 / determinant : 1 / h00) * points.inflation,
    slopeVariance: isSlopeFree ? (h00 / determinant) * points.inflation : 0,
  };
  return { across: across * part, along: along * part, variances };
}

/** Gradient and information of the log likelihood at (intercept, slope). */
function derivativesAt({ logits, positives, negatives }: Points, intercept: number, slope: number) {
  let [g0, g1, h00, h01, h11] = [0, 0, 0, 0, 0];
  for (let at = 0; at < logits.length; at += 1) {
    const x = logits[at]!;
    const chance = 1 / (1 + Math.exp(-(intercept + slope * x)));
    const weight = positives[at]! + negatives[at]!;
    const residual = positives[at]! - weight * chance;
    const curvature = weight * chance * (1 - chance);
    g0 += residual;
    g1 += residual * x;
    h00 += curvature;
    h01 += curvature * x;
    h11 += curvature * x * x;
  }
  return { g0, g1, h00, h01, h11 };
}
