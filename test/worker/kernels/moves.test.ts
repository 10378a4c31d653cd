import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { expectNoLeak, noise, valuesOf, valuesOn, withBackend } from '../../helpers/tensors.ts';
import { sizeOf } from './reference.ts';
import { expectSameOnAnyThreads } from './threads.ts';

const DTYPES = ['float32', 'int32', 'bool'] as const;
type Dtype = (typeof DTYPES)[number];

const shapes = fc.array(fc.oneof(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 6, max: 19 })), {
  minLength: 1,
  maxLength: 4,
});

function tensorOf(shape: readonly number[], dtype: Dtype = 'float32'): tf.Tensor {
  const values = noise(sizeOf(shape), 1).map((value) =>
    dtype === 'float32' ? value : Math.round(value * 9),
  );
  return tf.tensor(
    dtype === 'bool' ? values.map((value) => Math.min(1, value ** 2)) : values,
    [...shape],
    dtype,
  );
}

async function expectAsOnCpu(compute: () => tf.Tensor[]): Promise<void> {
  expect(valuesOf(compute)).toEqual(await valuesOn('cpu', compute));
}

describe('reverse', () => {
  withBackend('wasm');

  const cases = shapes.chain((shape) =>
    fc.record({ shape: fc.constant(shape), axes: fc.subarray(shape.map((_, axis) => axis)) }),
  );

  test.each(['float32', 'int32'] as const)('equals backend cpu along any axes, for %s', async (dtype) => {
    await fc.assert(
      fc.asyncProperty(cases, ({ shape, axes }) =>
        expectAsOnCpu(() => [tf.reverse(tensorOf(shape, dtype), axes)]),
      ),
      { seed: 91, numRuns: 30 },
    );
  });

  test('of five axes is left to tfjs', async () => {
    await expectAsOnCpu(() => [tf.reverse(tensorOf([2, 3, 2, 3, 2]), [0, 2, 4])]);
  });

  test('gives the same bits on any number of threads', async () => {
    await expectSameOnAnyThreads(() => [tf.reverse(tensorOf([9, 40, 40, 13]), [2, 1])]);
  });
});

describe('slice', () => {
  withBackend('wasm');

  const cases = shapes.chain((shape) =>
    fc.tuple(...shape.map((size) => fc.tuple(fc.nat(size - 1), fc.nat(size)))).map((ends) => ({
      shape,
      begin: ends.map(([first]) => first),
      size: ends.map(([first, length], axis) => Math.min(length, shape[axis]! - first)),
    })),
  );

  test.each(DTYPES)('equals backend cpu for any block, for %s', async (dtype) => {
    await fc.assert(
      fc.asyncProperty(cases, ({ shape, begin, size }) =>
        expectAsOnCpu(() => [tf.slice(tensorOf(shape, dtype), begin, size)]),
      ),
      { seed: 92, numRuns: 30 },
    );
  });

  test('of five axes is left to tfjs', async () => {
    await expectAsOnCpu(() => [tf.slice(tensorOf([3, 3, 3, 3, 3]), [1, 0, 1, 0, 1], [2, 2, 2, 2, 2])]);
  });

  test('gives the same bits on any number of threads', async () => {
    await expectSameOnAnyThreads(() => [tf.slice(tensorOf([9, 40, 40, 13]), [1, 2, 3, 4], [8, 36, 36, 9])]);
  });
});

describe('concat and split', () => {
  withBackend('wasm');

  const cases = shapes.chain((shape) =>
    fc.record({
      shape: fc.constant(shape),
      axis: fc.nat(shape.length - 1),
      sizes: fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 1, maxLength: 4 }),
    }),
  );

  test.each(DTYPES)('equal backend cpu along any axis, for %s', async (dtype) => {
    await fc.assert(
      fc.asyncProperty(cases, ({ shape, axis, sizes }) =>
        expectAsOnCpu(() => {
          const joined = tf.concat(
            sizes.map((size) => tensorOf(shape.with(axis, size), dtype)),
            axis,
          );
          return [joined, ...tf.split(joined, sizes, axis)];
        }),
      ),
      { seed: 93, numRuns: 30 },
    );
  });

  test('leave out what is empty', () => {
    const [values] = valuesOf(() => [tf.concat([tf.ones([2, 0]), tf.ones([2, 1]), tf.zeros([2, 1])], 1)]);
    expect([...values!]).toEqual([1, 0, 1, 0]);
  });

  test('give the same bits on any number of threads', async () => {
    await expectSameOnAnyThreads(() => {
      const joined = tf.concat([tensorOf([2000, 31]), tensorOf([2000, 50])], 1);
      return [joined, ...tf.split(joined, [40, 41], 1)];
    });
  });

  test('leave neither a tensor nor memory behind', async () => {
    await expectNoLeak(() =>
      valuesOf(() => tf.split(tf.reverse(tf.concat([tensorOf([200, 31]), tensorOf([200, 5])], 1), 1), 2, 1)),
    );
  });
});
