import * as tf from '@tensorflow/tfjs-core';
import type { Classifier, Parameter } from '../../core/model/classifier.ts';

/** Values of every weight and running statistic by name, detached from the model. */
export type Snapshot = ReadonlyMap<string, Float32Array>;

export function takeSnapshot(model: Classifier): Snapshot {
  return new Map(
    allOf(model).map(({ name, variable }) => [name, variable.dataSync().slice() as Float32Array]),
  );
}

/** Puts the model back to a snapshot of itself, bit for bit. */
export function restoreSnapshot(model: Classifier, snapshot: Snapshot): void {
  tf.tidy(() => {
    for (const { name, shape, variable } of allOf(model)) {
      variable.assign(tf.tensor(snapshot.get(name)!, [...shape]));
    }
  });
}

function allOf({ body, statistics, head }: Classifier): Parameter[] {
  return [...body, ...statistics, head.kernel, ...(head.bias ? [head.bias] : [])];
}
