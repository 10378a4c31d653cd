import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { expectClose, expectNoLeak, noise, valuesOf, valuesOn, withBackend } from '../../helpers/tensors.ts';
import { centralDifferences, spread } from './reference.ts';
import { expectSameOnAnyThreads } from './threads.ts';

const FUNCTIONS = {
  relu: (x: tf.Tensor) => tf.relu(x),
  relu6: (x: tf.Tensor) => tf.relu6(x),
  clipByValue: (x: tf.Tensor) => tf.clipByValue(x, -1.5, 2.5),
};
const OF_NUMBERS: Record<keyof typeof FUNCTIONS, (x: number) => number> = {
  relu: (x) => Math.max(x, 0),
  relu6: (x) => Math.min(Math.max(x, 0), 6),
  clipByValue: (x) => Math.min(Math.max(x, -1.5), 2.5),
};
const NAMES = Object.keys(FUNCTIONS) as (keyof typeof FUNCTIONS)[];

/** Quarters from −8 to 8, so that both ends of each range occur, and one past where a part begins. */
const quarters = (size: number) => noise(size, 1).map((value) => Math.round(value * 32) / 4);
const sizes = fc.oneof(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 65_530, max: 70_000 }));

describe.each(NAMES)('%s', (name) => {
  withBackend('wasm');
  const valueAndGradient = (size: number) => () => {
    const x = tf.tensor1d(quarters(size));
    return [FUNCTIONS[name](x), tf.grad(FUNCTIONS[name])(x, tf.tensor1d(noise(size, 2)))];
  };

  test('equals its definition and backend cpu, its gradient too', async () => {
    await fc.assert(
      fc.asyncProperty(sizes, async (size) => {
        const actual = valuesOf(valueAndGradient(size));
        expectClose(actual[0]!, Array.from(quarters(size), OF_NUMBERS[name]), 0);
        const ofCpu = await valuesOn('cpu', valueAndGradient(size));
        actual.forEach((values, index) => {
          expectClose(values, ofCpu[index]!, 1e-6);
        });
      }),
      { seed: 21, numRuns: 20 },
    );
  });

  test('has the gradient that central differences give', () => {
    const x = noise(100, 3).map((value) => value * 8);
    const at = spread(100, 20);
    const [dx] = valuesOf(() => [tf.grad(FUNCTIONS[name])(tf.tensor1d(x))]);
    const f = (values: Float64Array) =>
      values.reduce((sum: number, value) => sum + OF_NUMBERS[name](value), 0);
    const expected = centralDifferences(x, f, { at, step: 1e-6 });
    expectClose(
      at.map((index) => dx![index]!),
      expected,
      1e-6,
    );
  });

  test('passes NaN on', () => {
    expect(valuesOf(() => [FUNCTIONS[name](tf.tensor1d([Number.NaN]))])[0]![0]).toBeNaN();
  });

  test('gives the same bits on any number of threads', async () => {
    await expectSameOnAnyThreads(valueAndGradient(300_001));
  });

  test('leaves neither a tensor nor memory behind', async () => {
    await expectNoLeak(() => valuesOf(valueAndGradient(70_000)));
  });
});

test('whole numbers are left to tfjs', () => {
  const [values] = valuesOf(() => [tf.relu(tf.tensor1d([-1, 5], 'int32'))]);
  expect([...values!]).toEqual([0, 5]);
});
