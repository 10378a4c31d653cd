import * as tf from '@tensorflow/tfjs-core';
import type { Classifier, ForwardMode } from '../../core/model/classifier.ts';
import { INFERENCE } from '../../core/model/classifier.ts';
import type { Batch, BatchTruth, Grouping, TrainingSet } from '../training/batch.ts';
import type { LossTerms } from '../training/gradients.ts';
import type { ClassWeights } from './losses.ts';
import { countClasses, prepareDisparityLoss, prepareTaskLoss } from './losses.ts';
import type { MitigationOptions, Surrogate } from './options.ts';

/** loss = taskWeight · task + disparityWeight · disparity */
export interface LossWeights {
  readonly taskWeight: number;
  readonly disparityWeight: number;
}

/** How logits become the two losses, fixed for a run. */
export interface Objective {
  readonly groupCount: number;
  /** Each has a disparity of its own, and theirs is the mean; absent: that of the groups themselves. */
  readonly groupings?: readonly Grouping[] | undefined;
  readonly metric: MitigationOptions['metric'];
  readonly disparity: MitigationOptions['disparity'];
  readonly classWeights: ClassWeights;
}

/** @param set  the set whose class counts weigh the task loss under 'whole-set' */
export function makeObjective(options: MitigationOptions, set: TrainingSet): Objective {
  return {
    groupCount: set.groupNames.length,
    groupings: set.groupings,
    metric: options.metric,
    disparity: options.disparity,
    classWeights:
      options.classWeights === 'batch' ? 'batch' : countClasses(set.rows.map((row) => set.labels[row]!)),
  };
}

/** The objective with its disparity loss on another surrogate. */
export function onSurrogate(objective: Objective, surrogate: Surrogate): Objective {
  return { ...objective, disparity: { ...objective.disparity, surrogate } };
}

/** Both losses of the logits [B] and their weighted sum; call inside a tidy. */
export function lossTerms(
  logits: tf.Tensor1D,
  truth: BatchTruth,
  { objective, weights }: { objective: Objective; weights: LossWeights },
): LossTerms {
  const taskLoss = prepareTaskLoss(truth, objective.classWeights)(logits);
  const disparityLoss = prepareDisparityLoss(
    { ...truth, groupCount: objective.groupCount, groupings: objective.groupings },
    { metric: objective.metric, ...objective.disparity },
  )(logits);
  const loss = tf.add(tf.mul(taskLoss, weights.taskWeight), tf.mul(disparityLoss, weights.disparityWeight));
  return { loss: loss as tf.Scalar, taskLoss, disparityLoss };
}

/** The loss of a batch through the whole model, as the loop and the importance ask for it. */
export function batchLoss(
  model: Classifier,
  about: { objective: Objective; weights: LossWeights; mode?: ForwardMode },
): (batch: Batch) => LossTerms {
  return (batch) => lossTerms(model.logits(batch.inputs, about.mode ?? INFERENCE), batch, about);
}
