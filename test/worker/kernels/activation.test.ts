import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, test } from 'vitest';
import { activated, assertBias, boundsOf } from '../../../worker/kernels/activation.ts';
import { floats } from '../../../worker/kernels/heap.ts';
import { expectNoLeak, withBackend } from '../../helpers/tensors.ts';

describe('activation', () => {
  withBackend('wasm');

  test('of a bound changes nothing any more', () => {
    const backend = tf.backend() as BackendWasm;
    const x = tf.tensor1d([-1, 1]);
    for (const activation of ['linear', 'relu', 'relu6'] as const) {
      expect(activated(backend, x, { activation })).toBe(x);
    }
    x.dispose();
  });

  test('of another kind makes a result and releases what it was made of', async () => {
    const backend = tf.backend() as BackendWasm;
    const call = () => {
      const x = backend.makeOutput([2], 'float32');
      floats(backend, x).set([-1, 1]);
      const result = activated(backend, x, { activation: 'leakyrelu', leakyreluAlpha: 0.25 });
      expect([...floats(backend, result)]).toEqual([-0.25, 1]);
      backend.disposeData(result.dataId);
    };
    await expectNoLeak(call);
  });

  test('bounds nothing unless it is a bound', () => {
    expect(boundsOf('sigmoid')).toEqual({ low: Number.NEGATIVE_INFINITY, high: Number.POSITIVE_INFINITY });
    expect(boundsOf('relu6')).toEqual({ low: 0, high: 6 });
  });

  test('takes a bias of one value per column or none', () => {
    const bias = tf.zeros([1, 3]);
    expect(() => assertBias('here', undefined, 3)).not.toThrow();
    expect(() => assertBias('here', bias, 3)).toThrow('here: bias, expected [3], received [1,3]');
    bias.dispose();
  });
});
