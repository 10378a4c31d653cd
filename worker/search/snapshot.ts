import * as tf from '@tensorflow/tfjs-core';
import type { Classifier, Parameter } from '../../core/model/classifier.ts';
import type { NamedTensor } from '../tensor-file.ts';

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

/** The snapshot as named tensors, under a prefix when several share a file. */
export function packSnapshot(snapshot: Snapshot, prefix = ''): Map<string, NamedTensor> {
  return new Map(
    [...snapshot].map(([name, values]) => [`${prefix}${name}`, { shape: [values.length], values }]),
  );
}

export function unpackSnapshot(tensors: ReadonlyMap<string, NamedTensor>, prefix = ''): Snapshot {
  const own = [...tensors].filter(([name]) => name.startsWith(prefix));
  return new Map(own.map(([name, { values }]) => [name.slice(prefix.length), values as Float32Array]));
}
