import * as tf from '@tensorflow/tfjs-core';
import { InterruptedError } from '../../core/errors.ts';
import type { Parameter } from '../../core/model/classifier.ts';
import type { Batch, TrainingSet } from './batch.ts';
import { loadBatch } from './batch.ts';
import type { LossTerms, LossValues, Tensors } from './gradients.ts';
import { gradientsOf } from './gradients.ts';
import type { Optimizer } from './optimizers.ts';

/** Means over the batches of an epoch. */
export type EpochLosses = LossValues;

export interface LoopOptions {
  readonly set: TrainingSet;
  /** The weights that may move. */
  readonly parameters: readonly Parameter[];
  readonly optimizer: Optimizer;
  /** Rows of each batch of an epoch (from 0), in order. */
  readonly batchesOf: (epoch: number) => readonly (readonly number[])[];
  readonly lossOf: (batch: Batch) => LossTerms;
  /** Called after each epoch (from 0); may read the model, which is at rest. */
  readonly onEpoch?: ((epoch: number, losses: EpochLosses) => void | Promise<void>) | undefined;
  /** Called after each batch. */
  readonly onBatch?: (() => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Training that rests between epochs: whoever moves the weights meanwhile puts them back before it goes on. */
export interface Training {
  /**
   * Goes on for some epochs, bit for bit as if it had never rested.
   *
   * @returns the losses of each batch, epoch after epoch
   * @throws NonFiniteError when a loss or a gradient is NaN or infinite
   */
  run(epochs: number): Promise<EpochLosses[]>;
  /** Lets go of the optimizer's state. */
  dispose(): void;
}

/**
 * The only epoch loop: gradients of a loss, a step of an optimizer, weights replaced by those after it.
 * A weight whose update is 0 keeps its bits. Without parameters there is nothing to train, and no epoch runs.
 */
export function startTraining(options: LoopOptions): Training {
  const { set, batchesOf, onEpoch, onBatch, signal } = options;
  const weights = weightsOf(options.parameters);
  let state = keepAll(tf.tidy(() => options.optimizer.init(weights)));
  let epoch = 0;
  const step = async (rows: readonly number[]): Promise<EpochLosses> => {
    if (signal?.aborted) throw new InterruptedError('training was stopped');
    const batch = await loadBatch(set, rows);
    try {
      const stepped = takeStep({ options, batch, weights, state });
      disposeAll(state);
      state = stepped.state;
      return stepped.losses;
    } finally {
      batch.inputs.dispose();
    }
  };
  return {
    async run(epochs) {
      if (options.parameters.length === 0) return []; // an empty mask, or a model whose head reads the input
      const batchLosses: EpochLosses[] = [];
      for (const last = epoch + epochs; epoch < last; epoch += 1) {
        const losses: EpochLosses[] = [];
        for (const rows of batchesOf(epoch)) {
          losses.push(await step(rows));
          onBatch?.();
        }
        batchLosses.push(...losses);
        await onEpoch?.(epoch, meanLosses(losses));
      }
      return batchLosses;
    },
    dispose: () => disposeAll(state),
  };
}

/** Trains without a rest; as `Training` otherwise. */
export async function trainEpochs(
  options: LoopOptions & { readonly epochs: number },
): Promise<EpochLosses[]> {
  const training = startTraining(options);
  try {
    return await training.run(options.epochs);
  } finally {
    training.dispose();
  }
}

interface StepInput {
  readonly options: LoopOptions;
  readonly batch: Batch;
  readonly weights: Readonly<Record<string, tf.Variable>>;
  readonly state: Tensors;
}

function takeStep({ options, batch, weights, state }: StepInput): { state: Tensors; losses: EpochLosses } {
  let losses: EpochLosses | undefined;
  const next = tf.tidy(() => {
    const measured = gradientsOf(options.parameters, () => options.lossOf(batch));
    losses = measured.losses;
    const step = options.optimizer.step({ weights, gradients: measured.gradients, state });
    for (const [name, weight] of Object.entries(step.weights)) weights[name]!.assign(weight);
    return step.state;
  });
  return { state: keepAll(next), losses: losses! };
}

export function meanLosses(losses: readonly EpochLosses[]): EpochLosses {
  const mean = (pick: (loss: EpochLosses) => number) =>
    losses.reduce((sum, loss) => sum + pick(loss), 0) / losses.length;
  return {
    loss: mean((loss) => loss.loss),
    taskLoss: mean((loss) => loss.taskLoss),
    disparityLoss: mean((loss) => loss.disparityLoss),
  };
}

function weightsOf(parameters: readonly Parameter[]): Record<string, tf.Variable> {
  return Object.fromEntries(parameters.map(({ name, variable }) => [name, variable]));
}

function keepAll(tensors: Tensors): Tensors {
  for (const tensor of Object.values(tensors)) tf.keep(tensor);
  return tensors;
}

function disposeAll(tensors: Tensors): void {
  tf.dispose(Object.values(tensors));
}
