import * as tf from '@tensorflow/tfjs-core';
import type { Classifier, Parameter } from '../../core/model/classifier.ts';
import { headParameters, weightsOf } from '../../core/model/classifier.ts';
import type { NamedTensor } from '../tensor-file.ts';
import { packArrays, unpackArrays } from '../tensor-file.ts';

/** Values of every weight and running statistic by name, detached from the model. */
export type Snapshot = ReadonlyMap<string, Float32Array>;

export function takeSnapshot(model: Classifier): Snapshot {
  return valuesOf([...weightsOf(model), ...model.statistics]);
}

/** The snapshot with the head that the model has now; the body's values are shared, not copied. */
export function withHeadOf(model: Classifier, snapshot: Snapshot): Snapshot {
  return new Map([...snapshot, ...valuesOf(headParameters(model))]);
}

/** Puts the model back to a snapshot of itself, bit for bit. */
export function restoreSnapshot(model: Classifier, snapshot: Snapshot): void {
  tf.tidy(() => {
    for (const { name, shape, variable } of [...weightsOf(model), ...model.statistics]) {
      variable.assign(tf.tensor(snapshot.get(name)!, [...shape]));
    }
  });
}

function valuesOf(parameters: readonly Parameter[]): Snapshot {
  return new Map(parameters.map(({ name, variable }) => [name, variable.dataSync().slice() as Float32Array]));
}

/** The snapshot as named tensors, under a prefix when several share a file. */
export const packSnapshot: (snapshot: Snapshot, prefix?: string) => Map<string, NamedTensor> = packArrays;

export const unpackSnapshot: (tensors: ReadonlyMap<string, NamedTensor>, prefix?: string) => Snapshot =
  unpackArrays<Float32Array>;
