import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { expectClose, expectNoLeak, valuesOf, valuesOn, withBackend } from '../../helpers/tensors.ts';
import { axis, DEPTHWISE, depthwiseCases, inputs, LARGE, SPLIT } from './depthwise-cases.ts';
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

function kernel(test: WindowCase) {
  const values = inputs(test);
  const { x, filter, dy } = shapes(test, DEPTHWISE);
  return () => [
    tf
      .engine()
      .runKernel(
        'DepthwiseConv2dNativeBackpropInput',
        { dy: tf.tensor(values.dy, dy), filter: tf.tensor(values.filter, filter) },
        { strides: strides(test), dilations: dilations(test), pad: test.pad, inputShape: x },
      ) as tf.Tensor,
  ];
}

describe('gradient of a depthwise convolution by its input', () => {
  withBackend('wasm');

  test('equals the sum of products in float64 and, where not dilated, the kernel of backend cpu', async () => {
    await fc.assert(
      fc.asyncProperty(depthwiseCases, async (test) => {
        const [actual] = valuesOf(kernel(test));
        expectClose(actual!, gradients(test, DEPTHWISE, inputs(test)).byInput, 1e-5);
        if (dilations(test).some((dilation) => dilation > 1)) return;
        const [ofCpu] = await valuesOn('cpu', kernel(test));
        expectClose(actual!, ofCpu!, 1e-5);
      }),
      { seed: 3, numRuns: 80 },
    );
  });

  test('equals central differences of the convolution in float64', () => {
    fc.assert(
      fc.property(depthwiseCases, (test) => {
        const values = inputs(test);
        const [actual] = valuesOf(kernel(test));
        const at = spread(values.x.length, 6);
        const f = (x: Float64Array) => form(test, DEPTHWISE, { ...values, x });
        const differences = centralDifferences(values.x, f, { at, step: 0.5 });
        const scale = Math.max(...actual!.map(Math.abs));
        at.forEach((index, place) => {
          expect(Math.abs(actual![index]! - differences[place]!)).toBeLessThanOrEqual(1e-5 * scale);
        });
      }),
      { seed: 4, numRuns: 20 },
    );
  });

  test.each(SPLIT)('is the same where the work is split: $name', ({ test }) => {
    expectClose(valuesOf(kernel(test))[0]!, gradients(test, DEPTHWISE, inputs(test)).byInput, 1e-5);
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
    const pad: WindowCase['pad'] = [
      [0, 0],
      [2, 0],
      [2, 0],
      [0, 0],
    ];
    const test: WindowCase = { images: 1, channels: 1, outputs: 1, pad, rows: short, columns: short };
    const { filter, dy } = inputs(test);
    expectClose(valuesOf(kernel(test))[0]!, [filter[8]! * dy[0]!, 0, 0, 0], 1e-6);
  });

  test('refuses a stride together with a dilation', () => {
    const both = { ...axis(7, 2, 2), dilation: 2 };
    const test: WindowCase = { images: 1, channels: 1, outputs: 1, pad: 'same', rows: both, columns: both };
    expect(() => tf.tidy(kernel(test))).toThrow(expect.objectContaining({ code: 'UNSUPPORTED_MODEL' }));
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

  test('gives the same bits on any number of threads', async () => {
    await expectSameOnAnyThreads(kernel(LARGE));
  });
});
