import * as tf from '@tensorflow/tfjs-core';
import type { Classifier } from './classifier.ts';

/**
 * Logits of a dense layer of one unit.
 *
 * @param features  [B, F]; read, never disposed
 * @returns [B]; the caller disposes
 */
export function denseLogits(features: tf.Tensor2D, { kernel, bias }: Classifier['head']): tf.Tensor1D {
  return tf.tidy(() => {
    const products = tf.matMul(features, kernel.variable as tf.Tensor2D); // [B, F] · [F, 1]
    return tf.reshape(bias ? tf.add(products, bias.variable) : products, [-1]) as tf.Tensor1D; // [B]
  });
}
