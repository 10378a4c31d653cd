import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { expectClose, expectNoLeak, noise, valuesOf, valuesOn, withBackend } from '../../helpers/tensors.ts';

const sums = fc.record({
  ids: fc.array(fc.integer({ min: -1, max: 6 }), { minLength: 1, maxLength: 12 }),
  row: fc.array(fc.integer({ min: 1, max: 4 }), { maxLength: 2 }),
});

describe('sum by segment', () => {
  withBackend('wasm');

  test('equals backend cpu, ids outside the segments left out', async () => {
    await fc.assert(
      fc.asyncProperty(sums, async ({ ids, row }) => {
        const shape = [ids.length, ...row];
        const values = noise(
          shape.reduce((product, size) => product * size, 1),
          1,
        );
        const sum = () => [tf.unsortedSegmentSum(tf.tensor(values, shape), tf.tensor1d(ids, 'int32'), 5)];
        expectClose(valuesOf(sum)[0]!, (await valuesOn('cpu', sum))[0]!, 1e-6);
      }),
      { seed: 14, numRuns: 60 },
    );
  });

  test('gives the gradient of gather: one share for each time a row is taken', () => {
    const taken = (rows: tf.Tensor) => tf.gather(rows, tf.tensor1d([2, 0, 2], 'int32'));
    const [gradient] = valuesOf(() => [tf.grad(taken)(tf.ones([4, 2]))]);
    expect([...gradient!]).toEqual([1, 1, 0, 0, 2, 2, 0, 0]);
  });

  test('leaves neither a tensor nor memory behind', async () => {
    await expectNoLeak(() =>
      valuesOf(() => [tf.unsortedSegmentSum(tf.ones([3, 2]), tf.tensor1d([0, 1, 1], 'int32'), 2)]),
    );
  });
});
