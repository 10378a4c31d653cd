import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { expectClose, expectNoLeak, valuesOf, valuesOn, withBackend } from '../../helpers/tensors.ts';
import { axis, DEPTHWISE, depthwiseCases, inputs, LARGE, SPLIT } from './depthwise-cases.ts';
import { dilations, outputsOf, shapes, strides, type WindowCase } from './reference.ts';
import { expectSameOnAnyThreads } from './threads.ts';

function kernel(test: WindowCase, dataFormat = 'NHWC') {
  const values = inputs(test);
  const { x, filter } = shapes(test, DEPTHWISE);
  return () => [
    tf
      .engine()
      .runKernel(
        'DepthwiseConv2dNative',
        { x: tf.tensor(values.x, x), filter: tf.tensor(values.filter, filter) },
        { strides: strides(test), dilations: dilations(test), pad: test.pad, dataFormat },
      ) as tf.Tensor,
  ];
}

describe('depthwise convolution', () => {
  withBackend('wasm');

  test('equals the sum of products in float64 and the kernel of backend cpu', async () => {
    await fc.assert(
      fc.asyncProperty(depthwiseCases, async (test) => {
        const [actual] = valuesOf(kernel(test));
        expectClose(actual!, outputsOf(test, DEPTHWISE, inputs(test)), 1e-5);
        const [ofCpu] = await valuesOn('cpu', kernel(test));
        expectClose(actual!, ofCpu!, 1e-5);
      }),
      { seed: 7, numRuns: 80 },
    );
  });

  test.each(SPLIT)('is the same where the work is split: $name', ({ test }) => {
    expectClose(valuesOf(kernel(test))[0]!, outputsOf(test, DEPTHWISE, inputs(test)), 1e-5);
  });

  test('leaves neither a tensor nor memory behind', async () => {
    const test = { ...LARGE, images: 1, outputs: 2, rows: axis(5, 3, 2), columns: axis(6, 3, 2) };
    await expectNoLeak(() => valuesOf(kernel(test)));
  });

  test('refuses images whose channels come first', () => {
    const test = { ...LARGE, images: 1, channels: 5, rows: axis(5, 3, 1), columns: axis(5, 3, 1) };
    expect(() => tf.tidy(kernel(test, 'NCHW'))).toThrow(
      expect.objectContaining({
        code: 'UNSUPPORTED_MODEL',
        message: expect.stringContaining('DepthwiseConv2dNative'),
      }),
    );
  });

  test('gives the same bits on any number of threads', async () => {
    await expectSameOnAnyThreads(kernel(LARGE));
  });
});
