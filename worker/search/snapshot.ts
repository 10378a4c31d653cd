import * as tf from '@tensorflow/tfjs-core';
import type { Classifier, Parameter } from '../../core/model/classifier.ts';

/** Values of every weight and running statistic by name, detached from the model. */
export type Snapshot = ReadonlyMap<string, Float32Array>;

export function takeSnapshot(model: Classifier): Snapshot {
  return valuesOf([...model.body, ...model.statistics, ...headOf(model)]);
}

/** The snapshot with the head that the model has now; the body's values are shared, not copied. */
export function withHeadOf(model: Classifier, snapshot: Snapshot): Snapshot {
  return new Map([...snapshot, ...valuesOf(headOf(model))]);
}

/** Puts the model back to a snapshot of itself, bit for bit. */
export function restoreSnapshot(model: Classifier, snapshot: Snapshot): void {
  tf.tidy(() => {
    for (const { name, shape, variable } of [...model.body, ...model.statistics, ...headOf(model)]) {
      variable.assign(tf.tensor(snapshot.get(name)!, [...shape]));
    }
  });
}

function valuesOf(parameters: readonly Parameter[]): Snapshot {
  return new Map(parameters.map(({ name, variable }) => [name, variable.dataSync().slice() as Float32Array]));
}

function headOf({ head }: Classifier): Parameter[] {
  return [head.kernel, ...(head.bias ? [head.bias] : [])];
}
