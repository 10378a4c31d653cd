import * as tf from '@tensorflow/tfjs-core';
import type { Classifier, ForwardMode, Parameter } from '../../core/model/classifier.ts';
import { INFERENCE, weightsOf } from '../../core/model/classifier.ts';
import type { Random } from '../random.ts';
import type { Batch } from '../training/batch.ts';
import type { Tensors } from '../training/gradients.ts';
import type { EpochLosses, LoopOptions, Training } from '../training/loop.ts';
import { startTraining } from '../training/loop.ts';
import type { Optimizer } from '../training/optimizers.ts';
import { adam, sgd } from '../training/optimizers.ts';
import type { Mask } from './mask.ts';
import type { Objective } from './objective.ts';
import { batchLoss } from './objective.ts';
import type { BodyOptions } from './options.ts';

/** What both stages need: the model, the data, and the loop's hooks. */
export interface StageInput
  extends Pick<LoopOptions, 'set' | 'batchesOf' | 'onEpoch' | 'onBatch' | 'signal'> {
  readonly model: Classifier;
  readonly mask: Mask;
  readonly objective: Objective;
  readonly random: Random;
}

export interface TuneBodyInput extends StageInput {
  readonly options: BodyOptions;
  readonly settings: { readonly learningRate: number; readonly disparityWeight: number };
}

/**
 * Stage 1: moves the masked weights of the body to lower the disparity loss.
 *
 * Without weight decay a weight outside the mask is bit-identical afterwards. With decay (as released) it
 * drifts by about learning rate · decay a step, since the decay comes after the mask.
 *
 * @returns the training, at rest before its first epoch
 * @see docs/method.md#stage-1
 */
export function startTuning(input: TuneBodyInput): Training {
  const { model, options, settings, random } = input;
  const parameters = movingParameters(input);
  const masks: Tensors = Object.fromEntries(
    parameters.map(({ name, shape }) => [name, tf.tensor(input.mask.values.get(name)!, [...shape])]),
  );
  const weights = { taskWeight: options.taskWeight, disparityWeight: settings.disparityWeight };
  const loss = batchLoss(model, { objective: input.objective, weights, mode: forwardMode(options, random) });
  const training = startTraining({
    ...input,
    parameters,
    optimizer: bodyOptimizer(masks, options, settings.learningRate),
    lossOf: options.augment ? augmented(loss, model, random) : loss,
  });
  const dispose = () => {
    training.dispose();
    tf.dispose(Object.values(masks));
  };
  return { ...training, dispose };
}

/**
 * Stage 1 in one go.
 *
 * @returns the losses of each batch
 */
export async function tuneBody(input: TuneBodyInput): Promise<EpochLosses[]> {
  const training = startTuning(input);
  try {
    return await training.run(input.options.epochs);
  } finally {
    training.dispose();
  }
}

/** Weights with nothing in the mask stay out of the gradient, unless weight decay moves them anyway. */
function movingParameters({ model, mask, options }: TuneBodyInput): Parameter[] {
  const all = weightsOf(model);
  if (options.weightDecay > 0) return all;
  return all.filter(({ name }) => mask.values.get(name)!.some((entry) => entry !== 0));
}

function bodyOptimizer(masks: Tensors, options: BodyOptions, learningRate: number): Optimizer {
  const { optimizer, momentum, weightDecay, maskActsOn } = options;
  const shared = { learningRate, decay: weightDecay, masks, maskActsOn };
  return optimizer === 'adam' ? adam(shared) : sgd({ ...shared, momentum });
}

/** Training mode when normalisation statistics are to move; dropout is then on, with seeds of its own. */
export function forwardMode(options: { readonly normalizationMoves: boolean }, random: Random): ForwardMode {
  if (!options.normalizationMoves) return INFERENCE;
  const seeds = random.fork('dropout');
  return { training: true, nextSeed: () => 1 + seeds.integer(2 ** 31 - 2) };
}

/** Flips each batch of images along width and along height, each with chance one half. */
export function augmented<Result>(
  loss: (batch: Batch) => Result,
  { mirrorAxes }: Pick<Classifier, 'mirrorAxes'>,
  random: Random,
): (batch: Batch) => Result {
  const flips = random.fork('flips');
  return (batch) => {
    const axes = mirrorAxes.filter(() => flips.next() < 0.5);
    return loss({ ...batch, inputs: axes.length > 0 ? tf.reverse(batch.inputs, axes) : batch.inputs });
  };
}
