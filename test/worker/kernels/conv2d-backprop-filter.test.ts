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
import { expectSameOnAnyThreads } from './threads.ts';

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

  const window = (size: number, taps: number, stride: number) => {
    const output = Math.ceil(size / stride);
    const missing = Math.max(0, (output - 1) * stride + taps - size);
    const before = Math.floor(missing / 2);
    return { size, taps, stride, dilation: 1, before, after: missing - before, output };
  };

  /** Squares that the image does not fill, and that the padding does. */
  const minimalCases = fc
    .record({
      images: fc.integer({ min: 1, max: 3 }),
      channels: fc.oneof(fc.integer({ min: 1, max: 20 }), fc.constantFrom(67)),
      outputs: fc.integer({ min: 1, max: 20 }),
      sizes: fc.tuple(fc.integer({ min: 1, max: 13 }), fc.integer({ min: 1, max: 13 })),
      pads: fc.array(fc.nat(3), { minLength: 4, maxLength: 4 }),
    })
    .map(({ images, channels, outputs, sizes, pads }): WindowCase => {
      const axis = (place: number) => {
        const [before, after] = [pads[2 * place]!, pads[2 * place + 1]!];
        const size = Math.max(sizes[place]!, 3 - before - after);
        return { size, taps: 3, stride: 1, dilation: 1, before, after, output: size + before + after - 2 };
      };
      const [rows, columns] = [axis(0), axis(1)];
      const pad: WindowCase['pad'] = [
        [0, 0],
        [rows.before, rows.after],
        [columns.before, columns.after],
        [0, 0],
      ];
      return { images, channels, outputs, pad, rows, columns };
    });

  test('equals both for filters of 3 × 3 and stride 1', async () => {
    await fc.assert(
      fc.asyncProperty(minimalCases, async (test) => {
        const [actual] = valuesOf(kernel(test));
        expectClose(actual!, gradients(test, PLAIN, inputs(test)).byFilter, 1e-5);
        const [ofCpu] = await valuesOn('cpu', kernel(test));
        expectClose(actual!, ofCpu!, 1e-5);
      }),
      { seed: 9, numRuns: 30 },
    );
  });

  test.each([
    { name: 'many pixels', images: 10, channels: 9, outputs: 2, size: 40, taps: 3, stride: 1 },
    {
      name: 'few pixels of many channels',
      images: 1,
      channels: 300,
      outputs: 70,
      size: 3,
      taps: 3,
      stride: 1,
    },
    { name: 'one tap', images: 2, channels: 65, outputs: 99, size: 17, taps: 1, stride: 1 },
    { name: 'wide strides', images: 3, channels: 33, outputs: 20, size: 31, taps: 5, stride: 3 },
    { name: 'one channel', images: 5, channels: 1, outputs: 4, size: 29, taps: 7, stride: 2 },
  ])('adds up the parts of $name', ({ images, channels, outputs, size, taps, stride }) => {
    const rows = window(size, taps, stride);
    const columns = window(size + 2, taps, stride);
    const test: WindowCase = { images, channels, outputs, pad: 'same', rows, columns };
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

  test('gives the same bits on any number of threads', async () => {
    const [rows, columns] = [window(23, 3, 1), window(31, 3, 1)];
    await expectSameOnAnyThreads(
      kernel({ images: 4, channels: 20, outputs: 30, pad: 'same', rows, columns }),
    );
  });
});
