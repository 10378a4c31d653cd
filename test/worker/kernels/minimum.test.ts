import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { kernelCalls } from '../../helpers/kernels.ts';
import { expectClose, expectNoLeak, noise, valuesOf, valuesOn, withBackend } from '../../helpers/tensors.ts';
import { expectSameOnAnyThreads } from './threads.ts';

/** Halves from −4 to 4, so that the bound occurs. */
const halves = (size: number) => noise(size, 1).map((value) => Math.round(value * 8) / 2);

const cases = fc.record({
  size: fc.oneof(fc.integer({ min: 2, max: 40 }), fc.integer({ min: 65_530, max: 70_000 })),
  bound: fc.constantFrom(-2, -0.5, 0, 1.5, 6),
  isFirst: fc.boolean(),
});

describe.each([
  { name: 'minimum', operation: tf.minimum },
  { name: 'maximum', operation: tf.maximum },
])('$name', ({ operation }) => {
  withBackend('wasm');

  const valueAndGradient = (test: { size: number; bound: number; isFirst: boolean }) => () => {
    const x = tf.tensor1d(halves(test.size));
    const f = (input: tf.Tensor) =>
      test.isFirst ? operation(input, test.bound) : operation(test.bound, input);
    return [f(x), tf.grad(f)(x, tf.tensor1d(noise(test.size, 2)))];
  };

  test('with a number equals backend cpu, its gradient too', async () => {
    await fc.assert(
      fc.asyncProperty(cases, async (test) => {
        const ofCpu = await valuesOn('cpu', valueAndGradient(test));
        valuesOf(valueAndGradient(test)).forEach((values, index) => {
          expectClose(values, ofCpu[index]!, 0);
        });
      }),
      { seed: 111, numRuns: 30 },
    );
  });

  test.each([
    ['two tensors', () => operation(tf.tensor1d([1, 5, 3]), tf.tensor1d([4, 2, 3]))],
    ['a row and a column', () => operation(tf.tensor2d([[1, 5]]), tf.tensor2d([[4], [2]]))],
    ['whole numbers', () => operation(tf.tensor1d([1, 5], 'int32'), tf.scalar(3, 'int32'))],
    ['two numbers', () => operation(tf.scalar(2), tf.scalar(3))],
  ])('of %s is left to tfjs', async (_, compute) => {
    const [actual] = valuesOf(() => [compute()]);
    expect(actual).toEqual((await valuesOn('cpu', () => [compute()]))[0]);
  });

  test('of two tensors has the gradient of tfjs', async () => {
    const gradients = () => tf.grads(operation)([tf.tensor1d([1, 5, 3]), tf.tensor1d([4, 2, 3])]);
    expect(valuesOf(gradients)).toEqual(await valuesOn('cpu', gradients));
    expect(await kernelCalls(() => tf.dispose(tf.tidy(gradients)))).not.toHaveProperty('ClipGradient');
  });

  test('gives the same bits on any number of threads, and leaves nothing behind', async () => {
    const compute = valueAndGradient({ size: 300_001, bound: 1.5, isFirst: false });
    await expectSameOnAnyThreads(compute);
    await expectNoLeak(() => valuesOf(compute));
  });
});
