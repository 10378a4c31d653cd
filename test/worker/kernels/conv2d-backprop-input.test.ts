import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { expectClose, expectNoLeak, valuesOf, valuesOn, withBackend } from '../../helpers/tensors.ts';
import { axis, convolutionCases, inputs, LARGE, PLAIN } from './convolution-cases.ts';
import {
  centralDifferences,
  dilations,
  form,
  gradients,
  shapes,
  spread,
  strides,
  type WindowCase,
} from './reference.ts';
import { expectSameOnAnyThreads } from './threads.ts';

function kernel(test: WindowCase, dataFormat = 'NHWC') {
  const values = inputs(test);
  const { x, filter, dy } = shapes(test, PLAIN);
  return () => [
    tf.engine().runKernel(
      'Conv2DBackpropInput',
      { dy: tf.tensor(values.dy, dy), filter: tf.tensor(values.filter, filter) },
      {
        strides: strides(test),
        dilations: dilations(test),
        pad: test.pad,
        dataFormat,
        inputShape: x,
      },
    ) as tf.Tensor,
  ];
}

describe('gradient of a convolution by its input', () => {
  withBackend('wasm');

  test('equals the sum of products in float64 and, where not dilated, the kernel of backend cpu', async () => {
    await fc.assert(
      fc.asyncProperty(convolutionCases({ dilated: true }), async (test) => {
        const [actual] = valuesOf(kernel(test));
        expectClose(actual!, gradients(test, PLAIN, inputs(test)).byInput, 1e-5);
        if (dilations(test).some((dilation) => dilation > 1)) return;
        const [ofCpu] = await valuesOn('cpu', kernel(test));
        expectClose(actual!, ofCpu!, 1e-5);
      }),
      { seed: 3, numRuns: 80 },
    );
  });

  test('equals central differences of the convolution in float64', () => {
    fc.assert(
      fc.property(convolutionCases({ dilated: true }), (test) => {
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

  test.each(LARGE)('equals the sum of products in float64 in several parts: %s', (_, test) => {
    const [actual] = valuesOf(kernel(test));
    expectClose(actual!, gradients(test, PLAIN, inputs(test)).byInput, 1e-5);
  });

  test.each(LARGE)('has the same bits on any number of threads: %s', async (_, test) => {
    await expectSameOnAnyThreads(kernel(test));
  });

  test('equals the sum of products where both stride and dilation exceed 1', () => {
    for (const [stride, dilation] of [
      [2, 2],
      [2, 3],
      [3, 2],
      [4, 6],
    ] as const) {
      const size = 4 * dilation + 7;
      const along = { size, taps: 4, stride, dilation, before: 0, after: 0 };
      const rows = { ...along, output: Math.floor((size - 3 * dilation - 1) / stride) + 1 };
      const test: WindowCase = { images: 2, channels: 3, outputs: 9, pad: 'valid', rows, columns: rows };
      expectClose(valuesOf(kernel(test))[0]!, gradients(test, PLAIN, inputs(test)).byInput, 1e-5);
    }
  });

  test('of no images is none', () => {
    const attrs = { strides: [1, 1], pad: 'same', dataFormat: 'NHWC', inputShape: [0, 3, 3, 2] };
    const result = tf
      .engine()
      .runKernel(
        'Conv2DBackpropInput',
        { dy: tf.zeros([0, 3, 3, 4]), filter: tf.ones([3, 3, 2, 4]) },
        attrs,
      ) as tf.Tensor;
    expect(result.shape).toEqual([0, 3, 3, 2]);
    result.dispose();
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
