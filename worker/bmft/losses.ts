import * as tf from '@tensorflow/tfjs-core';
import { EmptyGroupError, InvalidInputError } from '../../core/errors.ts';
import type { BatchTruth } from '../training/batch.ts';

export interface ClassCounts {
  readonly positives: number;
  readonly negatives: number;
}

/** Class weights come from the batch itself, or from the whole set so that the scale does not move. */
export type ClassWeights = 'batch' | ClassCounts;

/**
 * Class-balanced cross entropy.
 *
 *   L = (n+ n- / n²) · (mean NLL over positives + mean NLL over negatives)
 *
 * With fixed counts N+, N- of the whole set, a sample weighs N- / (N B) if positive and N+ / (N B) if
 * negative, whose sum over the set is the same L. A one-class batch gives 0 under 'batch'.
 *
 * @param logits  [B]
 * @returns scalar >= 0; the caller disposes
 * @see docs/method.md#task-loss
 */
export function taskLoss(logits: tf.Tensor1D, { labels }: BatchTruth, weights: ClassWeights): tf.Scalar {
  const size = labels.length;
  const { positives, negatives } = weights === 'batch' ? countClasses(labels) : weights;
  const scale = weights === 'batch' ? 1 / size ** 2 : 1 / ((positives + negatives) * size);
  return tf.tidy(() => {
    const sampleWeights = tf.tensor1d(
      Float32Array.from(labels, (label) => (label ? negatives : positives) * scale),
    );
    const truth = tf.tensor1d(Float32Array.from(labels));
    // -log p = softplus(z) - z and -log(1 - p) = softplus(z): no log of a rounded p
    const negativeLogLikelihood = tf.sub(tf.softplus(logits), tf.mul(logits, truth)); // [B]
    return tf.sum(tf.mul(sampleWeights, negativeLogLikelihood)) as tf.Scalar;
  });
}

export function countClasses(labels: ArrayLike<number>): ClassCounts {
  const positives = Array.from(labels).reduce((sum, label) => sum + label, 0);
  return { positives, negatives: labels.length - positives };
}

export const DISPARITY_METRICS = ['demographicParity', 'equalOpportunity', 'equalizedOdds'] as const;
export type DisparityMetric = (typeof DISPARITY_METRICS)[number];

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
 * Each gap is a fixed contrast c with entries ±1/n, so that gap = s · c and the gradient is exact.
 *
 * @param logits  [B]
 * @param groupCount  number of groups of the feature, >= 2
 * @returns scalar >= 0; the caller disposes
 * @throws EmptyGroupError when no term has the support it needs (form `absolute`)
 * @see docs/method.md#disparity-loss
 */
export function disparityLoss(
  logits: tf.Tensor1D,
  truth: BatchTruth & { readonly groupCount: number },
  options: DisparityLossOptions,
): tf.Scalar {
  const terms =
    options.form === 'signed' ? [[signedContrast(truth, options)]] : absoluteTerms(truth, options);
  return tf.tidy(() => {
    const surrogate = options.surrogate === 'score' ? tf.sigmoid(logits) : logits; // [B]
    const values = terms.map((contrasts) => {
      const gaps = contrasts.map((contrast) => tf.sum(tf.mul(surrogate, tf.tensor1d(contrast))));
      return reduceGaps(
        tf.stack(gaps.map((gap) => smoothAbsolute(gap, options.smoothing))) as tf.Tensor1D,
        options,
      );
    });
    return tf.div(tf.addN(values), values.length) as tf.Scalar;
  });
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
      return tf.max(gaps);
    case 'mean':
      return tf.mean(gaps);
    case 'logSumExp':
      return tf.logSumExp(gaps);
    default:
      return reduction satisfies never;
  }
}

/** The labels over which a metric conditions; null = both together. */
const LABELS_OF = {
  demographicParity: [null],
  equalOpportunity: [1],
  equalizedOdds: [0, 1],
} as const satisfies Record<DisparityMetric, readonly (0 | 1 | null)[]>;

type Truth = BatchTruth & { readonly groupCount: number };

function absoluteTerms(truth: Truth, options: DisparityLossOptions): Float32Array[][] {
  const terms = LABELS_OF[options.metric].flatMap((label) => {
    const counts = Array.from({ length: truth.groupCount }, (_, group) => countCell(truth, group, label));
    const usable = counts.flatMap((count, group) => (count >= options.cellMinimum ? [group] : []));
    if (usable.length < 2) return [];
    const contrasts =
      truth.groupCount === 2
        ? [subtract(cellMean(truth, 0, label), cellMean(truth, 1, label))]
        : usable.map((group) => subtract(cellMean(truth, group, label), cellMean(truth, null, label)));
    return [contrasts];
  });
  if (terms.length > 0) return terms;
  throw new EmptyGroupError(
    `disparity loss (${options.metric}): no two groups with ${options.cellMinimum} members of one label in a batch of ${truth.labels.length}`,
    { metric: options.metric, expected: options.cellMinimum },
  );
}

function signedContrast(truth: Truth, { metric }: DisparityLossOptions): Float32Array {
  if (truth.groupCount !== 2) {
    throw new InvalidInputError(
      `disparity loss: the signed form is defined for 2 groups, received ${truth.groupCount}; use the preset "robust"`,
      { expected: 2, received: truth.groupCount },
    );
  }
  const labels = LABELS_OF[metric];
  const sum = new Float32Array(truth.labels.length);
  for (const label of labels) {
    const gap = subtract(cellMean(truth, 0, label), cellMean(truth, 1, label));
    gap.forEach((weight, place) => {
      sum[place]! += weight / labels.length;
    });
  }
  return sum;
}

function isMember(
  { labels, groups }: Truth,
  place: number,
  cell: { group: number | null; label: 0 | 1 | null },
) {
  const inGroup = cell.group === null || groups[place] === cell.group;
  return inGroup && (cell.label === null || labels[place] === cell.label);
}

function countCell(truth: Truth, group: number | null, label: 0 | 1 | null): number {
  let count = 0;
  for (let place = 0; place < truth.labels.length; place += 1)
    count += isMember(truth, place, { group, label }) ? 1 : 0;
  return count;
}

/** [B] with 1/n at the members of the cell: s · w is the cell's mean. All zero when the cell is empty. */
function cellMean(truth: Truth, group: number | null, label: 0 | 1 | null): Float32Array {
  const count = countCell(truth, group, label);
  return Float32Array.from({ length: truth.labels.length }, (_, place) =>
    isMember(truth, place, { group, label }) ? 1 / count : 0,
  );
}

function subtract(a: Float32Array, b: Float32Array): Float32Array {
  return a.map((value, place) => value - b[place]!);
}
