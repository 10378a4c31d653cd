import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { expectClose, expectNoLeak, noise, valuesOf, valuesOn, withBackend } from '../../helpers/tensors.ts';
import { eachMeeting, sizeOf, strides, type WindowCase, windowCases } from './reference.ts';
import { expectSameOnAnyThreads } from './threads.ts';

/** Pads beyond the filter leave windows without an input, whose pooled value no backend defines. */
const cases = fc
  .tuple(windowCases({ dilated: false }), fc.integer({ min: 1, max: 80 }))
  .map(([test, channels]) => ({ ...test, channels }))
  .filter(({ rows, columns }) =>
    [rows, columns].every(({ before, after, taps }) => before < taps && after < taps),
  );

const valuesFor = ({ images, rows, columns, channels }: WindowCase) =>
  noise(sizeOf([images, rows.size, columns.size, channels]), 1);

function pool(operation: typeof tf.maxPool, test: WindowCase) {
  const { images, rows, columns, channels, pad } = test;
  const x = tf.tensor4d(valuesFor(test), [images, rows.size, columns.size, channels]);
  return operation(x, [rows.taps, columns.taps], strides(test), pad);
}

/** `reduce` of each window, one channel after the other, from what of it lies on the image. */
function expected(reduce: (values: number[]) => number, test: WindowCase): number[] {
  const { images, rows, columns, channels } = test;
  const x = valuesFor(test);
  const windows: number[][] = Array.from({ length: images * rows.output * columns.output }, () => []);
  eachMeeting(test, ({ input, output }) => windows[output]!.push(input));
  return windows.flatMap((pixels) =>
    Array.from({ length: channels }, (_, channel) =>
      reduce(pixels.map((pixel) => x[pixel * channels + channel]!)),
    ),
  );
}

const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

const axis = { size: 40, taps: 3, stride: 2, dilation: 1, before: 1, after: 1, output: 20 };
const LARGE: WindowCase = { images: 9, channels: 37, outputs: 1, pad: 'same', rows: axis, columns: axis };

describe.each([
  { name: 'max pooling', operation: tf.maxPool, reduce: (values: number[]) => Math.max(...values) },
  { name: 'average pooling', operation: tf.avgPool, reduce: mean },
])('$name', ({ operation, reduce }) => {
  withBackend('wasm');

  test('equals its definition over what of each window lies on the image', () => {
    fc.assert(
      fc.property(cases, (test) => {
        const [actual] = valuesOf(() => [pool(operation, test)]);
        expectClose(actual!, expected(reduce, test), 1e-6);
      }),
      { seed: 71, numRuns: 60 },
    );
  });

  test('equals backend cpu where no window reaches over the border', async () => {
    await fc.assert(
      fc.asyncProperty(
        cases.filter(({ pad }) => pad === 'valid'),
        async (test) => {
          const [actual] = valuesOf(() => [pool(operation, test)]);
          const [ofCpu] = await valuesOn('cpu', () => [pool(operation, test)]);
          expectClose(actual!, ofCpu!, 1e-6);
        },
      ),
      { seed: 72, numRuns: 30 },
    );
  });

  test('gives the same bits on any number of threads', async () => {
    await expectSameOnAnyThreads(() => [pool(operation, LARGE)]);
  });

  test('leaves neither a tensor nor memory behind', async () => {
    await expectNoLeak(() => valuesOf(() => [pool(operation, LARGE)]));
  });
});

test('whole numbers are left to tfjs, which refuses them', () => {
  const x = tf.ones([1, 2, 2, 1], 'int32') as tf.Tensor4D;
  expect(() => tf.maxPool(x, 2, 2, 'valid')).toThrow('only float32 input is supported');
  x.dispose();
});
