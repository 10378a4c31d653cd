import * as tf from '@tensorflow/tfjs-core';
import { EmptyGroupError } from '../../core/errors.ts';
import type { BatchLoss, ClassWeights, DisparityLossOptions, Truth } from './losses.ts';
import { meanOf, prepareSurrogateLoss, truthsOf } from './losses.ts';

/** How many labels a set has of each class; or a batch's own. */
export type LabelWeights = 'batch' | readonly number[];

/**
 * What each sample counts in the task loss of K classes [B]. With n_k samples of class k among the B of a batch
 *
 *   1 / (K' n_k)  over the K' classes that the batch has,  or  N / (K N_k B)  with the counts N_k of a whole set of N
 *
 * so that every class weighs the same, however rare it is.
 */
export function classSampleWeights(labels: Int32Array, weights: LabelWeights): Float32Array {
  const counts = weights === 'batch' ? countLabels(labels) : weights;
  const present = counts.filter((count) => count > 0).length;
  const total = weights === 'batch' ? 1 : counts.reduce((sum, count) => sum + count, 0) / labels.length;
  return Float32Array.from(labels, (label) => total / (present * counts[label]!));
}

/** @returns counts up to the highest label */
function countLabels(labels: Int32Array): number[] {
  const counts: number[] = [];
  for (const label of labels) counts[label] = (counts[label] ?? 0) + 1;
  return Array.from(counts, (count) => count ?? 0);
}

/** How many of each of `classes` classes there are. */
export function countClassLabels(labels: ArrayLike<number>, classes: number): number[] {
  return Array.from(
    { length: classes },
    (_, label) => Array.from(labels).filter((each) => each === label).length,
  );
}

/** Log-probabilities [B, K] of logits [B · K]. */
function logSoftmaxOf(logits: tf.Tensor1D, classes: number): tf.Tensor2D {
  const rows = tf.reshape(logits, [-1, classes]); // [B, K]
  return tf.sub(rows, tf.logSumExp(rows, 1, true));
}

/**
 * Class-balanced cross entropy of K classes under one softmax.
 *
 * @returns the loss of logits [B · K], sample by sample, >= 0
 * @see docs/method.md#classes
 */
export function prepareClassTaskLoss(
  labels: Int32Array,
  { classes, weights }: { readonly classes: number; readonly weights: LabelWeights },
): BatchLoss {
  const sampleWeights = classSampleWeights(labels, weights);
  const picks = new Float32Array(labels.length * classes); // [B · K], a row's weight at its class
  for (const [row, label] of labels.entries()) picks[row * classes + label] = sampleWeights[row]!;
  return (logits) =>
    tf.tidy(() => {
      const picked = tf.mul(logSoftmaxOf(logits, classes), tf.tensor2d(picks, [labels.length, classes]));
      return tf.neg(tf.sum(picked)) as tf.Scalar;
    });
}

/** The truth of one class against the rest. */
interface ClassTruth {
  readonly label: number;
  readonly truth: Truth;
}

/**
 * The losses of one class against the rest, grouping by grouping: a class is left out of a grouping in which no two
 * groups can be compared.
 *
 * @throws EmptyGroupError when a grouping has no class left
 */
export function eachClass<Loss>(
  truth: Truth,
  classes: number,
  prepare: (truth: Truth) => Loss,
): { readonly label: number; readonly loss: Loss }[][] {
  return truthsOf(truth).map((own) => {
    const problems: EmptyGroupError[] = [];
    const losses = Array.from({ length: classes }, (_, label) => againstRest(own, label)).flatMap(
      ({ label, truth: binary }) => {
        try {
          return [{ label, loss: prepare(binary) }];
        } catch (error) {
          if (!(error instanceof EmptyGroupError)) throw error;
          problems.push(error);
          return [];
        }
      },
    );
    if (losses.length === 0) throw problems[0]!;
    return losses;
  });
}

function againstRest(truth: Truth, label: number): ClassTruth {
  return { label, truth: { ...truth, labels: truth.labels.map((own) => (own === label ? 1 : 0)) } };
}

/**
 * Disparity of K classes: the mean over classes of that of one class against the rest, on its softmax probability.
 *
 * @returns the loss of logits [B · K], sample by sample, >= 0
 * @throws EmptyGroupError when a grouping has no class with two groups to compare
 */
export function prepareClassDisparityLoss(
  truth: Truth,
  { classes, ...options }: DisparityLossOptions & { readonly classes: number },
): BatchLoss {
  const groupings = eachClass(truth, classes, (binary) => prepareSurrogateLoss(binary, options));
  return (logits) =>
    tf.tidy(() => {
      const scores = tf.exp(logSoftmaxOf(logits, classes)); // [B, K]
      const columns = tf.unstack(scores, 1) as tf.Tensor1D[]; // K · [B]
      const byGrouping = groupings.map((each) =>
        meanOf(each.map(({ label, loss }) => loss(columns[label]!))),
      );
      return meanOf(byGrouping) as tf.Scalar;
    });
}

/** The counts of classes among the weights of an objective. */
export function labelWeightsOf(weights: ClassWeights): LabelWeights {
  if (weights === 'batch' || isCounts(weights)) return weights;
  throw new TypeError('an objective of classes has a count of each');
}

function isCounts(weights: ClassWeights): weights is readonly number[] {
  return Array.isArray(weights);
}
