import { setImmediate } from 'node:timers/promises';
import type { Tensor } from '@tensorflow/tfjs-core';
import type { InputSource } from '../../core/data/types.ts';

/** What a loss may look at besides the logits: labels and groups of the batch, both [B]. */
export interface BatchTruth {
  readonly labels: Int32Array;
  readonly groups: Int32Array;
}

export interface Batch extends BatchTruth {
  /** [B, ...sample shape] */
  readonly inputs: Tensor;
}

/** The rows that training may see, with their truth by row of the whole data set. */
export interface TrainingSet extends BatchTruth {
  readonly inputs: InputSource;
  readonly rows: readonly number[];
  readonly groupNames: readonly string[];
}

/** Loads the rows as one batch, in the order given; the caller disposes `inputs`. */
export async function loadBatch(set: TrainingSet, rows: readonly number[]): Promise<Batch> {
  await setImmediate(); // a batch from the cache resolves at once, and Ctrl-C could never be heard
  return { inputs: await set.inputs.batch(rows), ...truthOf(set, rows) };
}

export function truthOf(set: BatchTruth, rows: readonly number[]): BatchTruth {
  return {
    labels: Int32Array.from(rows, (row) => set.labels[row]!),
    groups: Int32Array.from(rows, (row) => set.groups[row]!),
  };
}
