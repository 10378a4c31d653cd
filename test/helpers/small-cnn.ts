import { readFileSync } from 'node:fs';
import path from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import type { InputSource } from '../../core/data/types.ts';
import type { TrainingSet } from '../../worker/training/batch.ts';

export const SMALL_CNN = path.join(import.meta.dirname, '../fixtures/small-cnn');

interface TensorFile {
  readonly file: string;
  readonly tensors: readonly { readonly name: string; readonly shape: readonly number[] }[];
}

interface Expected {
  readonly images: { readonly file: string; readonly shape: [number, number, number, number] };
  readonly labels: number[];
  readonly groups: number[];
  readonly batches: number[][];
  readonly logits: number[];
  readonly loss: Readonly<Record<'task' | 'disparity-signed-logit' | 'disparity-abs-score', number[]>>;
  readonly importance: Readonly<Record<'task' | 'signed-logit' | 'abs-score', TensorFile>>;
  readonly ratio: TensorFile & { readonly threshold: number };
  readonly mask: TensorFile & { readonly selected: Readonly<Record<string, number>> };
  readonly softMask: TensorFile;
  readonly stage1Released: TensorFile & { readonly losses: number[] };
  readonly stage1Frozen: TensorFile & { readonly losses: number[] };
  readonly stage2: TensorFile & { readonly losses: number[] };
}

/** The oracle of a 96-image classifier: numbers that plain PyTorch in float64 gave. */
export const expected = JSON.parse(readFileSync(path.join(SMALL_CNN, 'expected.json'), 'utf8')) as Expected;

function floats(file: string): Float32Array {
  const bytes = readFileSync(path.join(SMALL_CNN, file));
  return new Float32Array(new Uint8Array(bytes).buffer);
}

/** Named arrays of an oracle file. */
export function oracleTensors({ file, tensors }: TensorFile): Map<string, Float32Array> {
  const values = floats(file);
  let offset = 0;
  const entries = tensors.map(({ name, shape }) => {
    const size = shape.reduce((product, extent) => product * extent, 1);
    offset += size;
    return [name, values.slice(offset - size, offset)] as const;
  });
  return new Map(entries);
}

function imageInputs(): InputSource {
  const pixels = floats(expected.images.file);
  const [size, ...sampleShape] = expected.images.shape;
  const length = sampleShape.reduce((product, extent) => product * extent, 1);
  return {
    size,
    sampleShape,
    batch: (rows) => {
      const values = new Float32Array(rows.length * length);
      Array.from(rows).forEach((row, place) => {
        values.set(pixels.subarray(row * length, (row + 1) * length), place * length);
      });
      return Promise.resolve(tf.tensor(values, [rows.length, ...sampleShape]));
    },
    verify: () => Promise.resolve(),
  };
}

export const smallCnnSet: TrainingSet = {
  inputs: imageInputs(),
  rows: expected.labels.map((_, row) => row),
  labels: Int32Array.from(expected.labels),
  groups: Int32Array.from(expected.groups),
  groupNames: ['0', '1'],
};
