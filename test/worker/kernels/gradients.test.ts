import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, test } from 'vitest';
import { startBackend } from '../../../worker/backend.ts';
import { replaceGradient } from '../../../worker/kernels/gradients.ts';
import { kernelCalls } from '../../helpers/kernels.ts';
import { valuesOf, withBackend } from '../../helpers/tensors.ts';

const slope = () => tf.grad((x: tf.Tensor) => tf.relu(x))(tf.tensor1d([-1, 2]), tf.tensor1d([3, 4]));

const kernelsOf = async (run: () => tf.Tensor) => Object.keys(await kernelCalls(() => tf.tidy(run)));

describe('a gradient of ours', () => {
  withBackend('wasm');

  test('is used on backend wasm', async () => {
    expect(await kernelsOf(slope)).toContain('ClipGradient');
    expect([...valuesOf(() => [slope()])[0]!]).toEqual([0, 4]);
  });

  test("leaves every other backend tfjs's own", async () => {
    await startBackend('cpu');
    expect(await kernelsOf(slope)).not.toContain('ClipGradient');
    await startBackend('wasm');
  });

  test("leaves a second derivative tfjs's own", () => {
    const cube = (x: tf.Tensor) => tf.sum(tf.mul(tf.relu(x), tf.square(x)));
    const second = tf.grad((x: tf.Tensor) => tf.grad(cube)(x));
    expect([...valuesOf(() => [second(tf.tensor1d([-1, 2]))])[0]!]).toEqual([0, 6 * 2]);
  });

  test('is registered once', () => {
    const before = tf.getGradient('Relu');
    replaceGradient('Relu', () => null);
    expect(tf.getGradient('Relu')).toBe(before);
  });
});
