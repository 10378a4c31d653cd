import * as tf from '@tensorflow/tfjs-core';
import type { Classifier, Parameter } from '../classifier.ts';
import type { Partition } from '../partition.ts';

type Weight = Partition['head']['weights'][number];

/**
 * The head as a dense layer of one unit, whose sigmoid is the score.
 *
 * A softmax over two classes is the sigmoid of the difference of their logits, so of two units only the difference
 * of their weights matters: that is what is held and tuned. Going back, each unit takes half of what the difference
 * has moved.
 */
export class LayersHead {
  readonly parameters: Classifier['head'];
  readonly #weights: readonly TunedWeight[];

  constructor({ head, units }: Partition) {
    const make = units === 1 ? asItIs : asDifference;
    this.#weights = head.weights.map((weight) => make(weight, head.name));
    const [kernel, bias] = this.#weights;
    this.parameters = { name: head.name, kernel: kernel!.parameter, bias: bias?.parameter ?? null };
  }

  /** Weights of the layer, in the shapes that it has in the file, by name. */
  values(): [name: string, values: Float32Array][] {
    return this.#weights.map(({ parameter, layerValues }) => [parameter.name, layerValues()]);
  }

  /** What the layer does not own. */
  dispose(): void {
    for (const { difference } of this.#weights) difference?.dispose();
  }
}

interface TunedWeight {
  readonly parameter: Parameter;
  readonly layerValues: () => Float32Array;
  readonly difference?: tf.Variable;
}

function asItIs(weight: Weight, layer: string): TunedWeight {
  const variable = weight.read() as tf.Variable;
  return {
    parameter: { name: weight.originalName, layer, shape: weight.shape as number[], variable },
    layerValues: () => variable.dataSync() as Float32Array,
  };
}

/** [F, 2] → [F, 1] and [2] → [1]: positive minus negative class. */
function asDifference(weight: Weight, layer: string): TunedWeight {
  const original = (weight.read().dataSync() as Float32Array).slice();
  const shape = [...(weight.shape.slice(0, -1) as number[]), 1];
  const before = Float32Array.from(
    { length: original.length / 2 },
    (_, place) => original[2 * place + 1]! - original[2 * place]!,
  );
  const variable = tf.tidy(() => tf.variable(tf.tensor(before, shape)));
  return {
    parameter: { name: weight.originalName, layer, shape, variable },
    difference: variable,
    layerValues: () => {
      const after = original.slice();
      (variable.dataSync() as Float32Array).forEach((value, place) => {
        const half = (value - before[place]!) / 2;
        if (half === 0) return;
        after[2 * place]! -= half;
        after[2 * place + 1]! += half;
      });
      return after;
    },
  };
}
