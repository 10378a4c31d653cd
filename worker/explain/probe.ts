import { aucEstimator, aucOf } from '../../core/fairness/statistics/delong.ts';
import { criticalValue } from '../../core/fairness/statistics/distributions.ts';
import type { LogisticClassifier } from '../../core/fairness/statistics/logistic-classifier.ts';
import { fitLogisticClassifier } from '../../core/fairness/statistics/logistic-classifier.ts';
import type { ProbeFigure } from '../../core/jobs/explanation.ts';

/** Rows of features with the class of each. */
export interface ProbeRows {
  /** [N · W] */
  readonly values: Float32Array;
  readonly width: number;
  /** [N] from 0 */
  readonly classes: readonly number[];
}

const LEVEL = 0.95;

/**
 * Logistic regression with L2: scikit-learn's with C = 1 / (N · ridge).
 *
 * @param positive  class against all others
 */
export function fitProbe(
  { values, width, classes }: ProbeRows,
  positive: number,
  ridge: number,
): LogisticClassifier {
  const labels = Int32Array.from(classes, (own) => Number(own === positive));
  return fitLogisticClassifier({ values, width, labels }, 1 / (classes.length * ridge));
}

/** A probe of each class against all others. Of two classes, one: that of the second. */
export function fitClasses(
  rows: ProbeRows,
  { count, ridge }: { count: number; ridge: number },
): LogisticClassifier[] {
  const positives = count === 2 ? [1] : Array.from({ length: count }, (_, index) => index);
  return positives.map((positive) => fitProbe(rows, positive, ridge));
}

/** Scores of rows with the class of each: [1 or K][N] as `fitClasses` gives them. */
export interface Measured {
  readonly scores: readonly Float64Array[];
  readonly classes: readonly number[];
}

/**
 * AUC of a probe with its 95 % interval (DeLong's on the logit scale); of several classes the mean of one-vs-rest,
 * whose interval is the mean of theirs: too wide rather than too narrow, as if they rose and fell together.
 *
 * @returns null when a class has no rows
 */
export function probeFigure({ scores, classes }: Measured): ProbeFigure | null {
  const figures = scores.map((own, index) => {
    const estimate = aucOf(countsOf(own, isOf(classes, scores.length, index)));
    return estimate === null ? null : aucEstimator(estimate)(LEVEL);
  });
  if (figures.some((figure) => figure === null)) return null;
  const mean = (pick: (of: { value: number; low: number; high: number }) => number) =>
    figures.reduce((sum, figure) => sum + pick(figure!), 0) / figures.length;
  return { auc: mean(({ value }) => value), low: mean(({ low }) => low), high: mean(({ high }) => high) };
}

/** Whether each row is of the class that the scores of an index are for. */
function isOf(classes: readonly number[], count: number, index: number): boolean[] {
  return classes.map((own) => own === (count === 1 ? 1 : index));
}

/** Rows of each class at each distinct score, ascending. */
function countsOf(scores: Float64Array, isPositive: readonly boolean[]) {
  const order = Array.from(scores.keys()).sort((a, b) => scores[a]! - scores[b]!);
  const positives: number[] = [];
  const negatives: number[] = [];
  order.forEach((row, place) => {
    if (place === 0 || scores[row] !== scores[order[place - 1]!]) {
      positives.push(0);
      negatives.push(0);
    }
    const counts = isPositive[row] ? positives : negatives;
    counts[counts.length - 1]! += 1;
  });
  return { positives, negatives };
}

/**
 * Change of the AUC on the same rows with its 95 % interval: DeLong's variance of a difference, that of the paired
 * differences of the structural components. Of several classes as for `probeFigure`.
 *
 * @returns null when a class has fewer than two rows
 */
export function probeChange(
  before: Measured,
  after: Measured,
): { value: number; low: number; high: number } | null {
  let value = 0;
  let half = 0;
  for (const [index, scores] of before.scores.entries()) {
    const isPositive = isOf(before.classes, before.scores.length, index);
    const from = componentsOf(scores, isPositive);
    const to = componentsOf(after.scores[index]!, isPositive);
    if (from.length < 2 || from.some((side) => side.length < 2)) return null;
    const spread = [0, 1].reduce((sum, side) => {
      const changes = from[side]!.map((component, row) => to[side]![row]! - component);
      const mean = average(changes);
      const variance =
        changes.reduce((total, change) => total + (change - mean) ** 2, 0) / (changes.length - 1);
      return sum + variance / changes.length;
    }, 0);
    value += (average(to[0]!) - average(from[0]!)) / before.scores.length;
    half += (criticalValue(LEVEL) * Math.sqrt(spread)) / before.scores.length;
  }
  return { value, low: value - half, high: value + half };
}

const average = (values: readonly number[]): number =>
  values.reduce((sum, entry) => sum + entry, 0) / values.length;

/** Of the positives the share of negatives below each, of the negatives the share of positives above; ties half. */
function componentsOf(scores: Float64Array, isPositive: readonly boolean[]): [number[], number[]] {
  const ofClass = (positive: boolean) => scores.filter((_, row) => isPositive[row] === positive);
  const [positives, negatives] = [ofClass(true), ofClass(false)];
  const sortedPositives = positives.toSorted();
  const sortedNegatives = negatives.toSorted();
  return [
    Array.from(positives, (score) => shareBelow(sortedNegatives, score)),
    Array.from(negatives, (score) => 1 - shareBelow(sortedPositives, score)),
  ];
}

function shareBelow(ascending: Float64Array, score: number): number {
  const firstWhere = (isPast: (value: number) => boolean) => {
    let [low, high] = [0, ascending.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (isPast(ascending[middle]!)) high = middle;
      else low = middle + 1;
    }
    return low;
  };
  return (
    (firstWhere((value) => value >= score) + firstWhere((value) => value > score)) / 2 / ascending.length
  );
}
