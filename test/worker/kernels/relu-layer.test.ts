import * as tf from '@tensorflow/tfjs-core';
import { layers } from '@tensorflow/tfjs-layers';
import { describe, expect, test } from 'vitest';
import { replaceReluCall } from '../../../worker/kernels/relu-layer.ts';
import { kernelCalls } from '../../helpers/kernels.ts';
import { valuesOf, valuesOn, withBackend } from '../../helpers/tensors.ts';

/** Both ends of the range among them. */
const VALUES = [-7, -0.5, 0, 0.5, 5.5, 6, 6.5, 100];

function valueAndGradient(maxValue?: number) {
  const layer = layers.reLU(maxValue === undefined ? {} : { maxValue });
  const f = (x: tf.Tensor) => layer.apply(x) as tf.Tensor;
  const x = tf.tensor2d(VALUES, [1, 8]);
  return [f(x), tf.grad(f)(x, tf.tensor2d([1, 2, 3, 4, 5, 6, 7, 8], [1, 8]))];
}

const kernelsOf = async (maxValue?: number) =>
  Object.keys(await kernelCalls(() => tf.dispose(tf.tidy(() => valueAndGradient(maxValue)))));

describe('a ReLU layer', () => {
  withBackend('wasm');

  test.each([undefined, 6, 5.5])(
    'with a largest value of %s has value and gradient as on cpu',
    async (most) => {
      const plain = (lists: Float32Array[]) => lists.map((list) => [...list].map((value) => value + 0));
      const ofCpu = await valuesOn('cpu', () => valueAndGradient(most));
      expect(plain(valuesOf(() => valueAndGradient(most)))).toEqual(plain(ofCpu));
    },
  );

  test('with a largest value of 6 runs one kernel, with another two', async () => {
    expect(await kernelsOf(6)).not.toContain('ClipByValue');
    expect(await kernelsOf(6)).toContain('Relu6');
    expect(await kernelsOf(5.5)).toContain('ClipByValue');
  });

  test('is replaced once', () => {
    const { prototype } = tf.serialization.SerializationMap.getMap().classNameMap.ReLU![0];
    const before = (prototype as unknown as { call: unknown }).call;
    replaceReluCall();
    expect((prototype as unknown as { call: unknown }).call).toBe(before);
  });
});
