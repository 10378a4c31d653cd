import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, test } from 'vitest';
import { denseLogits } from '../../../core/model/dense-head.ts';
import { withBackend } from '../../helpers/tensors.ts';

describe('denseLogits', () => {
  withBackend('cpu');

  test.each([
    [null, [1 * 3 + 2 * 4, 0]],
    [10, [21, 10]],
  ])('with bias %d', (bias, expected) => {
    const parameter = (name: string, tensor: tf.Tensor) => ({
      name,
      layer: 'head',
      shape: tensor.shape,
      variable: tf.variable(tensor),
    });
    const logits = tf.tidy(() => {
      const kernel = parameter('kernel', tf.tensor2d([[3], [4]]));
      const head = {
        name: 'head',
        kernel,
        bias: bias === null ? null : parameter('bias', tf.tensor1d([bias])),
      };
      return Array.from(
        denseLogits(
          tf.tensor2d([
            [1, 2],
            [0, 0],
          ]),
          head,
        ).dataSync(),
      );
    });
    expect(logits).toEqual(expected);
  });
});
