import * as tf from '@tensorflow/tfjs-core';
import { EmptyGroupError, InvalidInputError } from '../../core/errors.ts';
import type { DisparityMetric } from '../../core/jobs/schema.ts';
import type { BatchTruth, Grouping } from '../training/batch.ts';
import { regroup } from '../training/batch.ts';

export interface ClassCounts {
  readonly positives: number;
  readonly negatives: number;
}

/** Class weights come from the batch itself, or from the whole set so that the scale does not move; counts by class. */
export type ClassWeights = 'batch' | ClassCounts | readonly number[];

/** logits [B] → scalar; the caller disposes */
export type BatchLoss = (logits: tf.Tensor1D) => tf.Scalar;

/**
 * Class-balanced cross entropy.
 *
 *   L = (n+ n- / n²) · (mean NLL over positives + mean NLL over negatives)
 *
 * With fixed counts N+, N- of the whole set, a sample weighs N- / (N B) if positive and N+ / (N B) if
 * negative, whose sum over the set is the same L. A one-class batch gives 0 under 'batch'.
 *
 * @returns the loss of logits [B], >= 0: they change while the truth of a batch does not
 * @see docs/method.md#task-loss
 */
export function prepareTaskLoss({ labels }: BatchTruth, weights: ClassWeights): BatchLoss {
  const sampleWeights = taskWeightsOf({ labels }, weights);
  return (logits) =>
    tf.tidy(() => {
      const losses = negativeLogLikelihoods(logits, { labels });
      return tf.sum(tf.mul(tf.tensor1d(sampleWeights), losses)) as tf.Scalar;
    });
}

/** Of each sample [B]. -log p = softplus(z) - z and -log(1 - p) = softplus(z): no log of a rounded p. */
export function negativeLogLikelihoods(
  logits: tf.Tensor1D,
  { labels }: Pick<BatchTruth, 'labels'>,
): tf.Tensor1D {
  return tf.sub(tf.softplus(logits), tf.mul(logits, tf.tensor1d(Float32Array.from(labels))));
}

/** What each sample counts in the task loss [B]. */
export function taskWeightsOf({ labels }: Pick<BatchTruth, 'labels'>, weights: ClassWeights): Float32Array {
  const size = labels.length;
  const { positives, negatives } =
    'positives' in Object(weights) ? (weights as ClassCounts) : countClasses(labels);
  const scale = weights === 'batch' ? 1 / size ** 2 : 1 / ((positives + negatives) * size);
  return Float32Array.from(labels, (label) => (label ? negatives : positives) * scale);
}

export function countClasses(labels: ArrayLike<number>): ClassCounts {
  const positives = Array.from(labels).reduce((sum, label) => sum + label, 0);
  return { positives, negatives: labels.length - positives };
}

export const GROUP_REDUCTIONS = ['max', 'mean', 'logSumExp'] as const;

export interface DisparityLossOptions {
  readonly metric: DisparityMetric;
  /** `signed`: gaps are added before the absolute value, an empty cell counts as 0, two groups only. */
  readonly form: 'absolute' | 'signed';
  /** What a cell's mean is taken of. */
  readonly surrogate: 'score' | 'logit';
  /** |x| becomes sqrt(x² + smoothing); 0 for a plain absolute value. */
  readonly smoothing: number;
  /** A term with a cell below this many members is dropped (form `absolute`), >= 1. */
  readonly cellMinimum: number;
  /** Over more than two groups: of |m(g, y) - m(all, y)|. */
  readonly reduction: (typeof GROUP_REDUCTIONS)[number];
}

/**
 * Soft, differentiable disparity of a batch. With m(g, y) the mean surrogate over members of group g with
 * label y:
 *
 *   demographicParity  |m(0) - m(1)|        equalOpportunity  |m(0,1) - m(1,1)|
 *   equalizedOdds      mean over y of |m(0,y) - m(1,y)|;  signed: 0.5 · |Σ_y m(0,y) - m(1,y)|
 *
 * Over several groupings it is the mean of theirs.
 *
 * A mean is a sum divided by a count, not a sum of 1/n: after a head reset all scores are equal, and only
 * so is the gap exactly 0, without a gradient made of rounding.
 *
 * @param truth  labels and groups [B]; `groupCount` >= 2
 * @returns the loss of logits [B], >= 0
 * @throws EmptyGroupError when no term has the support it needs (form `absolute`)
 * @see docs/method.md#disparity-loss
 */
export function prepareDisparityLoss(truth: Truth, options: DisparityLossOptions): BatchLoss {
  const lossOf = prepareSurrogateLoss(truth, options);
  return (logits) =>
    tf.tidy(() => {
      const surrogate = options.surrogate === 'score' ? tf.sigmoid(logits) : logits; // [B]
      return lossOf(surrogate) as tf.Scalar;
    });
}

/** surrogate [B] → scalar; call inside a tidy */
type SurrogateLoss = (surrogate: tf.Tensor1D) => tf.Tensor;

/** The same of surrogates [B], whatever they were made of. */
export function prepareSurrogateLoss(truth: Truth, options: DisparityLossOptions): SurrogateLoss {
  const [first, ...others] = truthsOf(truth).map((own) => prepareGrouping(own, options));
  if (others.length === 0) return first!;
  return (surrogate) => meanOf([first!, ...others].map((lossOf) => lossOf(surrogate)));
}

/** Of scalars, one at least. */
export function meanOf(scalars: readonly tf.Tensor[]): tf.Tensor {
  return tf.div(tf.addN([...scalars]), scalars.length);
}

function prepareGrouping(truth: Truth, options: DisparityLossOptions): SurrogateLoss {
  const pairs = cellPairsOf(truth, options);
  return options.form === 'signed' ? signedDisparity(pairs, options) : absoluteDisparity(pairs, options);
}

function absoluteDisparity(byLabel: CellPairs, options: DisparityLossOptions): SurrogateLoss {
  return (surrogate) => {
    const terms = byLabel.map((pairs) => {
      const gaps = pairs.map((pair) => smoothAbsolute(gapOf(surrogate, pair), options.smoothing));
      return reduceGaps(tf.stack(gaps) as tf.Tensor1D, options);
    });
    return tf.div(tf.addN(terms), terms.length);
  };
}

function signedDisparity(byLabel: CellPairs, { smoothing }: DisparityLossOptions): SurrogateLoss {
  return (surrogate) => {
    const gaps = byLabel.flat().map((pair) => gapOf(surrogate, pair));
    return smoothAbsolute(tf.div(tf.addN(gaps), gaps.length), smoothing);
  };
}

/** With smoothing 0 the gradient at 0 is 0, as PyTorch has it; that of tf.abs is -1 there. */
function smoothAbsolute(gap: tf.Tensor, smoothing: number): tf.Tensor {
  return smoothing === 0 ? tf.mul(gap, tf.sign(gap)) : tf.sqrt(tf.add(tf.square(gap), smoothing));
}

/** [M] → scalar */
function reduceGaps(gaps: tf.Tensor1D, { reduction }: DisparityLossOptions): tf.Tensor {
  if (gaps.shape[0] === 1) return tf.reshape(gaps, []);
  switch (reduction) {
    case 'max':
      return largestOf(gaps);
    case 'mean':
      return tf.mean(gaps);
    case 'logSumExp':
      return tf.logSumExp(gaps);
    default:
      return reduction satisfies never;
  }
}

/**
 * The largest, with a gradient that equal ones share, as PyTorch has it; that of tf.max goes whole to each of them.
 * Equal they are whenever two groups of one size are compared with all.
 */
function largestOf(gaps: tf.Tensor1D): tf.Tensor {
  const values = gaps.dataSync();
  const largest = Math.max(...values);
  const count = values.filter((value) => value === largest).length;
  const shares = Float32Array.from(values, (value) => (value === largest ? 1 / count : 0)); // [M]
  return tf.sum(tf.mul(gaps, shares));
}

export interface Truth extends BatchTruth {
  readonly groupCount: number;
  readonly groupings?: readonly Grouping[] | undefined;
  /** Of the one grouping that this is the truth of, to say in messages. */
  readonly name?: string;
}

/** The truth of each grouping alone; rows that it leaves out have the group -1. */
export function truthsOf({ groupings, ...truth }: Truth): Truth[] {
  if (groupings === undefined) return [truth];
  return groupings.map((grouping) => ({
    labels: truth.labels,
    groups: regroup(truth.groups, grouping),
    groupCount: grouping.groupNames.length,
    name: grouping.name,
  }));
}

/** The labels over which a metric conditions; null = both together. */
export const LABELS_OF = {
  demographicParity: [null],
  equalOpportunity: [1],
  equalizedOdds: [0, 1],
} as const satisfies Record<DisparityMetric, readonly (0 | 1 | null)[]>;

/** Members of a group (null = any) with a label (null = both). */
interface Cell {
  readonly group: number | null;
  readonly label: number | null;
}

/** `indicator` [B] is 1 at the members of a cell. */
export interface Members {
  readonly indicator: Float32Array;
  readonly count: number;
}

type CellPair = readonly [Members, Members];
type CellPairs = readonly (readonly CellPair[])[];

/**
 * The pairs of cells whose means are compared, one list per label: the two groups, or each of many against
 * all. Groups below the minimum are left out (form `absolute`), and with them a label that has fewer than two left.
 *
 * @throws EmptyGroupError when none is left
 */
export function cellPairsOf(truth: Truth, options: DisparityLossOptions): CellPairs {
  return options.form === 'signed' ? signedPairs(truth, options) : absolutePairs(truth, options);
}

function signedPairs(truth: Truth, { metric }: DisparityLossOptions): CellPair[][] {
  if (truth.groupCount !== 2) {
    throw new InvalidInputError(
      `disparity loss${nameOf(truth)}: the signed form is defined for 2 groups, received ${truth.groupCount}; use the preset "robust"`,
      { expected: 2, received: truth.groupCount },
    );
  }
  return LABELS_OF[metric].map((label) => [
    [membersOf(truth, { group: 0, label }), membersOf(truth, { group: 1, label })],
  ]);
}

function absolutePairs(truth: Truth, { metric, cellMinimum }: DisparityLossOptions): CellPair[][] {
  const byLabel = LABELS_OF[metric].flatMap((label): CellPair[][] => {
    const cells = Array.from({ length: truth.groupCount }, (_, group) => membersOf(truth, { group, label }));
    const usable = cells.filter(({ count }) => count >= cellMinimum);
    if (usable.length < 2) return [];
    if (truth.groupCount === 2) return [[[usable[0]!, usable[1]!]]];
    const everyone = membersOf(truth, { group: null, label });
    return [usable.map((cell) => [cell, everyone] as const)];
  });
  if (byLabel.length > 0) return byLabel;
  throw new EmptyGroupError(
    `disparity loss (${metric})${nameOf(truth)}: no two groups with ${cellMinimum} members of one label in a batch of ${truth.labels.length}`,
    { metric, expected: cellMinimum },
  );
}

function nameOf({ name }: Truth): string {
  return name === undefined ? '' : ` by ${name}`;
}

/** Difference of the cells' means; the mean of an empty cell counts as 0. */
export function gapOf(surrogate: tf.Tensor1D, [first, second]: CellPair): tf.Tensor {
  return tf.sub(cellMean(surrogate, first), cellMean(surrogate, second));
}

/** That of an empty cell counts as 0. */
export function cellMean(surrogate: tf.Tensor1D, { indicator, count }: Members): tf.Tensor {
  return tf.div(tf.sum(tf.mul(surrogate, tf.tensor1d(indicator))), Math.max(count, 1));
}

export function membersOf({ labels, groups }: BatchTruth, { group, label }: Cell): Members {
  const indicator = Float32Array.from(labels, (_, place) =>
    (group === null ? groups[place]! >= 0 : groups[place] === group) &&
    (label === null || labels[place] === label)
      ? 1
      : 0,
  );
  return { indicator, count: indicator.reduce((sum, entry) => sum + entry, 0) };
}
