import * as tf from '@tensorflow/tfjs-core';
import { InvalidInputError } from '../../core/errors.ts';
import type { Classifier, ForwardMode } from '../../core/model/classifier.ts';
import { INFERENCE } from '../../core/model/classifier.ts';
import type { Batch, BatchTruth, Grouping, TrainingSet } from '../training/batch.ts';
import type { LossTerms } from '../training/gradients.ts';
import {
  countClassLabels,
  labelWeightsOf,
  prepareClassDisparityLoss,
  prepareClassTaskLoss,
} from './class-losses.ts';
import type { BatchLoss, ClassWeights } from './losses.ts';
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
  /** Number of classes, three at least; absent where labels are 0 or 1. */
  readonly classes?: number | undefined;
  readonly metric: MitigationOptions['metric'];
  readonly disparity: MitigationOptions['disparity'];
  readonly classWeights: ClassWeights;
}

/**
 * @param set  the set whose class counts weigh the task loss under 'whole-set'
 * @throws InvalidInputError when there are more than two classes, and the disparity is defined for two
 */
export function makeObjective(options: MitigationOptions, set: TrainingSet): Objective {
  const { form, surrogate } = options.disparity;
  if (set.classNames && (form === 'signed' || surrogate === 'logit')) {
    throw new InvalidInputError(
      `${set.classNames.length} classes: expected a disparity of the form "absolute" on scores, as the preset "robust" has it, received "${form}" on ${surrogate}s`,
      { form, surrogate },
    );
  }
  return {
    groupCount: set.groupNames.length,
    groupings: set.groupings,
    classes: set.classNames?.length,
    metric: options.metric,
    disparity: options.disparity,
    classWeights: options.classWeights === 'batch' ? 'batch' : countLabels(set),
  };
}

/** The objective with its disparity loss on another surrogate. */
export function onSurrogate(objective: Objective, surrogate: Surrogate): Objective {
  return { ...objective, disparity: { ...objective.disparity, surrogate } };
}

function countLabels({ rows, labels, classNames }: TrainingSet): Exclude<ClassWeights, 'batch'> {
  const own = rows.map((row) => labels[row]!);
  return classNames ? countClassLabels(own, classNames.length) : countClasses(own);
}

/** Both losses of the logits [B], or [B · K] of K classes, and their weighted sum; call inside a tidy. */
export function lossTerms(
  logits: tf.Tensor1D,
  truth: BatchTruth,
  { objective, weights }: { objective: Objective; weights: LossWeights },
): LossTerms {
  const { task, disparity } = objective.classes
    ? prepareForClasses(truth, objective, objective.classes)
    : prepareForOne(truth, objective);
  const [taskLoss, disparityLoss] = [task(logits), disparity(logits)];
  const loss = tf.add(tf.mul(taskLoss, weights.taskWeight), tf.mul(disparityLoss, weights.disparityWeight));
  return { loss: loss as tf.Scalar, taskLoss, disparityLoss };
}

interface Prepared {
  readonly task: BatchLoss;
  readonly disparity: BatchLoss;
}

function prepareForOne(truth: BatchTruth, objective: Objective): Prepared {
  const { groupCount, groupings, metric, disparity } = objective;
  return {
    task: prepareTaskLoss(truth, objective.classWeights),
    disparity: prepareDisparityLoss({ ...truth, groupCount, groupings }, { metric, ...disparity }),
  };
}

function prepareForClasses(truth: BatchTruth, objective: Objective, classes: number): Prepared {
  const { groupCount, groupings, metric, disparity } = objective;
  const weights = labelWeightsOf(objective.classWeights);
  return {
    task: prepareClassTaskLoss(truth.labels, { classes, weights }),
    disparity: prepareClassDisparityLoss(
      { ...truth, groupCount, groupings },
      { classes, metric, ...disparity },
    ),
  };
}

/** The loss of a batch through the whole model, as the loop and the importance ask for it. */
export function batchLoss(
  model: Classifier,
  about: { objective: Objective; weights: LossWeights; mode?: ForwardMode },
): (batch: Batch) => LossTerms {
  return (batch) => lossTerms(model.logits(batch.inputs, about.mode ?? INFERENCE), batch, about);
}
