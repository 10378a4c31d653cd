import * as tf from '@tensorflow/tfjs-core';
import { backend_util } from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { forwardWalk } from '../../../worker/kernels/convolution-walk.ts';
import { suitsWinograd } from '../../../worker/kernels/winograd.ts';
import { expectClose, expectNoLeak, noise, valuesOf, withBackend } from '../../helpers/tensors.ts';
import { convolution, inputs, PLAIN } from './convolution-cases.ts';
import { dilations, gradients, outputsOf, shapes, strides, type WindowCase } from './reference.ts';
import { expectSameOnAnyThreads } from './threads.ts';

const side = fc.record({ size: fc.integer({ min: 6, max: 15 }), before: fc.nat(4), after: fc.nat(4) });

function axisOf({ size, before, after }: { size: number; before: number; after: number }) {
  return { size, taps: 3, stride: 1, dilation: 1, before, after, output: size + before + after - 2 };
}

/** 3 × 3 at stride 1: odd sizes, pads beyond the filter. */
const cases = fc
  .record({
    images: fc.integer({ min: 2, max: 4 }),
    fours: fc.integer({ min: 2, max: 6 }),
    outputFours: fc.integer({ min: 2, max: 6 }),
    row: side,
    column: side,
  })
  .map(
    ({ images, fours, outputFours, row, column }): WindowCase => ({
      images,
      channels: 4 * fours,
      outputs: 4 * outputFours,
      pad: [
        [0, 0],
        [row.before, row.after],
        [column.before, column.after],
        [0, 0],
      ],
      rows: axisOf(row),
      columns: axisOf(column),
    }),
  );

function suits(test: WindowCase): boolean {
  const { x, filter } = shapes(test, PLAIN);
  const info = backend_util.computeConv2DInfo(x, filter, strides(test), dilations(test), test.pad);
  const none = { shape: filter, dtype: 'float32' as const, dataId: {} };
  const { images, channels, outputs } = test;
  return suitsWinograd(
    { source: none, filter: none, isTransposed: false, images, depth: channels, columns: outputs },
    forwardWalk(info),
  );
}

function kernels(test: WindowCase): () => tf.Tensor[] {
  const values = inputs(test);
  const { x, filter, dy } = shapes(test, PLAIN);
  const attrs = { strides: 1, dilations: 1, pad: test.pad, dataFormat: 'NHWC' as const };
  return () => {
    const weights = tf.tensor(values.filter, filter);
    return [
      tf
        .engine()
        .runKernel(
          'FusedConv2D',
          { x: tf.tensor(values.x, x), filter: weights, bias: tf.tensor1d(noise(test.outputs, 4)) },
          { ...attrs, activation: 'relu' },
        ) as tf.Tensor,
      tf
        .engine()
        .runKernel(
          'Conv2DBackpropInput',
          { dy: tf.tensor(values.dy, dy), filter: weights },
          { ...attrs, inputShape: x },
        ) as tf.Tensor,
    ];
  };
}

function expectExact(test: WindowCase, tolerance: number): void {
  const [actual, gradient] = valuesOf(kernels(test));
  const bias = noise(test.outputs, 4);
  const expected = outputsOf(test, PLAIN, inputs(test)).map((value, index) =>
    Math.max(0, value + bias[index % test.outputs]!),
  );
  expectClose(actual!, expected, tolerance);
  expectClose(gradient!, gradients(test, PLAIN, inputs(test)).byInput, tolerance);
}

describe('minimal filtering', () => {
  withBackend('wasm');

  test('equals the sum of products in float64, with bias and bounds, and so does the gradient by the input', () => {
    fc.assert(
      fc.property(
        cases.filter((test) => suits(test)),
        (test) => expectExact(test, 4e-6),
      ),
      { seed: 51, numRuns: 40 },
    );
  });

  test('keeps its rounding small in long sums', () => {
    expectExact(convolution([1, 320, 32], { size: 16, taps: 3 }), 4e-6);
  });

  test('has the same bits on any number of threads, over several blocks', async () => {
    await expectSameOnAnyThreads(kernels(convolution([5, 64, 64], { size: 21, taps: 3 })));
  });

  test('leaves neither a tensor nor memory behind', async () => {
    const test = convolution([2, 16, 8], { size: 16, taps: 3 });
    await expectNoLeak(() => valuesOf(kernels(test)));
  });

  const usual = convolution([4, 16, 16], { size: 16, taps: 3 });

  test.each<[string, WindowCase, boolean]>([
    ['usual layers', usual, true],
    ['another filter', convolution([4, 16, 16], { size: 16, taps: 5 }), false],
    ['a stride', convolution([4, 16, 16], { size: 16, taps: 3, stride: 2 }), false],
    ['a dilation', { ...usual, rows: { ...usual.rows, dilation: 2 } }, false],
    ['channels that are no multiple of 4', { ...usual, channels: 18 }, false],
    ['outputs that are no multiple of 4', { ...usual, outputs: 18 }, false],
    ['images smaller than its squares', convolution([64, 16, 16], { size: 1, taps: 3 }), false],
    [
      'fewer squares than pay for a transformed filter',
      convolution([1, 64, 64], { size: 4, taps: 3 }),
      false,
    ],
  ])('is chosen or not for %s', (_, test, expected) => {
    expect(suits(test)).toBe(expected);
  });
});
