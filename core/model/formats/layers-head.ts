import * as tf from '@tensorflow/tfjs-core';
import type { Classifier, Parameter } from '../classifier.ts';
import type { Partition } from '../partition.ts';
import { differenceOfUnits, unitsOfDifference } from '../two-units.ts';

type Weight = Partition['head']['weights'][number];

/** The head as a dense layer of one unit; two are held as their difference. */
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
  const before = differenceOfUnits(original, 'side by side');
  const variable = tf.tidy(() => tf.variable(tf.tensor(before, shape)));
  return {
    parameter: { name: weight.originalName, layer, shape, variable },
    difference: variable,
    layerValues: () => unitsOfDifference(original, variable.dataSync() as Float32Array, 'side by side'),
  };
}
