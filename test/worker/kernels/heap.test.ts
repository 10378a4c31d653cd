import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, test } from 'vitest';
import { assertChannelsLast, floats, release, runKernel, view, zeros } from '../../../worker/kernels/heap.ts';
import { expectNoLeak, withBackend } from '../../helpers/tensors.ts';

const backend = () => tf.backend() as BackendWasm;

describe('the heap', () => {
  withBackend('wasm');

  test('gives zeros where another tensor lay before', () => {
    const spoiled = backend().makeOutput([64], 'float32');
    floats(backend(), spoiled).fill(7);
    release(backend(), spoiled);
    const fresh = zeros(backend(), [64]);
    expect([...floats(backend(), fresh)]).toEqual(new Array(64).fill(0));
    release(backend(), fresh);
  });

  test('shows the same elements under another shape', () => {
    const matrix = zeros(backend(), [2, 3]);
    floats(backend(), view(matrix, [6]))[5] = 4;
    expect(floats(backend(), matrix)[5]).toBe(4);
    release(backend(), matrix);
  });

  test('is as full after a kernel and its release as before', async () => {
    await expectNoLeak(() => {
      const x = zeros(backend(), [2, 3]);
      const transposed = runKernel(backend(), {
        kernel: 'Transpose',
        inputs: { x },
        attrs: { perm: [1, 0] },
      });
      expect(transposed.shape).toEqual([3, 2]);
      release(backend(), x, transposed);
    });
  });

  test('names a kernel that is not there', () => {
    expect(() => runKernel(backend(), { kernel: 'NoSuchKernel', inputs: {}, attrs: {} })).toThrow(
      expect.objectContaining({
        code: 'BACKEND_UNAVAILABLE',
        message: expect.stringContaining('NoSuchKernel'),
      }),
    );
  });

  test('accepts images whose channels come last only', () => {
    expect(() => assertChannelsLast('Conv2D', 'NHWC')).not.toThrow();
    expect(() => assertChannelsLast('Conv2D', 'NCHW')).toThrow(
      expect.objectContaining({ code: 'UNSUPPORTED_MODEL' }),
    );
  });
});
