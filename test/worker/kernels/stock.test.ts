import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, test } from 'vitest';
import { stockName } from '../../../worker/kernels/stock.ts';
import { valuesOf, withBackend } from '../../helpers/tensors.ts';

describe('a kernel that was replaced', () => {
  withBackend('wasm');

  test.each(['Sum', 'Multiply', 'FusedBatchNorm'])('%s stays registered under another name', (kernel) => {
    const stock = tf.getKernel(stockName(kernel), 'wasm')?.kernelFunc;
    expect(stock).toBeDefined();
    expect(stock).not.toBe(tf.getKernel(kernel, 'wasm')?.kernelFunc);
  });

  test.each([
    ['sums of whole numbers', () => tf.sum(tf.tensor2d([1, 2, 3, 4], [2, 2], 'int32'), 0), [1 + 3, 2 + 4]],
    ['sums of rows that are no neighbours', () => tf.sum(tf.ones([2, 3, 4]), [0, 2]), [8, 8, 8]],
    ['products that repeat both factors', () => tf.mul(tf.tensor2d([1, 2], [2, 1]), [[3, 4]]), [3, 4, 6, 8]],
    [
      'batch norm along another axis',
      () => tf.batchNorm(tf.ones([1, 2]), tf.zeros([1, 2]), tf.tensor2d([[1, 4]]), undefined, undefined, 0),
      [1, 1 / 2],
    ],
  ])('still makes %s', (_, compute, expected) => {
    expect([...valuesOf(() => [compute()])[0]!]).toEqual(expected);
  });
});
