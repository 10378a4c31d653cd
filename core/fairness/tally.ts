import * as tf from '@tensorflow/tfjs-core';
import { ShapeMismatchError } from '../errors.ts';
import type { ConfusionCounts } from './types.ts';

/** float32 counts are exact up to 2^24; chunks stay below that whatever type a backend counts in. */
const CHUNK = 2 ** 22;

/** Cells of one group: (label · 2 + prediction). */
export const CELLS = 4;

export interface TallyInput {
  /** [N] each in 0 … groupCount - 1 */
  readonly groups: Int32Array;
  /** [N] 0 or 1 */
  readonly labels: Int32Array;
  /** [N] 0 or 1 */
  readonly predictions: Int32Array;
  readonly groupCount: number;
}

/**
 * Confusion counts of each group, in one pass on the current backend.
 *
 *   cell = ((group · 2 + label) · 2 + prediction), counted by denseBincount
 *
 * @returns [groupCount · 4] in group order; a group without samples has four zeros
 * @throws ShapeMismatchError when the arrays differ in length
 */
export function tally(input: TallyInput): Float64Array {
  const { groups, labels, predictions, groupCount } = input;
  if (labels.length !== groups.length || predictions.length !== groups.length) {
    throw new ShapeMismatchError(
      `tally: groups, labels and predictions must have one length, received ${groups.length}, ${labels.length} and ${predictions.length}`,
      { where: 'tally', expected: groups.length, received: [labels.length, predictions.length] },
    );
  }
  const cells = new Float64Array(groupCount * CELLS);
  for (let start = 0; start < groups.length; start += CHUNK) {
    const end = Math.min(start + CHUNK, groups.length);
    countCells(input, start, end).forEach((count, cell) => {
      cells[cell]! += count;
    });
  }
  return cells;
}

/** The confusion counts of one group among the cells of all. */
export function confusionOf(cells: ArrayLike<number>, group: number): ConfusionCounts {
  return {
    trueNegatives: cells[group * CELLS]!,
    falsePositives: cells[group * CELLS + 1]!,
    falseNegatives: cells[group * CELLS + 2]!,
    truePositives: cells[group * CELLS + 3]!,
  };
}

function countCells({ groups, labels, predictions, groupCount }: TallyInput, start: number, end: number) {
  const counts = tf.tidy(() => {
    const slice = (values: Int32Array) => tf.tensor1d(values.subarray(start, end), 'int32');
    const two = tf.scalar(2, 'int32'); // a plain 2 would be float32
    const pairs = tf.add(tf.mul(slice(groups), two), slice(labels));
    const cells = tf.add(tf.mul(pairs, two), slice(predictions)) as tf.Tensor1D; // [chunk]
    return tf.denseBincount(cells, [], groupCount * CELLS);
  });
  const values = counts.dataSync();
  counts.dispose();
  return values;
}
