import * as tf from '@tensorflow/tfjs-core';
import { InterruptedError, NonFiniteError } from '../../core/errors.ts';
import type { Parameter } from '../../core/model/classifier.ts';
import type { Batch, TrainingSet } from './batch.ts';
import { loadBatch } from './batch.ts';
import type { GradientTransform, Tensors } from './transforms.ts';

/** A loss with its two terms, all scalars; the loop owns them. */
export interface LossTerms {
  readonly loss: tf.Scalar;
  readonly taskLoss: tf.Scalar;
  readonly disparityLoss: tf.Scalar;
}

/** Means over the batches of an epoch. */
export interface EpochLosses {
  readonly loss: number;
  readonly taskLoss: number;
  readonly disparityLoss: number;
}

export interface LoopOptions {
  readonly set: TrainingSet;
  /** The weights that may move. */
  readonly parameters: readonly Parameter[];
  readonly transform: GradientTransform;
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
 * The only epoch loop: gradients of a loss, a transform, weights moved by the updates.
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
  let state = keepAll(tf.tidy(() => options.transform.init(weights)));
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
    const step = options.transform.update(measured.gradients, state, weights);
    for (const [name, update] of Object.entries(step.updates)) {
      const weight = weights[name]!;
      // where: -0 + 0 is +0, so adding a zero update would change a bit of a weight that must not move
      weight.assign(tf.where(tf.notEqual(update, 0), tf.add(weight, update), weight));
    }
    return step.state;
  });
  return { state: keepAll(next), losses: losses! };
}

/**
 * Losses and gradients in one pass. Weights that the loss does not depend on get a zero gradient.
 *
 * @returns gradients by parameter name; the caller disposes them (or calls inside a tidy)
 * @throws NonFiniteError when a loss is NaN or infinite, or a gradient is (`details.weight`)
 */
export function gradientsOf(
  parameters: readonly Parameter[],
  lossOf: () => LossTerms,
): { gradients: Tensors; losses: EpochLosses } {
  const terms: LossTerms[] = [];
  const variables = parameters.map(({ variable }) => variable);
  const { value, grads } = tf.variableGrads(() => {
    const result = lossOf();
    terms.push({
      loss: result.loss,
      taskLoss: tf.keep(tf.clone(result.taskLoss)),
      disparityLoss: tf.keep(tf.clone(result.disparityLoss)),
    });
    return result.loss;
  }, variables);
  const { taskLoss, disparityLoss } = terms[0]!;
  const [loss, task, disparity] = [value, taskLoss, disparityLoss].map((term) => term.dataSync()[0]!);
  tf.dispose([value, taskLoss, disparityLoss]);
  const gradients = Object.fromEntries(
    parameters.map(({ name, variable }) => [name, grads[variable.name] ?? tf.zerosLike(variable)]),
  );
  try {
    assertFinite('loss', loss!);
    assertFinite('task loss', task!);
    assertFinite('disparity loss', disparity!);
    assertFiniteGradients(gradients);
  } catch (error) {
    tf.dispose(Object.values(gradients));
    throw error;
  }
  return { gradients, losses: { loss: loss!, taskLoss: task!, disparityLoss: disparity! } };
}

function assertFinite(where: string, value: number): void {
  if (Number.isFinite(value)) return;
  throw new NonFiniteError(`${where}: expected a finite number, received ${value}`, { where });
}

/** One number per gradient decides: a sum is finite only if every entry is. */
function assertFiniteGradients(gradients: Tensors): void {
  const names = Object.keys(gradients);
  const sums = tf.tidy(() => tf.stack(names.map((name) => tf.sum(gradients[name]!))));
  const values = sums.dataSync();
  sums.dispose();
  const place = values.findIndex((value) => !Number.isFinite(value));
  if (place < 0) return;
  const weight = names[place]!;
  throw new NonFiniteError(`gradient of "${weight}": expected finite numbers, received NaN or an infinity`, {
    weight,
  });
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
