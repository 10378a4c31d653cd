import * as tf from '@tensorflow/tfjs-core';
import type { InputSource } from '../data/types.ts';
import { NonFiniteError } from '../errors.ts';
import type { Classifier } from './classifier.ts';
import { INFERENCE } from './classifier.ts';

export interface PredictOptions {
  readonly batchSize?: number;
  /** Called after each batch with the number of samples done. */
  readonly onProgress?: (done: number, total: number) => void;
}

const BATCH_SIZE = 64;

/**
 * Scores of the model in inference mode: sigmoid of the logit, whether or not the model ends in a sigmoid.
 *
 * @param rows  rows of `inputs` to score, in the order in which scores are wanted
 * @returns [rows.length] in [0, 1]
 * @throws NonFiniteError when a logit is NaN or infinite
 */
export async function predictScores(
  { model, inputs, rows }: { model: Classifier; inputs: InputSource; rows: ArrayLike<number> },
  { batchSize = BATCH_SIZE, onProgress }: PredictOptions = {},
): Promise<Float32Array> {
  const scores = new Float32Array(rows.length);
  for (let start = 0; start < rows.length; start += batchSize) {
    const chosen = Array.from(
      { length: Math.min(batchSize, rows.length - start) },
      (_, offset) => rows[start + offset]!,
    );
    const batch = await inputs.batch(chosen);
    try {
      scores.set(scoreBatch(model, batch), start);
    } finally {
      batch.dispose();
    }
    onProgress?.(Math.min(start + batchSize, rows.length), rows.length);
  }
  return scores;
}

function scoreBatch(model: Classifier, batch: tf.Tensor): Float32Array {
  const scores = tf.tidy(() => tf.sigmoid(model.logits(batch, INFERENCE))); // [B]
  const values = scores.dataSync() as Float32Array;
  scores.dispose();
  const place = values.findIndex((value) => !Number.isFinite(value));
  if (place < 0) return values;
  throw new NonFiniteError(`model output: expected finite scores, received ${values[place]}`, {
    where: 'scores',
  });
}
