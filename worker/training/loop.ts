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
  readonly epochs: number;
  /** Rows of each batch of an epoch (from 0), in order. */
  readonly batchesOf: (epoch: number) => readonly (readonly number[])[];
  readonly lossOf: (batch: Batch) => LossTerms;
  /** Called after each epoch (from 0); may read the model, which is at rest. */
  readonly onEpoch?: ((epoch: number, losses: EpochLosses) => void | Promise<void>) | undefined;
  /** Called after each batch. */
  readonly onBatch?: (() => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * The only epoch loop: gradients of a loss, a step of an optimizer, weights replaced by those after it.
 * A weight whose update is 0 keeps its bits. Without parameters there is nothing to train, and no epoch runs.
 *
 * @returns the losses of each batch, epoch after epoch
 * @throws NonFiniteError when a loss or a gradient is NaN or infinite
 */
export async function trainEpochs(options: LoopOptions): Promise<EpochLosses[]> {
  const { set, epochs, batchesOf, onEpoch, onBatch, signal } = options;
  if (options.parameters.length === 0) return []; // an empty mask, or a model whose head reads the input
  const weights = weightsOf(options.parameters);
  const batchLosses: EpochLosses[] = [];
  let state = keepAll(tf.tidy(() => options.optimizer.init(weights)));
  try {
    for (let epoch = 0; epoch < epochs; epoch += 1) {
      const losses: EpochLosses[] = [];
      for (const rows of batchesOf(epoch)) {
        if (signal?.aborted) throw new InterruptedError('training was stopped');
        const batch = await loadBatch(set, rows);
        try {
          const step = takeStep({ options, batch, weights, state });
          disposeAll(state);
          state = step.state;
          losses.push(step.losses);
        } finally {
          batch.inputs.dispose();
        }
        onBatch?.();
      }
      batchLosses.push(...losses);
      await onEpoch?.(epoch, meanLosses(losses));
    }
  } finally {
    disposeAll(state);
  }
  return batchLosses;
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
