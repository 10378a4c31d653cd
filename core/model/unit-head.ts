import * as tf from '@tensorflow/tfjs-core';
import { ShapeMismatchError } from '../errors.ts';
import type { Classifier, Parameter } from './classifier.ts';
import { splitUnits, type UnitLayout, withPositive } from './unit-columns.ts';
import type { Units } from './units.ts';

/** A tensor of the file in its order. */
export interface FileTensor {
  readonly name: string;
  readonly entries: Float32Array;
}

/** A dense layer as its file has it. */
export interface DenseLayer {
  readonly name: string;
  readonly units: Units;
  /** Number of features F. */
  readonly width: number;
  /** [F, K], or [K, F] where it is transposed. */
  readonly kernel: FileTensor & { readonly isTransposed: boolean };
  /** [K] */
  readonly bias: FileTensor | null;
}

/** What a classifier tunes of its last dense layer. */
export interface Head {
  readonly parameters: Classifier['head'];
  /** features [B, F] → logits [B · classes]; the caller disposes */
  logits(features: tf.Tensor2D): tf.Tensor1D;
  /** Entries of the file's tensors by name, as they were read and as they are now. */
  changes(): Map<string, { readonly before: Float32Array; readonly after: Float32Array }>;
  dispose(): void;
}

/**
 * A head of K units as a dense layer of one, that of the positive class k; the others stay as they are.
 *
 * Where each unit has a sigmoid of its own:  z = x · w_k + b_k
 *
 * Where they share a softmax, whose probability of class k is sigmoid(z):
 *
 *   z = z_k − log Σ_{j≠k} exp(z_j)  =  x · (w_k − r) + (b_k − s) − log Σ_{j≠k} exp(x · (w_j − r) + b_j − s)
 *
 * with r and s the means of the others' weights and biases. What is tuned is w_k − r and b_k − s: a softmax is the same
 * when all of its units move by the same, and so are these, so that a reset, a ridge and a decay mean one thing however
 * a file spells the network. Of two units they are the difference, and the logarithm is 0.
 */
export class UnitHead implements Head {
  readonly parameters: Classifier['head'];
  readonly #tensors: readonly HeadTensor[];
  /** Of the others, less r and s: [F, K − 1] and [1, K − 1]. Null where they have no part in z. */
  readonly #others: { readonly kernel: tf.Tensor2D; readonly bias: tf.Tensor2D | null } | null;

  /** @throws ShapeMismatchError when a tensor has not the size that units and features give it */
  constructor({ name, units, width, kernel, bias }: DenseLayer) {
    assertSize(name, kernel, width * units.count);
    if (bias) assertSize(name, bias, units.count);
    const ofKernel = open(name, kernel, {
      layout: { units, isTransposed: kernel.isTransposed },
      shape: [width, 1],
    });
    const ofBias = bias && open(name, bias, { layout: { units, isTransposed: false }, shape: [1] });
    this.#tensors = ofBias ? [ofKernel, ofBias] : [ofKernel];
    this.#others =
      units.isShared && units.count > 2
        ? { kernel: othersOf(ofKernel), bias: ofBias && othersOf(ofBias) }
        : null;
    this.parameters = {
      name,
      units: units.count,
      positiveClass: units.count === 1 ? null : units.positive,
      classes: 1,
      kernel: ofKernel.parameter,
      bias: ofBias?.parameter ?? null,
    };
  }

  /** features [B, F] → logits [B]; the caller disposes */
  logits(features: tf.Tensor2D): tf.Tensor1D {
    return tf.tidy(() => {
      const { kernel, bias } = this.parameters;
      const own = dense(features, kernel.variable as tf.Tensor2D, bias?.variable ?? null); // [B, 1]
      const logits = tf.reshape(own, [-1]) as tf.Tensor1D; // [B]
      if (this.#others === null) return logits;
      const others = dense(features, this.#others.kernel, this.#others.bias); // [B, K − 1]
      return tf.sub(logits, tf.logSumExp(others, 1));
    });
  }

  /** Entries of the file's tensors by name, as they were read and as they are now. */
  changes(): Map<string, { readonly before: Float32Array; readonly after: Float32Array }> {
    return new Map(
      this.#tensors.map(({ parameter: { name, variable }, entries, layout }) => [
        name,
        { before: entries, after: withPositive(entries, variable.dataSync() as Float32Array, layout) },
      ]),
    );
  }

  dispose(): void {
    for (const { parameter } of this.#tensors) parameter.variable.dispose();
    this.#others?.kernel.dispose();
    this.#others?.bias?.dispose();
  }
}

/** A tensor of the file, and what is tuned of it. */
interface HeadTensor {
  readonly parameter: Parameter;
  readonly entries: Float32Array;
  readonly layout: UnitLayout;
}

function open(
  layer: string,
  { name, entries }: FileTensor,
  { layout, shape }: { readonly layout: UnitLayout; readonly shape: readonly number[] },
): HeadTensor {
  const { positive } = splitUnits(entries, layout);
  const variable = tf.tidy(() => tf.variable(tf.tensor(positive, [...shape])));
  return { parameter: { name, layer, shape, variable }, entries, layout };
}

function othersOf({ entries, layout }: HeadTensor): tf.Tensor2D {
  const { others } = splitUnits(entries, layout);
  const count = layout.units.count - 1;
  return tf.tensor2d(others, [others.length / count, count]);
}

export function dense(features: tf.Tensor2D, kernel: tf.Tensor2D, bias: tf.Tensor | null): tf.Tensor {
  const products = tf.matMul(features, kernel);
  return bias ? tf.add(products, bias) : products;
}

export function assertSize(layer: string, { name, entries }: FileTensor, expected: number): void {
  if (entries.length === expected) return;
  throw new ShapeMismatchError(
    `head "${layer}": expected ${expected} entries of "${name}", received ${entries.length}`,
    { where: name, expected, received: entries.length },
  );
}
