import type { BatchTruth } from '../training/batch.ts';
import { classSampleWeights, eachClass, labelWeightsOf } from './class-losses.ts';
import type { LogitLosses, SurrogateLosses } from './logit-losses.ts';
import { prepareGroupingLoss } from './logit-losses.ts';
import type { LossWeights, Objective } from './objective.ts';

/**
 * The losses of class-losses.ts with their gradients by the logits, in float64 and in closed form. With scores p, weights
 * w and the disparity D(p) of a sample's row
 *
 *   ∂task/∂z_j = w (p_j − [j = y])        ∂D/∂z_j = p_j (∂D/∂p_j − Σ_k p_k ∂D/∂p_k)
 *
 * @returns the losses of logits [N · K], sample by sample
 * @throws EmptyGroupError when a grouping has no class with two groups to compare
 */
export function prepareClassLogitLosses(
  truth: BatchTruth,
  { objective, weights }: { readonly objective: Objective; readonly weights: LossWeights },
): (logits: Float64Array) => LogitLosses {
  const { classes = 1, groupCount, groupings, metric, disparity } = objective;
  const { labels } = truth;
  const sampleWeights = classSampleWeights(labels, labelWeightsOf(objective.classWeights));
  const byGrouping = eachClass({ ...truth, groupCount, groupings }, classes, (binary) =>
    prepareGroupingLoss(binary, { metric, ...disparity }),
  );
  return (logits) => {
    const scores = softmaxOf(logits, classes);
    const { value: disparityLoss, slopes } = disparityOf(scores, { classes, byGrouping });
    const gradient = new Float64Array(logits.length);
    let taskLoss = 0;
    for (let row = 0; row < labels.length; row += 1) {
      const start = row * classes;
      const label = labels[row]!;
      const weight = sampleWeights[row]!;
      taskLoss -= weight * logScore(logits, { start, classes, label });
      let mean = 0;
      for (let k = start; k < start + classes; k += 1) mean += scores[k]! * slopes[k]!;
      for (let k = start; k < start + classes; k += 1) {
        const task = weight * (scores[k]! - (k - start === label ? 1 : 0));
        gradient[k] = weights.taskWeight * task + weights.disparityWeight * scores[k]! * (slopes[k]! - mean);
      }
    }
    const loss = weights.taskWeight * taskLoss + weights.disparityWeight * disparityLoss;
    return { loss, taskLoss, disparityLoss, gradient };
  };
}

/** Scores [N · K]; the largest logit of a row is taken off before the exponential. */
export function softmaxOf(logits: Float64Array | Float32Array, classes: number): Float64Array {
  const scores = new Float64Array(logits.length);
  for (let start = 0; start < logits.length; start += classes) {
    const largest = largestOf(logits, start, classes);
    let total = 0;
    for (let k = start; k < start + classes; k += 1) {
      scores[k] = Math.exp(logits[k]! - largest);
      total += scores[k]!;
    }
    for (let k = start; k < start + classes; k += 1) scores[k]! /= total;
  }
  return scores;
}

function largestOf(logits: Float64Array | Float32Array, start: number, classes: number): number {
  let largest = logits[start]!;
  for (let k = start + 1; k < start + classes; k += 1) largest = Math.max(largest, logits[k]!);
  return largest;
}

function logScore(
  logits: Float64Array,
  { start, classes, label }: { readonly start: number; readonly classes: number; readonly label: number },
): number {
  const largest = largestOf(logits, start, classes);
  let total = 0;
  for (let k = start; k < start + classes; k += 1) total += Math.exp(logits[k]! - largest);
  return logits[start + label]! - largest - Math.log(total);
}

interface Prepared {
  readonly classes: number;
  readonly byGrouping: readonly (readonly { readonly label: number; readonly loss: SurrogateLosses }[])[];
}

/** Mean over groupings of the mean over classes, with its slopes by the scores [N · K]. */
function disparityOf(scores: Float64Array, { classes, byGrouping }: Prepared) {
  const columns = Array.from({ length: classes }, (_, label) => columnOf(scores, label, classes));
  const slopes = new Float64Array(scores.length);
  let value = 0;
  for (const each of byGrouping) {
    const share = 1 / (each.length * byGrouping.length);
    for (const { label, loss } of each) {
      const own = loss(columns[label]!);
      value += share * own.value;
      for (let row = 0; row < own.gradient.length; row += 1) {
        slopes[row * classes + label]! += share * own.gradient[row]!;
      }
    }
  }
  return { value, slopes };
}

/** [N] scores of one class */
function columnOf(scores: Float64Array, label: number, classes: number): Float64Array {
  const column = new Float64Array(scores.length / classes);
  for (let row = 0; row < column.length; row += 1) column[row] = scores[row * classes + label]!;
  return column;
}
