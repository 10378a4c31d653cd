import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, test } from 'vitest';
import { convolve, pointwise } from '../../../worker/kernels/convolution.ts';
import { type AxisWalk, forwardWalk } from '../../../worker/kernels/convolution-walk.ts';
import { floats, release } from '../../../worker/kernels/heap.ts';
import { withBackend } from '../../helpers/tensors.ts';

/** Of an image [1, size, size, 1] and a filter of one tap. */
function geometry(size: number, stride: number) {
  const info = tf.backend_util.computeConv2DInfo([1, size, size, 1], [1, 1, 1, 1], stride, 1, 'valid');
  return forwardWalk(info);
}

describe('convolve', () => {
  withBackend('wasm');

  test('writes the outputs that its walk names and no other', () => {
    const backend = tf.backend() as BackendWasm;
    const source = tf.tensor4d([1, 2, 3, 4], [1, 2, 2, 1]);
    const filter = tf.tensor4d([10], [1, 1, 1, 1]);
    const result = tf.fill<tf.Rank.R4>([1, 4, 4, 1], -1);
    const odd: AxisWalk = {
      ...geometry(2, 1).rows,
      outputSize: 4,
      count: 2,
      firstOutput: 1,
      outputStep: 2,
    };
    const convolution = { source, filter, isTransposed: false, images: 1, depth: 1, columns: 1, result };
    convolve(backend, convolution, { rows: odd, columns: odd });
    expect([...floats(backend, result)]).toEqual(
      [
        [-1, -1, -1, -1],
        [-1, 10, -1, 20],
        [-1, -1, -1, -1],
        [-1, 30, -1, 40],
      ].flat(),
    );
    tf.dispose([source, filter, result]);
  });
});

describe('pointwise', () => {
  withBackend('wasm');

  test('is a matrix product when no pixel is left out, and nothing otherwise', () => {
    const backend = tf.backend() as BackendWasm;
    const source = tf.tensor4d([1, 2, 3, 4], [1, 2, 2, 1]);
    const filter = tf.tensor4d([10], [1, 1, 1, 1]);
    const convolution = { source, filter, isTransposed: false, images: 1, depth: 1, columns: 1 };
    const result = pointwise(backend, convolution, geometry(2, 1))!;
    expect(result.shape).toEqual([1, 2, 2, 1]);
    expect([...floats(backend, result)]).toEqual([10, 20, 30, 40]);
    expect(pointwise(backend, convolution, geometry(2, 2))).toBe(null);
    release(backend, result);
    tf.dispose([source, filter]);
  });
});
