import * as tf from '@tensorflow/tfjs-core';
import type { Classifier, Parameter } from './classifier.ts';
import type { DenseLayer, FileTensor, Head } from './unit-head.ts';
import { assertSize, dense, UnitHead } from './unit-head.ts';

/** The head of a dense layer: of one class against all others, or of several classes that are tuned together. */
export function openDenseHead(layer: DenseLayer): Head {
  return layer.units.areClasses ? new ClassHead(layer) : new UnitHead(layer);
}

/** A head whose K units are the logits of K classes under one softmax, all of them tuned. */
class ClassHead implements Head {
  readonly parameters: Classifier['head'];
  readonly #kernel: DenseLayer['kernel'];
  readonly #bias: FileTensor | null;

  /** @throws ShapeMismatchError when a tensor has not the size that units and features give it */
  constructor({ name, units: { count }, width, kernel, bias }: DenseLayer) {
    assertSize(name, kernel, width * count);
    if (bias) assertSize(name, bias, count);
    this.#kernel = kernel;
    this.#bias = bias;
    const parameter = (tensor: string, values: Float32Array, shape: number[]): Parameter => ({
      name: tensor,
      layer: name,
      shape,
      variable: tf.tidy(() => tf.variable(tf.tensor(values, shape))),
    });
    const entries = kernel.isTransposed ? transposed(kernel.entries, [count, width]) : kernel.entries;
    this.parameters = {
      name,
      units: count,
      positiveClass: null,
      classes: count,
      kernel: parameter(kernel.name, entries, [width, count]),
      bias: bias && parameter(bias.name, bias.entries, [count]),
    };
  }

  logits(features: tf.Tensor2D): tf.Tensor1D {
    return tf.tidy(() => {
      const { kernel, bias } = this.parameters;
      const logits = dense(features, kernel.variable as tf.Tensor2D, bias?.variable ?? null); // [B, K]
      return tf.reshape(logits, [-1]) as tf.Tensor1D;
    });
  }

  changes(): Map<string, { readonly before: Float32Array; readonly after: Float32Array }> {
    const { kernel, bias } = this.parameters;
    const now = kernel.variable.dataSync() as Float32Array;
    const [width, count] = kernel.shape as [number, number];
    const after = this.#kernel.isTransposed ? transposed(now, [width, count]) : now;
    const changes = new Map([[kernel.name, { before: this.#kernel.entries, after }]]);
    if (bias && this.#bias) {
      changes.set(bias.name, { before: this.#bias.entries, after: bias.variable.dataSync() as Float32Array });
    }
    return changes;
  }

  dispose(): void {
    this.parameters.kernel.variable.dispose();
    this.parameters.bias?.variable.dispose();
  }
}

/** [rows, columns] → [columns, rows] */
function transposed(entries: Float32Array, [rows, columns]: readonly [number, number]): Float32Array {
  return Float32Array.from(
    entries,
    (_, place) => entries[(place % rows) * columns + Math.floor(place / rows)]!,
  );
}
