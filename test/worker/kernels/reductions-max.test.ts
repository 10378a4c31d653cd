import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { expectNoLeak, noise, valuesOf, valuesOn, withBackend } from '../../helpers/tensors.ts';
import { centralDifferences, sizeOf, spread } from './reference.ts';
import { expectSameOnAnyThreads } from './threads.ts';

interface Case {
  readonly shape: number[];
  readonly axes: number[];
  readonly keepDims: boolean;
}

const cases: fc.Arbitrary<Case> = fc
  .record({
    shape: fc.array(fc.oneof(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 6, max: 19 })), {
      minLength: 1,
      maxLength: 4,
    }),
    chosen: fc.array(fc.boolean(), { minLength: 4, maxLength: 4 }),
    keepDims: fc.boolean(),
  })
  .map(({ shape, chosen, keepDims }) => {
    const axes = shape.flatMap((_, axis) => (chosen[axis] ? [axis] : []));
    return { shape, axes: axes.length > 0 ? axes : [0], keepDims };
  });

/** Tenths, so that some values are equal. */
const tenths = (shape: number[]) => noise(sizeOf(shape), 1).map((value) => Math.round(value * 10) / 10);

function valueAndGradient(
  { shape, axes, keepDims }: Case,
  values: Float32Array = tenths(shape),
): tf.Tensor[] {
  const x = tf.tensor(values, shape);
  const f = (input: tf.Tensor) => tf.max(input, axes, keepDims);
  const y = f(x);
  return [y, tf.grad(f)(x, tf.tensor(noise(y.size, 2), y.shape))];
}

describe('the largest along some axes', () => {
  withBackend('wasm');

  test('and its gradient, which all of equal ones get, equal backend cpu', async () => {
    await fc.assert(
      fc.asyncProperty(cases, async (test) => {
        const actual = valuesOf(() => valueAndGradient(test));
        const ofCpu = await valuesOn('cpu', () => valueAndGradient(test));
        const plain = (values: Float32Array[]) => values.map((list) => [...list].map((value) => value + 0));
        expect(plain(actual)).toEqual(plain(ofCpu));
      }),
      { seed: 101, numRuns: 60 },
    );
  });

  test('has the gradient that central differences give', () => {
    const shape = [3, 4, 5, 6];
    const x = noise(360, 3);
    const [, dx] = valuesOf(() => valueAndGradient({ shape, axes: [1, 2], keepDims: false }, x));
    const dy = noise(18, 2);
    const f = (values: Float64Array) =>
      dy.reduce((sum, slope, place) => {
        const group = Math.floor(place / 6) * 120 + (place % 6);
        const window = Array.from({ length: 20 }, (_, row) => values[group + 6 * row]!);
        return sum + slope * Math.max(...window);
      }, 0);
    const at = spread(360, 90);
    const expected = centralDifferences(x, f, { at, step: 1e-6 });
    at.forEach((index, order) => {
      expect(dx![index]!).toBeCloseTo(expected[order]!, 6);
    });
  });

  test('is NaN where there is one', () => {
    const x = [1, 2, 3, 4, Number.NaN, 6, 7, 8, 9, 0, 0, 0];
    expect([...valuesOf(() => [tf.max(tf.tensor2d(x, [3, 4]), 0)])[0]!]).toEqual([Number.NaN, 6, 7, 8]);
  });

  const LARGE: Case = { shape: [9, 40, 40, 13], axes: [1, 2], keepDims: false };

  test('gives the same bits on any number of threads', async () => {
    await expectSameOnAnyThreads(() => valueAndGradient(LARGE));
  });

  test('leaves neither a tensor nor memory behind', async () => {
    await expectNoLeak(() => valuesOf(() => valueAndGradient(LARGE)));
  });
});
