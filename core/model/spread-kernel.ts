import type { Tensor4D } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';

/**
 * A dilated kernel as a larger one with zeros between its entries: no backend has the gradient of a dilated
 * convolution.
 *
 * @param kernel  [H, W, C, F]
 * @returns [(H − 1) · down + 1, (W − 1) · right + 1, C, F]; the caller disposes
 */
export function spreadKernel(kernel: Tensor4D, [down, right]: readonly [number, number]): Tensor4D {
  return tf.tidy(() => {
    const [height, width, channels, filters] = kernel.shape;
    const rows = spreadAxis(tf.reshape(kernel, [1, height, width * channels * filters]), down);
    const tall = rows.shape[1];
    const columns = spreadAxis(tf.reshape(rows, [tall, width, channels * filters]), right);
    return tf.reshape(columns, [tall, columns.shape[1], channels, filters]);
  });
}

/** [N, L, M] → [N, (L − 1) · dilation + 1, M] */
function spreadAxis(x: tf.Tensor3D, dilation: number): tf.Tensor3D {
  if (dilation === 1) return x;
  const [count, length, width] = x.shape;
  const gaps = tf.pad(tf.reshape(x, [count * length, 1, width]), [
    [0, 0],
    [0, dilation - 1],
    [0, 0],
  ]);
  const long = tf.reshape(gaps, [count, length * dilation, width]) as tf.Tensor3D;
  return tf.slice(long, [0, 0, 0], [count, (length - 1) * dilation + 1, width]);
}
