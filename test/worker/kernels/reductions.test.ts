import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { describe, test } from 'vitest';
import { expectClose, expectNoLeak, noise, valuesOf, valuesOn, withBackend } from '../../helpers/tensors.ts';
import { sizeOf } from './reference.ts';
import { expectSameOnAnyThreads } from './threads.ts';

interface Case {
  readonly shape: number[];
  readonly axes: number[];
  readonly keepDims: boolean;
}

const cases: fc.Arbitrary<Case> = fc
  .record({
    shape: fc.oneof(
      fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 4 }),
      fc.tuple(
        fc.integer({ min: 1, max: 70 }),
        fc.integer({ min: 1, max: 40 }),
        fc.integer({ min: 1, max: 70 }),
      ),
    ),
    chosen: fc.array(fc.boolean(), { minLength: 4, maxLength: 4 }),
    keepDims: fc.boolean(),
  })
  .map(({ shape, chosen, keepDims }) => {
    const axes = shape.flatMap((_, axis) => (chosen[axis] ? [axis] : []));
    return { shape, axes: axes.length > 0 ? axes : [0], keepDims };
  });

/** Σ over the axes in float64, and how many are in each. */
function sums({ shape, axes }: Case, x: ArrayLike<number>): { sum: number[]; count: number } {
  const kept = shape.map((size, axis) => (axes.includes(axis) ? 1 : size));
  const sum = Array.from({ length: sizeOf(kept) }, () => 0);
  for (let index = 0; index < x.length; index += 1) {
    let rest = index;
    let place = 0;
    let step = 1;
    for (let axis = shape.length - 1; axis >= 0; axis -= 1) {
      place += step * ((rest % shape[axis]!) % kept[axis]!);
      step *= kept[axis]!;
      rest = Math.floor(rest / shape[axis]!);
    }
    sum[place]! += x[index]!;
  }
  return { sum, count: x.length / sum.length };
}

const OPERATIONS = { sum: tf.sum, mean: tf.mean };

describe.each(['sum', 'mean'] as const)('%s', (name) => {
  withBackend('wasm');
  const reduce = ({ shape, axes, keepDims }: Case) => {
    const x = tf.tensor(noise(sizeOf(shape), 1), shape);
    const f = (input: tf.Tensor) => OPERATIONS[name](input, axes, keepDims);
    const y = f(x);
    return [y, tf.grad(f)(x, tf.tensor(noise(y.size, 2), y.shape))];
  };

  test('equals the sum in float64 and backend cpu, over any axes', async () => {
    await fc.assert(
      fc.asyncProperty(cases, async (test) => {
        const actual = valuesOf(() => reduce(test));
        const { sum, count } = sums(test, noise(sizeOf(test.shape), 1));
        const scale = name === 'sum' ? 1 : 1 / count;
        expectClose(
          actual[0]!,
          sum.map((value) => value * scale),
          1e-5,
        );
        const ofCpu = await valuesOn('cpu', () => reduce(test));
        actual.forEach((values, index) => {
          expectClose(values, ofCpu[index]!, 1e-4);
        });
      }),
      { seed: 41, numRuns: 60 },
    );
  });

  test.each([
    { shape: [9, 31, 33, 16], axes: [0, 1, 2] },
    { shape: [9, 31, 33, 21], axes: [0, 1, 2] },
    { shape: [9000, 35], axes: [0] },
    { shape: [70_000, 3], axes: [0] },
    { shape: [300_007], axes: [0] },
    { shape: [40, 9, 9, 50], axes: [1, 2] },
  ])('of [$shape] over $axes is exact to float32, and the same on any number of threads', async (large) => {
    const test = { ...large, keepDims: false };
    const x = noise(sizeOf(large.shape), 1);
    const { sum, count } = sums(test, x);
    const scale = name === 'sum' ? 1 : 1 / count;
    expectClose(
      valuesOf(() => reduce(test))[0]!,
      sum.map((value) => value * scale),
      1e-6,
    );
    await expectSameOnAnyThreads(() => reduce(test));
  });

  test('leaves neither a tensor nor memory behind', async () => {
    await expectNoLeak(() => valuesOf(() => reduce({ shape: [50, 50, 40], axes: [0, 1], keepDims: true })));
  });

  test('of large numbers of one sign keeps its digits', () => {
    const x = noise(2 ** 20, 1).map((value) => 100 + value);
    const total = x.reduce((sum, value) => sum + value, 0);
    const [actual] = valuesOf(() => [tf.sum(tf.tensor1d(x))]);
    expectClose(actual!, [total], 1e-7);
  });
});
