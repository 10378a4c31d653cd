import type { Variable } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { ShapeMismatchError } from '../../../errors.ts';
import type { Classifier, Parameter } from '../../classifier.ts';
import type { OnnxFile } from './file/read-model.ts';
import type { ChangedEntries } from './file/tensor-data.ts';
import { readEntries } from './file/tensor-data.ts';
import type { OnnxGraph } from './graph.ts';
import type { OnnxHead } from './head.ts';
import { finite } from './network.ts';

/** Weights of one unit, [F, 1] or [1], however many the file has. */
interface UnitWeights {
  readonly parameter: Parameter;
  /** As in the file. */
  readonly original: Float32Array;
  readonly difference: Float32Array;
  /** Are the units of the file side by side, rather than one after the other? */
  readonly isInterleaved: boolean;
}

/**
 * The head as a dense layer of one unit, whose sigmoid is the score.
 *
 * A softmax over two classes is the sigmoid of the difference of their logits, so of two units only the
 * difference of their weights matters: that is what is held and tuned. Going back, each unit takes half of what
 * the difference has moved.
 */
export class BinaryHead {
  readonly parameters: Classifier['head'];
  readonly #weights: readonly UnitWeights[];
  readonly #units: number;

  constructor({ external }: OnnxFile, { initializers }: OnnxGraph, head: OnnxHead) {
    const { kernel, bias, isTransposed, units, width } = head;
    this.#units = units;
    const { name } = head.nodes[0]!;
    const read = (source: string, shape: readonly number[]): UnitWeights => {
      const entries = readEntries(initializers.get(source)!, external.get(source));
      if (entries.length !== units * shape[0]!) {
        throw new ShapeMismatchError(
          `head "${name}": expected ${units * shape[0]!} entries of "${source}", received ${entries.length}`,
          { where: source, expected: units * shape[0]!, received: entries.length },
        );
      }
      const original = finite(source, Float32Array.from(entries));
      const isInterleaved = !isTransposed || shape.length === 1;
      const difference = differenceOf(original, units, isInterleaved);
      const variable = tf.tidy(() => tf.variable(tf.tensor(difference, [...shape]))) as Variable;
      return {
        parameter: { name: source, layer: name, shape, variable },
        original,
        difference,
        isInterleaved,
      };
    };
    const weights = read(kernel, [width, 1]);
    this.#weights = [weights];
    if (bias !== null) {
      try {
        this.#weights = [weights, read(bias, [1])];
      } catch (error) {
        weights.parameter.variable.dispose();
        throw error;
      }
    }
    const [first, second] = this.#weights;
    this.parameters = { name, kernel: first!.parameter, bias: second?.parameter ?? null };
  }

  /** Entries of the file's tensors, with what the weights have moved since it was read. */
  changes(): Map<string, ChangedEntries> {
    return new Map(
      this.#weights.map(({ parameter, original, difference, isInterleaved }) => {
        const values = parameter.variable.dataSync() as Float32Array;
        const after =
          this.#units === 1 ? values : movedApart(original, movement(values, difference), isInterleaved);
        return [parameter.name, { before: original, after }];
      }),
    );
  }

  dispose(): void {
    for (const { parameter } of this.#weights) parameter.variable.dispose();
  }
}

/** Positive minus negative class; the weights themselves where there is one unit. */
function differenceOf(entries: Float32Array, units: number, isInterleaved: boolean): Float32Array {
  if (units === 1) return entries.slice();
  const count = entries.length / 2;
  return Float32Array.from({ length: count }, (_, place) =>
    isInterleaved ? entries[2 * place + 1]! - entries[2 * place]! : entries[count + place]! - entries[place]!,
  );
}

function movement(values: Float32Array, before: Float32Array): Float64Array {
  return Float64Array.from(values, (value, place) => value - before[place]!);
}

function movedApart(original: Float32Array, moved: Float64Array, isInterleaved: boolean): Float32Array {
  const after = original.slice();
  moved.forEach((shift, place) => {
    const [negative, positive] = isInterleaved ? [2 * place, 2 * place + 1] : [place, moved.length + place];
    after[negative]! -= shift / 2;
    after[positive]! += shift / 2;
  });
  return after;
}
