import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { expectClose, expectNoLeak, noise, valuesOf, valuesOn, withBackend } from '../../helpers/tensors.ts';
import { centralDifferences, spread } from './reference.ts';
import { expectSameOnAnyThreads } from './threads.ts';

const cases = fc.record({
  size: fc.oneof(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 65_530, max: 70_000 })),
  alpha: fc.constantFrom(0, 0.1, 0.3, 2),
});

describe('leaky relu', () => {
  withBackend('wasm');

  const valueAndGradient = (size: number, alpha: number) => () => {
    // zeros among them
    const x = tf.tensor1d(noise(size, 1).map((value) => Math.round(value * 20) / 10));
    const f = (input: tf.Tensor) => tf.leakyRelu(input, alpha);
    return [f(x), tf.grad(f)(x, tf.tensor1d(noise(size, 2)))];
  };

  test('equals backend cpu, its gradient too', async () => {
    await fc.assert(
      fc.asyncProperty(cases, async ({ size, alpha }) => {
        const ofCpu = await valuesOn('cpu', valueAndGradient(size, alpha));
        valuesOf(valueAndGradient(size, alpha)).forEach((values, index) => {
          expectClose(values, ofCpu[index]!, 1e-6);
        });
      }),
      { seed: 121, numRuns: 20 },
    );
  });

  test('has the gradient that central differences give', () => {
    const x = noise(50, 3);
    const [dx] = valuesOf(() => [tf.grad((input: tf.Tensor) => tf.leakyRelu(input, 0.3))(tf.tensor1d(x))]);
    const f = (values: Float64Array) =>
      values.reduce((sum, value) => sum + (value > 0 ? value : 0.3 * value), 0);
    const at = spread(50, 50);
    expectClose(dx!, centralDifferences(x, f, { at, step: 1e-6 }), 1e-6);
  });

  test('of whole numbers is left to tfjs', () => {
    expect([...valuesOf(() => [tf.leakyRelu(tf.tensor1d([-4, 4], 'int32'), 0.5)])[0]!]).toEqual([-2, 4]);
  });

  test('gives the same bits on any number of threads, and leaves nothing behind', async () => {
    await expectSameOnAnyThreads(valueAndGradient(300_001, 0.1));
    await expectNoLeak(() => valuesOf(valueAndGradient(70_000, 0.1)));
  });
});
