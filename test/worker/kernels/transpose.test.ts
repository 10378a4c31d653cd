import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { expectNoLeak, noise, valuesOf, valuesOn, withBackend } from '../../helpers/tensors.ts';
import { sizeOf } from './reference.ts';
import { expectSameOnAnyThreads } from './threads.ts';

interface Case {
  readonly shape: number[];
  readonly permutation: number[];
}

const cases: fc.Arbitrary<Case> = fc
  .array(fc.oneof(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 6, max: 19 })), {
    minLength: 1,
    maxLength: 4,
  })
  .chain((shape) => {
    const axes = shape.map((_, axis) => axis);
    const permutation = fc.shuffledSubarray(axes, { minLength: axes.length, maxLength: axes.length });
    return fc.record({ shape: fc.constant(shape), permutation });
  });

function transposed({ shape, permutation }: Case, dtype: 'float32' | 'int32' | 'bool' = 'float32') {
  const values = noise(sizeOf(shape), 1).map((value) =>
    dtype === 'float32' ? value : Math.round(value * 9),
  );
  return [
    tf.transpose(tf.tensor(dtype === 'bool' ? values.map(Math.abs) : values, shape, dtype), permutation),
  ];
}

describe('transpose', () => {
  withBackend('wasm');

  test.each(['float32', 'int32', 'bool'] as const)(
    'equals backend cpu in any order of axes, for %s',
    async (dtype) => {
      await fc.assert(
        fc.asyncProperty(cases, async (test) => {
          const actual = valuesOf(() => transposed(test, dtype));
          expect(actual).toEqual(await valuesOn('cpu', () => transposed(test, dtype)));
        }),
        { seed: 81, numRuns: 40 },
      );
    },
  );

  test.each<[string, Case]>([
    ['last two of two', { shape: [301, 203], permutation: [1, 0] }],
    ['images to channels first', { shape: [9, 40, 33, 13], permutation: [0, 3, 1, 2] }],
    ['images to channels last', { shape: [9, 13, 40, 33], permutation: [0, 2, 3, 1] }],
    ['the innermost axis stays', { shape: [30, 20, 10, 13], permutation: [2, 0, 1, 3] }],
    ['all of four', { shape: [10, 20, 17, 21], permutation: [3, 1, 2, 0] }],
    ['five axes', { shape: [3, 4, 5, 6, 7], permutation: [4, 2, 0, 3, 1] }],
  ])('of large tensors equals backend cpu, on any number of threads: %s', async (_, test) => {
    const [actual] = valuesOf(() => transposed(test));
    const [ofCpu] = await valuesOn('cpu', () => transposed(test));
    expect(Buffer.from(actual!.buffer).equals(Buffer.from(ofCpu!.buffer))).toBe(true);
    await expectSameOnAnyThreads(() => transposed(test));
  });

  test('keeps every bit of a number', () => {
    const x = [Number.NaN, -0, 2 ** -149, Number.POSITIVE_INFINITY];
    const [values] = valuesOf(() => [tf.transpose(tf.tensor2d(x, [2, 2]))]);
    expect([...values!]).toEqual([x[0], x[2], x[1], x[3]]);
  });

  test('leaves neither a tensor nor memory behind', async () => {
    await expectNoLeak(() => valuesOf(() => transposed({ shape: [40, 50, 60], permutation: [2, 0, 1] })));
  });
});
