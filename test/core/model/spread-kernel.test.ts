import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { spreadKernel } from '../../../core/model/spread-kernel.ts';
import { expectClose, expectNoLeak, noise, withBackend } from '../../helpers/tensors.ts';

describe('spreadKernel', () => {
  withBackend('cpu');

  it('puts zeros between the entries', () => {
    const values = tf.tidy(() => spreadKernel(tf.tensor4d([1, 2, 3, 4], [2, 2, 1, 1]), [2, 3]).arraySync());
    expect(values.flat(3)).toEqual([1, 0, 0, 2, 0, 0, 0, 0, 3, 0, 0, 4]);
    expect(values).toHaveLength(3);
  });

  it.each([
    [1, 1],
    [2, 2],
    [3, 1],
  ] as const)(
    'convolves as tfjs does with dilation %i × %i, and leaves nothing behind',
    async (down, right) => {
      await expectNoLeak(() => {
        tf.tidy(() => {
          const x = tf.tensor4d(noise(2 * 11 * 9 * 3, 1), [2, 11, 9, 3]);
          const kernel = tf.tensor4d(noise(3 * 2 * 3 * 4, 2), [3, 2, 3, 4]);
          const spread = tf.conv2d(x, spreadKernel(kernel, [down, right]), 1, 'same');
          const dilated = tf.conv2d(x, kernel, 1, 'same', 'NHWC', [down, right]);
          expectClose(spread.dataSync(), dilated.dataSync(), 1e-6);
        });
      });
    },
  );
});
