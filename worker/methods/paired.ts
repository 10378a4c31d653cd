import { percentileInterval } from '../../core/fairness/statistics/bootstrap.ts';
import type { Uniform } from '../../core/fairness/statistics/sampling.ts';
import { seededUniform } from '../../core/fairness/statistics/sampling.ts';
import type { PairedDifference, SelectFigures } from '../../core/jobs/run-record.ts';
import type { DisparityMetric } from '../../core/jobs/schema.ts';
import { RATES_OF } from '../search/selection.ts';
import type { Decisions } from './evaluate.ts';

/** Figures that methods are compared by. */
export const COMPARED = ['disparity', 'auc', 'balancedAccuracy'] as const;
export type Compared = (typeof COMPARED)[number];

/** Level and draws of every paired interval, as in audits. */
export const INTERVALS = { level: 0.95, replicates: 2000 } as const;

/** What a method reached with one seed. */
export interface Reached {
  readonly seed: number;
  readonly figures: Pick<SelectFigures, Compared>;
  readonly decisions: Decisions;
}

export interface PairedOptions {
  readonly metric: DisparityMetric;
  readonly level: number;
  readonly replicates: number;
  readonly seed: number;
}

/**
 * A method minus a reference, over the seeds that both ran with.
 *
 * A replicate draws seeds with replacement, and subjects of the audited part with replacement, each with all of its
 * rows; both methods are measured on the very same draw, so that what is hard for both cancels. Where all seeds are
 * audited on the same rows a replicate has one draw of subjects for all of them, otherwise one for each seed.
 */
export function pairedDifferences(
  method: readonly Reached[],
  reference: readonly Reached[],
  options: PairedOptions,
): Record<Compared, PairedDifference> {
  const pairs = method.flatMap((reached) => {
    const other = reference.find(({ seed }) => seed === reached.seed);
    return other ? [{ method: reached, reference: other }] : [];
  });
  const drawn = pairs.length === 0 ? null : replicateDifferences(pairs, options);
  const differenceOf = (figure: Compared): PairedDifference => {
    const values = pairs.map((pair) => minus(pair.method.figures[figure], pair.reference.figures[figure]));
    const isDefined = values.length > 0 && values.every((value) => value !== null);
    return {
      value: isDefined ? meanOf(values as number[]) : null,
      interval: isDefined && drawn ? percentileInterval(drawn[figure], options.level) : null,
    };
  };
  return {
    disparity: differenceOf('disparity'),
    auc: differenceOf('auc'),
    balancedAccuracy: differenceOf('balancedAccuracy'),
  };
}

interface Pair {
  readonly method: Reached;
  readonly reference: Reached;
}

function replicateDifferences(
  pairs: readonly Pair[],
  options: PairedOptions,
): Record<Compared, Float64Array> {
  const { replicates, metric, seed } = options;
  const drawn = {
    disparity: new Float64Array(replicates),
    auc: new Float64Array(replicates),
    balancedAccuracy: new Float64Array(replicates),
  };
  const prepared = pairs.map((pair) => ({
    subjects: subjectCount(pair.method.decisions),
    method: prepare(pair.method.decisions, metric),
    reference: prepare(pair.reference.decisions, metric),
  }));
  const isShared = pairs.every(({ method }) => isSameRows(method.decisions, pairs[0]!.method.decisions));
  const uniform = seededUniform(seed);
  for (let replicate = 0; replicate < replicates; replicate += 1) {
    const shared = isShared ? drawSubjects(prepared[0]!.subjects, uniform) : null;
    const sums = { disparity: 0, auc: 0, balancedAccuracy: 0 };
    for (let draw = 0; draw < pairs.length; draw += 1) {
      const pair = prepared[Math.floor(uniform() * pairs.length)]!;
      const times = shared ?? drawSubjects(pair.subjects, uniform);
      const [own, other] = [pair.method(times), pair.reference(times)];
      for (const figure of COMPARED) sums[figure] += own[figure] - other[figure];
    }
    for (const figure of COMPARED) drawn[figure][replicate] = sums[figure] / pairs.length;
  }
  return drawn;
}

function subjectCount({ rows }: Decisions): number {
  return rows.subjects.reduce((most, subject) => Math.max(most, subject + 1), 0);
}

/** How often each subject is drawn [U]. */
function drawSubjects(subjects: number, uniform: Uniform): Int32Array {
  const times = new Int32Array(subjects);
  for (let draw = 0; draw < subjects; draw += 1) times[Math.floor(uniform() * subjects)]! += 1;
  return times;
}

function isSameRows({ rows: a }: Decisions, { rows: b }: Decisions): boolean {
  const isSame = (x: Int32Array, y: Int32Array) =>
    x.length === y.length && x.every((value, at) => value === y[at]);
  return isSame(a.labels, b.labels) && isSame(a.groups, b.groups) && isSame(a.subjects, b.subjects);
}

/** Figures of rows that count as often as their subject was drawn; NaN where one is not defined. */
type WeightedFigures = (times: Int32Array) => Record<Compared, number>;

function prepare({ rows, scores, predictions }: Decisions, metric: DisparityMetric): WeightedFigures {
  const { labels, groups, groupNames, subjects } = rows;
  const order = Array.from(scores.keys()).sort((a, b) => scores[a]! - scores[b]!);
  const cellOf = Int32Array.from(groups, (group, row) => (group * 2 + labels[row]!) * 2 + predictions[row]!);
  return (times) => {
    const cells = new Float64Array(groupNames.length * 4);
    const all = new Float64Array(4); // label · 2 + prediction, rows without a group included
    for (let row = 0; row < labels.length; row += 1) {
      const count = times[subjects[row]!]!;
      all[labels[row]! * 2 + predictions[row]!]! += count;
      if (groups[row]! >= 0) cells[cellOf[row]!]! += count;
    }
    return {
      disparity: disparityOf(cells, metric),
      auc: weightedAuc({ order, scores, labels, countOf: (row) => times[subjects[row]!]! }),
      balancedAccuracy: (all[3]! / (all[2]! + all[3]!) + all[0]! / (all[0]! + all[1]!)) / 2,
    };
  };
}

/** Largest gap between groups of any rate that the metric looks at. */
function disparityOf(cells: Float64Array, metric: DisparityMetric): number {
  const gaps = RATES_OF[metric].map((rate) => {
    let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    for (let start = 0; start < cells.length; start += 4) {
      const value = rateOf(rate, cells, start);
      if (Number.isNaN(value)) return Number.NaN;
      [low, high] = [Math.min(low, value), Math.max(high, value)];
    }
    return high - low;
  });
  return Math.max(...gaps);
}

/** Cells of a group: true negatives, false positives, false negatives, true positives. */
function rateOf(
  rate: (typeof RATES_OF)[DisparityMetric][number],
  cells: Float64Array,
  start: number,
): number {
  const [tn, fp, fn, tp] = [cells[start]!, cells[start + 1]!, cells[start + 2]!, cells[start + 3]!];
  if (rate === 'truePositiveRate') return tp / (tp + fn);
  return rate === 'falsePositiveRate' ? fp / (fp + tn) : (fp + tp) / (tn + fp + fn + tp);
}

interface AucInput {
  /** Rows by ascending score. */
  readonly order: readonly number[];
  readonly scores: Float64Array;
  readonly labels: Int32Array;
  readonly countOf: (row: number) => number;
}

/** Chance that a positive scores above a negative, ties by half. */
function weightedAuc({ order, scores, labels, countOf }: AucInput): number {
  const totals = [0, 0];
  let above = 0;
  let tied = [0, 0]; // negatives and positives of the present score
  let score = Number.NaN;
  for (const row of order) {
    if (scores[row] !== score) {
      tied = [0, 0];
      score = scores[row]!;
    }
    const count = countOf(row);
    // a positive beats all negatives so far, those of its own score by half; a later one of its score adds that half
    if (labels[row] === 1) above += count * (totals[0]! - tied[0]! / 2);
    else above += (count * tied[1]!) / 2;
    totals[labels[row]!]! += count;
    tied[labels[row]!]! += count;
  }
  return above / (totals[0]! * totals[1]!);
}

function minus(a: number | null, b: number | null): number | null {
  return a === null || b === null ? null : a - b;
}

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
