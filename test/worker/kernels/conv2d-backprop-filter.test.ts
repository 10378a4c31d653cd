import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { expectClose, expectNoLeak, noise, valuesOf, valuesOn, withBackend } from '../../helpers/tensors.ts';
import {
  centralDifferences,
  form,
  gradients,
  shapes,
  sizeOf,
  spread,
  strides,
  type WindowCase,
  windowCases,
} from './reference.ts';

const PLAIN = { depthwise: false };

function inputs(test: WindowCase) {
  const { x, filter, dy } = shapes(test, PLAIN);
  return { x: noise(sizeOf(x), 1), filter: noise(sizeOf(filter), 2), dy: noise(sizeOf(dy), 3) };
}

function kernel(test: WindowCase, dataFormat = 'NHWC') {
  const values = inputs(test);
  const { x, filter, dy } = shapes(test, PLAIN);
  return () => [
    tf.engine().runKernel(
      'Conv2DBackpropFilter',
      { x: tf.tensor(values.x, x), dy: tf.tensor(values.dy, dy) },
      {
        strides: strides(test),
        pad: test.pad,
        dataFormat,
        filterShape: filter,
      },
    ) as tf.Tensor,
  ];
}

describe('gradient of a convolution by its filter', () => {
  withBackend('wasm');

  test('equals the sum of products in float64 and the kernel of backend cpu', async () => {
    await fc.assert(
      fc.asyncProperty(windowCases({ dilated: false }), async (test) => {
        const [actual] = valuesOf(kernel(test));
        const [ofCpu] = await valuesOn('cpu', kernel(test));
        expectClose(actual!, gradients(test, PLAIN, inputs(test)).byFilter, 1e-5);
        expectClose(actual!, ofCpu!, 1e-5);
      }),
      { seed: 1, numRuns: 80 },
    );
  });

  test('equals central differences of the convolution in float64', () => {
    fc.assert(
      fc.property(windowCases({ dilated: false }), (test) => {
        const values = inputs(test);
        const [actual] = valuesOf(kernel(test));
        const at = spread(values.filter.length, 6);
        const differences = centralDifferences(
          values.filter,
          (filter) => form(test, PLAIN, { ...values, filter }),
          {
            at,
            step: 0.5,
          },
        );
        const scale = Math.max(...actual!.map(Math.abs));
        at.forEach((index, place) => {
          expect(Math.abs(actual![index]! - differences[place]!)).toBeLessThanOrEqual(1e-5 * scale);
        });
      }),
      { seed: 2, numRuns: 20 },
    );
  });

  test('adds up images that are multiplied in several chunks', () => {
    const axis = { size: 40, taps: 3, stride: 1, dilation: 1, before: 1, after: 1, output: 40 };
    const test: WindowCase = { images: 10, channels: 9, outputs: 2, pad: 'same', rows: axis, columns: axis };
    expectClose(valuesOf(kernel(test))[0]!, gradients(test, PLAIN, inputs(test)).byFilter, 1e-5);
  });

  test('leaves neither a tensor nor memory behind', async () => {
    const axis = { size: 7, taps: 3, stride: 2, dilation: 1, before: 1, after: 1, output: 4 };
    const test: WindowCase = { images: 2, channels: 3, outputs: 4, pad: 'same', rows: axis, columns: axis };
    await expectNoLeak(() => valuesOf(kernel(test)));
  });

  test('refuses images whose channels come first', () => {
    const axis = { size: 4, taps: 1, stride: 1, dilation: 1, before: 0, after: 0, output: 4 };
    const test: WindowCase = { images: 1, channels: 4, outputs: 4, pad: 'valid', rows: axis, columns: axis };
    expect(() => tf.tidy(kernel(test, 'NCHW'))).toThrow(
      expect.objectContaining({
        code: 'UNSUPPORTED_MODEL',
        message: expect.stringContaining('Conv2DBackpropFilter'),
      }),
    );
  });
});
