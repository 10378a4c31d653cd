import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { expectClose, expectNoLeak, valuesOf, valuesOn, withBackend } from '../../helpers/tensors.ts';
import { convolution, convolutionCases, inputs, LARGE, PLAIN } from './convolution-cases.ts';
import { dilations, outputsOf, shapes, strides, type WindowCase } from './reference.ts';
import { expectSameOnAnyThreads } from './threads.ts';

function kernel(test: WindowCase, dataFormat = 'NHWC') {
  const values = inputs(test);
  const { x, filter } = shapes(test, PLAIN);
  return () => [
    tf
      .engine()
      .runKernel(
        'Conv2D',
        { x: tf.tensor(values.x, x), filter: tf.tensor(values.filter, filter) },
        { strides: strides(test), dilations: dilations(test), pad: test.pad, dataFormat },
      ) as tf.Tensor,
  ];
}

describe('convolution', () => {
  withBackend('wasm');

  test('equals the sum of products in float64 and the kernel of backend cpu', async () => {
    await fc.assert(
      fc.asyncProperty(convolutionCases({ dilated: true }), async (test) => {
        const [actual] = valuesOf(kernel(test));
        expectClose(actual!, outputsOf(test, PLAIN, inputs(test)), 1e-5);
        const [ofCpu] = await valuesOn('cpu', kernel(test));
        expectClose(actual!, ofCpu!, 1e-5);
      }),
      { seed: 21, numRuns: 120 },
    );
  });

  test.each(LARGE)('equals the sum of products in float64 in several parts: %s', (_, test) => {
    const [actual] = valuesOf(kernel(test));
    expectClose(actual!, outputsOf(test, PLAIN, inputs(test)), 1e-5);
  });

  test.each(LARGE)('has the same bits on any number of threads: %s', async (_, test) => {
    await expectSameOnAnyThreads(kernel(test));
  });

  test.each(LARGE)('leaves neither a tensor nor memory behind: %s', async (_, test) => {
    await expectNoLeak(() => valuesOf(kernel(test)));
  });

  test('of no images is none', () => {
    const result = tf.conv2d(
      tf.zeros<tf.Rank.R4>([0, 4, 4, 2]),
      tf.ones<tf.Rank.R4>([3, 3, 2, 5]),
      1,
      'same',
    );
    expect(result.shape).toEqual([0, 4, 4, 5]);
    result.dispose();
  });

  test('of no channels is zero', () => {
    const [result] = valuesOf(() => [
      tf.conv2d(tf.zeros<tf.Rank.R4>([1, 2, 2, 0]), tf.ones<tf.Rank.R4>([3, 3, 0, 2]), 1, 'same'),
    ]);
    expect([...result!]).toEqual([0, 0, 0, 0, 0, 0, 0, 0]);
  });

  test('refuses images whose channels come first', () => {
    const test = convolution([1, 4, 4], { size: 4, taps: 1 });
    expect(() => tf.tidy(kernel(test, 'NCHW'))).toThrow(
      expect.objectContaining({
        code: 'UNSUPPORTED_MODEL',
        message: expect.stringContaining('Conv2D'),
      }),
    );
  });
});
