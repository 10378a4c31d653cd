import { setImmediate } from 'node:timers/promises';
import * as tf from '@tensorflow/tfjs-core';
import type { InputSource } from '../data/types.ts';
import { InterruptedError, NonFiniteError } from '../errors.ts';
import type { Classifier } from './classifier.ts';
import { INFERENCE } from './classifier.ts';

export interface PredictOptions {
  readonly batchSize?: number;
  /** Called after each batch with its number of samples. */
  readonly onProgress?: ((samples: number) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

const BATCH_SIZE = 64;

export interface Rows {
  readonly model: Classifier;
  readonly inputs: InputSource;
  /** Rows of `inputs`, in the order in which results are wanted. */
  readonly rows: ArrayLike<number>;
}

/**
 * Scores of the model in inference mode: sigmoid of the logit, or softmax of those of K classes, whether or not the model
 * ends in one.
 *
 * @returns [rows.length], or [rows.length · K] sample by sample, in [0, 1]
 * @throws NonFiniteError when a score is NaN or infinite
 */
export async function predictScores(source: Rows, options: PredictOptions = {}): Promise<Float32Array> {
  const { classes } = source.model.head;
  const scores = new Float32Array(source.rows.length * classes);
  const scoresOf = (logits: tf.Tensor1D) =>
    classes > 1 ? tf.softmax(tf.reshape(logits, [-1, classes])) : tf.sigmoid(logits);
  await eachBatch(source, options, (batch, start) => {
    scores.set(
      read(
        tf.tidy(() => scoresOf(source.model.logits(batch, INFERENCE))),
        'scores',
      ),
      start * classes,
    );
  });
  return scores;
}

/**
 * Features that the head reads, in inference mode.
 *
 * @returns [rows.length, F]; the caller disposes
 * @throws NonFiniteError when a feature is NaN or infinite
 */
export async function extractFeatures(source: Rows, options: PredictOptions = {}): Promise<tf.Tensor2D> {
  const parts: Float32Array[] = [];
  let width = 0;
  await eachBatch(source, options, (batch) => {
    const features = source.model.features(batch, INFERENCE); // [B, F]
    width = features.shape[1];
    parts.push(read(features, 'features'));
  });
  const values = new Float32Array(source.rows.length * width);
  let offset = 0;
  for (const part of parts) {
    values.set(part, offset);
    offset += part.length;
  }
  return tf.tensor2d(values, [source.rows.length, width]);
}

/** Goes through the rows by batches, which are disposed after `use`. */
export async function eachBatch(
  { inputs, rows }: Rows,
  { batchSize = BATCH_SIZE, onProgress, signal }: PredictOptions,
  use: (batch: tf.Tensor, start: number) => void,
): Promise<void> {
  for (let start = 0; start < rows.length; start += batchSize) {
    await setImmediate(); // lets Ctrl-C and the progress bar through
    if (signal?.aborted) throw new InterruptedError('scoring was stopped');
    const end = Math.min(start + batchSize, rows.length);
    const batch = await inputs.batch(
      Array.from({ length: end - start }, (_, offset) => rows[start + offset]!),
    );
    try {
      use(batch, start);
    } finally {
      batch.dispose();
    }
    onProgress?.(end - start);
  }
}

/** Values of a tensor, which is disposed. */
export function read(tensor: tf.Tensor, where: string): Float32Array {
  const values = tensor.dataSync() as Float32Array;
  tensor.dispose();
  const place = values.findIndex((value) => !Number.isFinite(value));
  if (place < 0) return values;
  throw new NonFiniteError(`model ${where}: expected finite numbers, received ${values[place]}`, { where });
}
