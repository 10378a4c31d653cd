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
 * The gradients of each of several losses alone, from one forward pass.
 *
 * @param lossesOf  at least one scalar, by name
 * @returns by name of the loss, as `gradientsOf`
 * @throws NonFiniteError likewise
 */
export function gradientsOfEach<Name extends string>(
  parameters: readonly Parameter[],
  lossesOf: () => Readonly<Record<Name, tf.Scalar>>,
): Readonly<Record<Name, Tensors>> {
  const names: Name[] = [];
  const later: tf.Scalar[] = [];
  let readAgain = () => {};
  const first = backpropagate(parameters, () => {
    const losses = lossesOf();
    names.push(...(Object.keys(losses) as Name[]));
    later.push(...names.slice(1).map((name) => keepCopy(losses[name])));
    if (later.length > 0) readAgain = keepTape();
    return losses[names[0]!];
  });
  const others = later.map((loss, place) =>
    backpropagate(parameters, () => {
      readAgain();
      if (place < later.length - 1) readAgain = keepTape();
      return loss;
    }),
  );
  const passes = [first, ...others];
  const values = valuesOf(passes.map(({ value }) => value));
  const gradients = passes.map((pass) => pass.gradients);
  disposeUnless(gradients, () => {
    assertFiniteLosses(Object.fromEntries(names.map((name, place) => [name, values[place]!])));
    for (const named of gradients) assertFiniteGradients(named);
  });
  return Object.fromEntries(names.map((name, place) => [name, gradients[place]!])) as Record<Name, Tensors>;
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

/** `taskLoss` is called "task loss". */
function assertFiniteLosses(losses: Readonly<Record<string, number>>): void {
  for (const [name, value] of Object.entries(losses)) {
    if (Number.isFinite(value)) continue;
    const where = name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
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
