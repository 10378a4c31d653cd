import { criticalValue } from './distributions.ts';
import type { Bounds, Estimator } from './mover.ts';

/**
 * Positives and negatives at each distinct score (or bin of scores), ascending: all that ranks are made of.
 * Counts of rows, or sums of weights together with the sums of their squares.
 */
export interface ScoreCounts {
  /** [K] */
  readonly positives: ArrayLike<number>;
  /** [K] */
  readonly negatives: ArrayLike<number>;
  /** [K] sums of squared weights; absent when every row weighs 1 */
  readonly squares?: { readonly positives: ArrayLike<number>; readonly negatives: ArrayLike<number> };
}

export interface AucEstimate {
  readonly auc: number;
  /** Rows of each class; effective rows where they are weighted. */
  readonly positives: number;
  readonly negatives: number;
  /** DeLong's; null when a class has one row only, which shows no spread. */
  readonly variance: number | null;
  /** Degrees of freedom of that variance (Welch and Satterthwaite); 0 where it is null or 0. */
  readonly degrees: number;
}

/**
 * Area under the ROC curve of two samples with DeLong's variance (1988), from its structural components: V10 of a
 * positive is the share of negatives below it, V01 of a negative the share of positives above it, ties half.
 *
 *   AUC = mean V10 = mean V01,   variance = S10/m + S01/n,   S = Σ (V - AUC)² / (rows - 1)
 *
 * The two samples may be of different groups (xAUC). Linear in the number of distinct scores.
 *
 * @returns null when a class has no rows
 */
export function aucOf(counts: ScoreCounts): AucEstimate | null {
  const m = total(counts.positives);
  const n = total(counts.negatives);
  if (m === 0 || n === 0) return null;
  const { positives, negatives, squares = counts } = counts;
  let [below, wins] = [0, 0];
  for (let at = 0; at < positives.length; at += 1) {
    wins += positives[at]! * (below + negatives[at]! / 2);
    below += negatives[at]!;
  }
  const auc = wins / (m * n);
  let [left, right, spread10, spread01] = [0, 0, 0, 0]; // shares of negatives and positives below
  for (let at = 0; at < positives.length; at += 1) {
    const v10 = left + negatives[at]! / n / 2;
    const v01 = 1 - right - positives[at]! / m / 2;
    spread10 += squares.positives[at]! * (v10 - auc) ** 2;
    spread01 += squares.negatives[at]! * (v01 - auc) ** 2;
    left += negatives[at]! / n;
    right += positives[at]! / m;
  }
  const rows =
    squares === counts
      ? { positives: m, negatives: n }
      : { positives: m ** 2 / total(squares.positives), negatives: n ** 2 / total(squares.negatives) };
  if (rows.positives <= 1 || rows.negatives <= 1) return { auc, ...rows, variance: null, degrees: 0 };
  const part10 = ((spread10 / m ** 2) * rows.positives) / (rows.positives - 1);
  const part01 = ((spread01 / n ** 2) * rows.negatives) / (rows.negatives - 1);
  const variance = part10 + part01;
  const doubt = part10 ** 2 / (rows.positives - 1) + part01 ** 2 / (rows.negatives - 1);
  return { auc, ...rows, variance, degrees: doubt === 0 ? 0 : variance ** 2 / doubt };
}

/** With fewer rows of a class, or complete separation, DeLong's variance says too little to build on. */
const FEWEST_ROWS = 5;

/**
 * An AUC with its interval: DeLong's variance on the logit scale, with Student's t for the few rows that the variance
 * itself comes from (degrees as in the test of Brunner and Munzel):
 *
 *   logit(AUC) ± t √variance / (AUC (1 - AUC))
 *
 * where a class has fewer than five rows or the variance is 0 (as with complete separation), `scoreBounds`. By
 * simulation this covers best of DeLong's, logit, logit with t, and score intervals (docs/statistics.md).
 */
export function aucEstimator(estimate: AucEstimate): Estimator {
  const { auc, positives, negatives, variance, degrees } = estimate;
  const isFirm = degrees > 0 && auc > 0 && auc < 1 && Math.min(positives, negatives) >= FEWEST_ROWS;
  if (variance === null || !isFirm) return (level) => ({ value: auc, ...scoreBounds(estimate, level) });
  return (level) => {
    const half = (studentQuantile(level, degrees) * Math.sqrt(variance)) / (auc * (1 - auc));
    const logit = Math.log(auc / (1 - auc));
    return { value: auc, low: 1 / (1 + Math.exp(half - logit)), high: 1 / (1 + Math.exp(-half - logit)) };
  };
}

/** Two-sided critical value of Student's t by Fisher's expansion at the normal one; 1 % off at 4 degrees. */
function studentQuantile(level: number, degrees: number): number {
  const z = criticalValue(level);
  const first = (z ** 3 + z) / 4;
  const second = (5 * z ** 5 + 16 * z ** 3 + 3 * z) / 96;
  const third = (3 * z ** 7 + 19 * z ** 5 + 17 * z ** 3 - 15 * z) / 384;
  return z + first / degrees + second / degrees ** 2 + third / degrees ** 3;
}

const HALVINGS = 60;

/**
 * Newcombe's score-like interval of an AUC (2006, method 5): all θ with (AUC - θ)² <= z² V(θ), V the variance of
 * Hanley and McNeil, which needs no spread in the sample. With N = (m + n)/2 - 1:
 *
 *   V(θ) = θ(1 - θ) (1 + N (1 - θ)/(2 - θ) + N θ/(1 + θ)) / (mn)
 */
function scoreBounds({ auc, positives, negatives }: AucEstimate, level: number): Bounds {
  const z = criticalValue(level);
  const pairs = (positives + negatives) / 2 - 1;
  const isInside = (theta: number) => {
    const spread = 1 + (pairs * (1 - theta)) / (2 - theta) + (pairs * theta) / (1 + theta);
    return (theta - auc) ** 2 <= (z * z * theta * (1 - theta) * spread) / (positives * negatives);
  };
  const end = (outside: number) => {
    let [inner, outer] = [auc, outside];
    for (let step = 0; step < HALVINGS; step += 1) {
      const middle = (inner + outer) / 2;
      if (isInside(middle)) inner = middle;
      else outer = middle;
    }
    return inner;
  };
  return { low: end(0), high: end(1) };
}

function total(values: ArrayLike<number>): number {
  let sum = 0;
  for (let at = 0; at < values.length; at += 1) sum += values[at]!;
  return sum;
}
