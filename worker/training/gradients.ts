import * as tf from '@tensorflow/tfjs-core';
import { NonFiniteError } from '../../core/errors.ts';
import type { Parameter } from '../../core/model/classifier.ts';
import { keepTape, releaseWhenRead } from './tape.ts';

/** Tensors by parameter name. */
export type Tensors = Readonly<Record<string, tf.Tensor>>;

/** A loss with its two terms, all scalars; whoever asked for them owns them. */
export interface LossTerms {
  readonly loss: tf.Scalar;
  readonly taskLoss: tf.Scalar;
  readonly disparityLoss: tf.Scalar;
}

export type LossValues = Readonly<Record<keyof LossTerms, number>>;

/**
 * Losses and gradients in one pass. Weights that the loss does not depend on get a zero gradient.
 *
 * @returns gradients by parameter name; the caller disposes them (or calls inside a tidy)
 * @throws NonFiniteError when a loss is NaN or infinite, or a gradient is (`details.weight`)
 */
export function gradientsOf(
  parameters: readonly Parameter[],
  lossOf: () => LossTerms,
): { gradients: Tensors; losses: LossValues } {
  const terms: tf.Scalar[] = [];
  const { value, gradients } = backpropagate(parameters, () => {
    const { loss, taskLoss, disparityLoss } = lossOf();
    terms.push(keepCopy(taskLoss), keepCopy(disparityLoss));
    return loss;
  });
  const [loss, taskLoss, disparityLoss] = valuesOf([value, ...terms]);
  const losses = { loss: loss!, taskLoss: taskLoss!, disparityLoss: disparityLoss! };
  disposeUnless([gradients], () => {
    assertFiniteLosses(losses);
    assertFiniteGradients(gradients);
  });
  return { gradients, losses };
}

/**
 * The gradients of each of the two losses alone, from one forward pass.
 *
 * @returns as `gradientsOf`
 * @throws NonFiniteError likewise
 */
export function gradientsOfBoth(
  parameters: readonly Parameter[],
  lossesOf: () => Pick<LossTerms, 'taskLoss' | 'disparityLoss'>,
): { readonly task: Tensors; readonly disparity: Tensors } {
  const recorded: { task: tf.Scalar; readAgain: () => void }[] = [];
  const { value: disparityValue, gradients: disparity } = backpropagate(parameters, () => {
    const { taskLoss, disparityLoss } = lossesOf();
    recorded.push({ task: keepCopy(taskLoss), readAgain: keepTape() });
    return disparityLoss;
  });
  const [{ task: taskScalar, readAgain }] = recorded as [(typeof recorded)[number]];
  const { value: taskValue, gradients: task } = backpropagate(parameters, () => {
    readAgain();
    return taskScalar;
  });
  const [taskLoss, disparityLoss] = valuesOf([taskValue, disparityValue]);
  disposeUnless([task, disparity], () => {
    assertFiniteLosses({ taskLoss: taskLoss!, disparityLoss: disparityLoss! });
    assertFiniteGradients(task);
    assertFiniteGradients(disparity);
  });
  return { task, disparity };
}

function backpropagate(parameters: readonly Parameter[], lossOf: () => tf.Scalar) {
  const variables = parameters.map(({ variable }) => variable);
  const { value, grads } = tf.variableGrads(() => {
    const loss = lossOf();
    releaseWhenRead(variables);
    return loss;
  }, variables);
  const gradients = parameters.map(
    ({ name, variable }) => [name, grads[variable.name] ?? tf.zerosLike(variable)] as const,
  );
  return { value, gradients: Object.fromEntries(gradients) };
}

/** Outlives the tidy around a forward pass. */
function keepCopy(scalar: tf.Scalar): tf.Scalar {
  return tf.keep(tf.clone(scalar));
}

function valuesOf(scalars: readonly tf.Scalar[]): number[] {
  const values = scalars.map((scalar) => scalar.dataSync()[0]!);
  tf.dispose([...scalars]);
  return values;
}

function disposeUnless(tensors: readonly Tensors[], check: () => void): void {
  try {
    check();
  } catch (error) {
    tf.dispose(tensors.flatMap((named) => Object.values(named)));
    throw error;
  }
}

const LOSS_NAMES = {
  loss: 'loss',
  taskLoss: 'task loss',
  disparityLoss: 'disparity loss',
} as const satisfies Record<keyof LossTerms, string>;

function assertFiniteLosses(losses: Partial<LossValues>): void {
  for (const [key, value] of Object.entries(losses)) {
    if (Number.isFinite(value)) continue;
    const where = LOSS_NAMES[key as keyof LossTerms];
    throw new NonFiniteError(`${where}: expected a finite number, received ${value}`, { where });
  }
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
