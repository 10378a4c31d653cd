import * as tf from '@tensorflow/tfjs-core';
import { expect, it } from 'vitest';
import { RECTIFIER_LAYERS } from '../../../../../../core/model/formats/keras/layers/rectifiers.ts';
import { specOf, testOracles } from '../../../../../helpers/keras.ts';
import { withBackend } from '../../../../../helpers/tensors.ts';

testOracles('L_elu', 'L_leaky', 'L_prelu', 'L_relu_max', 'L_relu_slope', 'L_relu_thr', 'L_softmax');

withBackend('cpu');

it.each([
  [{ alpha: 0.5 }, -1],
  [{ negative_slope: 0.25 }, -0.5],
  [{}, -0.6],
])('reads the slope of a leaky ReLU as Keras 2 and 3 write it: %o', (config, expected) => {
  const layer = RECTIFIER_LAYERS.LeakyReLU(specOf('LeakyReLU', config));
  const [value] = tf.tidy(() => (layer.apply(tf.tensor2d([[-2]])) as tf.Tensor).dataSync());
  expect(value).toBeCloseTo(expected);
});

it.each([
  [{}, -1],
  [{ axis: 0 }, 0],
  [{ axis: [1] }, 1],
])('tells along which axis a softmax is: %o', (config, axis) => {
  const layer = RECTIFIER_LAYERS.Softmax(specOf('Softmax', config));
  expect(layer.getConfig()).toMatchObject({ axis });
  const sums = tf.tidy(() => {
    const y = layer.apply(tf.tensor2d([1, 2, 3, 4, 5, 6], [2, 3])) as tf.Tensor;
    return Array.from(tf.sum(y, axis).dataSync());
  });
  for (const sum of sums) expect(sum).toBeCloseTo(1, 6);
});
