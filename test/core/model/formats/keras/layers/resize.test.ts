import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { RESIZE_LAYERS } from '../../../../../../core/model/formats/keras/layers/resize.ts';
import { specOf, testOracles } from '../../../../../helpers/keras.ts';
import { withBackend } from '../../../../../helpers/tensors.ts';

testOracles('L_resizing', 'L_up_bil', 'L_up_nn');

describe('resizing', () => {
  withBackend('cpu');

  it('keeps what a row of equal pixels is, at any size', () => {
    for (const interpolation of ['bilinear', 'nearest']) {
      const layer = RESIZE_LAYERS.Resizing(specOf('Resizing', { height: 5, width: 3, interpolation }));
      const output = tf.tidy(() => (layer.apply(tf.fill([1, 2, 7, 1], 3)) as tf.Tensor).dataSync());
      expect(Array.from(output)).toEqual(Array(15).fill(3));
    }
  });

  it('weighs pixels by the distance of their centres', () => {
    const layer = RESIZE_LAYERS.Resizing(specOf('Resizing', { height: 1, width: 4 }));
    const output = tf.tidy(() => (layer.apply(tf.tensor4d([0, 8], [1, 1, 2, 1])) as tf.Tensor).dataSync());
    expect(Array.from(output)).toEqual([0, 8 / 4, (8 * 3) / 4, 8]);
  });

  it.each([
    [{ height: 4, width: 4, antialias: true }],
    [{ height: 4, width: 4, crop_to_aspect_ratio: true }],
    [{ height: 4, width: 4, interpolation: 'lanczos3' }],
    [{ height: 2 ** 20, width: 4 }],
  ])('refuses %o', (config) => {
    expect(() => RESIZE_LAYERS.Resizing(specOf('Resizing', config))).toThrow(
      /^model layer "made" \(Resizing\): "/,
    );
  });
});
