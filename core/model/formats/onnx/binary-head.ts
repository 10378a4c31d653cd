import * as tf from '@tensorflow/tfjs-core';
import { ShapeMismatchError } from '../../../errors.ts';
import type { Classifier, Parameter } from '../../classifier.ts';
import type { UnitOrder } from '../../two-units.ts';
import { differenceOfUnits, unitsOfDifference } from '../../two-units.ts';
import type { OnnxFile } from './file/read-model.ts';
import type { ChangedEntries } from './file/tensor-data.ts';
import { readEntries } from './file/tensor-data.ts';
import type { OnnxGraph } from './graph.ts';
import type { OnnxHead } from './head.ts';
import { finite } from './network.ts';

/** Weights of one unit, [F, 1] or [1], however many the file has. */
interface UnitWeights {
  readonly parameter: Parameter;
  readonly original: Float32Array;
  /** Entries of the file's tensor for the weights as they are now. */
  readonly entries: () => Float32Array;
}

/** The head as a dense layer of one unit; two are held as their difference. */
export class BinaryHead {
  readonly parameters: Classifier['head'];
  readonly #weights: UnitWeights[] = [];

  /** @throws ShapeMismatchError when kernel and bias do not fit together */
  constructor(file: OnnxFile, graph: OnnxGraph, head: OnnxHead) {
    const { name } = head.nodes[0]!;
    try {
      this.#weights.push(readWeights(read(file, graph, head.kernel), head, [head.width, 1]));
      if (head.bias !== null) this.#weights.push(readWeights(read(file, graph, head.bias), head, [1]));
    } catch (error) {
      this.dispose();
      throw error;
    }
    const [kernel, bias] = this.#weights;
    this.parameters = { name, kernel: kernel!.parameter, bias: bias?.parameter ?? null };
  }

  /** Entries of the file's tensors, with what the weights have moved since it was read. */
  changes(): Map<string, ChangedEntries> {
    return new Map(
      this.#weights.map(({ parameter, original, entries }) => [
        parameter.name,
        { before: original, after: entries() },
      ]),
    );
  }

  dispose(): void {
    for (const { parameter } of this.#weights) parameter.variable.dispose();
  }
}

interface Source {
  readonly name: string;
  readonly entries: Float32Array;
}

function read({ external }: OnnxFile, { initializers }: OnnxGraph, name: string): Source {
  const entries = readEntries(initializers.get(name)!, external.get(name));
  return { name, entries: finite(name, new Float32Array(entries)) };
}

/** @param shape  of the weights of one unit */
function readWeights(
  { name, entries: original }: Source,
  { nodes, units, isTransposed }: OnnxHead,
  shape: readonly number[],
): UnitWeights {
  const layer = nodes[0]!.name;
  const expected = units * shape[0]!;
  if (original.length !== expected) {
    throw new ShapeMismatchError(
      `head "${layer}": expected ${expected} entries of "${name}", received ${original.length}`,
      { where: name, expected, received: original.length },
    );
  }
  const order: UnitOrder = isTransposed && shape.length === 2 ? 'apart' : 'side by side';
  const values = units === 1 ? original : differenceOfUnits(original, order);
  const variable = tf.tidy(() => tf.variable(tf.tensor(values, [...shape])));
  const current = () => variable.dataSync() as Float32Array;
  return {
    parameter: { name, layer, shape, variable },
    original,
    entries: units === 1 ? current : () => unitsOfDifference(original, current(), order),
  };
}
