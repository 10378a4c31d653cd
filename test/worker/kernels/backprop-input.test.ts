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
      'Conv2DBackpropInput',
      { dy: tf.tensor(values.dy, dy), filter: tf.tensor(values.filter, filter) },
      {
        strides: strides(test),
        pad: test.pad,
        dataFormat,
        inputShape: x,
      },
    ) as tf.Tensor,
  ];
}

const axis = (size: number, taps: number, stride: number) => {
  const output = Math.ceil(size / stride);
  const missing = Math.max(0, (output - 1) * stride + taps - size);
  const before = Math.floor(missing / 2);
  return { size, taps, stride, dilation: 1, before, after: missing - before, output };
};

describe('gradient of a convolution by its input', () => {
  withBackend('wasm');

  test('equals the sum of products in float64 and the kernel of backend cpu', async () => {
    await fc.assert(
      fc.asyncProperty(windowCases({ dilated: false }), async (test) => {
        const [actual] = valuesOf(kernel(test));
        expectClose(actual!, gradients(test, PLAIN, inputs(test)).byInput, 1e-5);
        const [ofCpu] = await valuesOn('cpu', kernel(test));
        expectClose(actual!, ofCpu!, 1e-5);
      }),
      { seed: 3, numRuns: 80 },
    );
  });

  test('equals central differences of the convolution in float64', () => {
    fc.assert(
      fc.property(windowCases({ dilated: false }), (test) => {
        const values = inputs(test);
        const [actual] = valuesOf(kernel(test));
        const at = spread(values.x.length, 6);
        const f = (x: Float64Array) => form(test, PLAIN, { ...values, x });
        const differences = centralDifferences(values.x, f, { at, step: 0.5 });
        const scale = Math.max(...actual!.map(Math.abs));
        at.forEach((index, place) => {
          expect(Math.abs(actual![index]! - differences[place]!)).toBeLessThanOrEqual(1e-5 * scale);
        });
      }),
      { seed: 4, numRuns: 20 },
    );
  });

  test('is zero at inputs that a stride leaves out', () => {
    const test: WindowCase = {
      images: 1,
      channels: 2,
      outputs: 1,
      pad: 'same',
      rows: axis(5, 1, 3),
      columns: axis(4, 1, 3),
    };
    const [actual] = valuesOf(kernel(test));
    const isMet = (row: number, column: number) => row % 3 === 0 && column % 3 === 0;
    actual!.forEach((value, index) => {
      const pixel = Math.floor(index / 2);
      if (!isMet(Math.floor(pixel / 4), pixel % 4)) expect(value).toBe(0);
    });
    expect(actual!.filter((value) => value !== 0)).toHaveLength(2 * 2 * 2);
  });

  test('is zero at inputs that lie beyond the last window', () => {
    const short = { size: 2, taps: 3, stride: 3, dilation: 1, before: 2, after: 0, output: 1 };
    const test: WindowCase = {
      images: 1,
      channels: 1,
      outputs: 1,
      pad: [
        [0, 0],
        [2, 0],
        [2, 0],
        [0, 0],
      ],
      rows: short,
      columns: short,
    };
    const [actual] = valuesOf(kernel(test));
    const { filter, dy } = inputs(test);
    expectClose(actual!, [filter[8]! * dy[0]!, 0, 0, 0], 1e-6);
  });

  const cropped = { size: 4, taps: 2, stride: 1, dilation: 1, before: 3, after: 3, output: 9 };

  test.each([
    ['at stride 1', 'same' as const, axis(7, 3, 1)],
    ['at stride 2', 'same' as const, axis(7, 3, 2)],
    ['under a padding that is wider than the filter', 3, cropped],
  ])('leaves neither a tensor nor memory behind %s', async (_, pad, rows) => {
    const test: WindowCase = { images: 2, channels: 3, outputs: 2, pad, rows, columns: rows };
    await expectNoLeak(() => valuesOf(kernel(test)));
  });

  test('refuses images whose channels come first', () => {
    const test: WindowCase = {
      images: 1,
      channels: 4,
      outputs: 4,
      pad: 'valid',
      rows: axis(4, 1, 1),
      columns: axis(4, 1, 1),
    };
    expect(() => tf.tidy(kernel(test, 'NCHW'))).toThrow(
      expect.objectContaining({
        code: 'UNSUPPORTED_MODEL',
        message: expect.stringContaining('Conv2DBackpropInput'),
      }),
    );
  });
});
