import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { NOISE_LAYERS } from '../../../../../../core/model/formats/keras/layers/noise.ts';
import { specOf, testOracles } from '../../../../../helpers/keras.ts';
import { withBackend } from '../../../../../helpers/tensors.ts';

testOracles('L_dropout', 'L_flip', 'L_gnoise', 'L_rot', 'L_spdrop');

describe('in training mode', () => {
  withBackend('cpu');

  /** Sums over the axes of what becomes of ones in [8, 4, 4, 8]. */
  function sumsAfter(layer: ReturnType<(typeof NOISE_LAYERS)['Dropout']>, axes: number[]): number[] {
    Object.assign(layer, { seed: 1 });
    return tf.tidy(() => {
      const output = layer.apply(tf.ones([8, 4, 4, 8]), { training: true }) as tf.Tensor;
      return Array.from(tf.sum(output, axes).dataSync());
    });
  }

  it('spatial dropout drops whole maps, and makes up for them', () => {
    const sums = sumsAfter(NOISE_LAYERS.SpatialDropout2D(specOf('SpatialDropout2D', { rate: 0.5 })), [1, 2]);
    expect(new Set(sums)).toEqual(new Set([0, 2 * 4 * 4]));
  });

  it('stochastic depth drops whole samples, and makes up for them', () => {
    const spec = specOf('StochasticDepth', { drop_path_rate: 0.5 });
    expect(new Set(sumsAfter(NOISE_LAYERS.StochasticDepth(spec), [1, 2, 3]))).toEqual(
      new Set([0, 2 * 4 * 4 * 8]),
    );
  });

  it('augmentation leaves images as they are', () => {
    const sums = sumsAfter(
      NOISE_LAYERS.RandomBrightness(specOf('RandomBrightness', { factor: 0.5 })),
      [1, 2],
    );
    expect(new Set(sums)).toEqual(new Set([4 * 4]));
  });
});
