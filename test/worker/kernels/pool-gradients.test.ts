import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { expectClose, expectNoLeak, noise, valuesOf, valuesOn, withBackend } from '../../helpers/tensors.ts';
import {
  centralDifferences,
  eachMeeting,
  sizeOf,
  spread,
  strides,
  type WindowCase,
  windowCases,
} from './reference.ts';
import { expectSameOnAnyThreads } from './threads.ts';

/** So few images that their channels are shared out, which 16 do not divide. */
const WIDE: WindowCase = {
  images: 2,
  channels: 70,
  outputs: 1,
  pad: 'same',
  rows: { size: 9, taps: 3, stride: 2, dilation: 1, before: 1, after: 1, output: 5 },
  columns: { size: 8, taps: 2, stride: 1, dilation: 1, before: 0, after: 1, output: 8 },
};

/** Every input in one window: nothing is added up. */
const APART: WindowCase[] = [2, 3].map((taps) => {
  const axis = { taps, stride: taps, dilation: 1, before: 0, after: 0 };
  const rows = { ...axis, size: 4 * taps, output: 4 };
  const columns = { ...axis, size: 5 * taps, output: 5 };
  return { images: 3, channels: 21, outputs: 1, pad: 'valid', rows, columns };
});

/** Pads beyond the filter leave windows without an input, whose pooled value no backend defines. */
const cases = windowCases({ dilated: false }).filter(({ rows, columns }) =>
  [rows, columns].every(({ before, after, taps }) => before < taps && after < taps),
);

const shapeOfX = ({ images, rows, columns, channels }: WindowCase) => [
  images,
  rows.size,
  columns.size,
  channels,
];
const shapeOfY = ({ images, rows, columns, channels }: WindowCase) => [
  images,
  rows.output,
  columns.output,
  channels,
];

/** Distinct values, 1/64 apart, both signs, in no order: a maximum that small steps do not move. */
function distinct(size: number, seed: number): Float32Array {
  const places = Array.from(noise(size, seed), (key, index) => ({ key, index })).sort(
    (a, b) => a.key - b.key,
  );
  return Float32Array.from(places, ({ index }) => (index - size / 2) / 64);
}

interface Pooling {
  readonly x: Float32Array;
  readonly dy: Float32Array;
}

function pooling(test: WindowCase): Pooling {
  return { x: distinct(sizeOf(shapeOfX(test)), 1), dy: noise(sizeOf(shapeOfY(test)), 2) };
}

function gradient(pool: typeof tf.maxPool, test: WindowCase, { x, dy }: Pooling) {
  const size: [number, number] = [test.rows.taps, test.columns.taps];
  const forward = (input: tf.Tensor) => pool(input as tf.Tensor4D, size, strides(test), test.pad);
  return () => [tf.grad(forward)(tf.tensor(x, shapeOfX(test)), tf.tensor(dy, shapeOfY(test)))];
}

/** Pixels of x under each output pixel, in row order. */
function windows(test: WindowCase): number[][] {
  const { images, rows, columns } = test;
  const found: number[][] = Array.from({ length: images * rows.output * columns.output }, () => []);
  eachMeeting(test, ({ input, output }) => found[output]!.push(input));
  return found.map((pixels) => pixels.sort((a, b) => a - b));
}

/** Σ dy · pool(x) in float64. */
function pooled(
  reduce: (values: number[]) => number,
  test: WindowCase,
  { x, dy }: { x: ArrayLike<number>; dy: Float32Array },
) {
  const { channels } = test;
  return windows(test).reduce((sum, pixels, output) => {
    const each = Array.from({ length: channels }, (_, channel) => {
      const value = reduce(pixels.map((pixel) => x[pixel * channels + channel]!));
      return value * dy[output * channels + channel]!;
    });
    return each.reduce((total, term) => total + term, sum);
  }, 0);
}

const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

describe('gradient of max pooling', () => {
  withBackend('wasm');

  test('equals central differences in float64 and the gradient of backend cpu', async () => {
    await fc.assert(
      fc.asyncProperty(cases, async (test) => {
        const values = pooling(test);
        const [actual] = valuesOf(gradient(tf.maxPool, test, values));
        const at = spread(values.x.length, 8);
        const f = (x: Float64Array) => pooled((window) => Math.max(...window), test, { ...values, x });
        const differences = centralDifferences(values.x, f, { at, step: 1 / 256 });
        expectClose(
          at.map((index) => actual![index]!),
          differences,
          1e-5,
        );
        const [ofCpu] = await valuesOn('cpu', gradient(tf.maxPool, test, values));
        expectClose(actual!, ofCpu!, 1e-5);
      }),
      { seed: 7, numRuns: 60 },
    );
  });

  test('goes to the first of equal maxima, as in backend cpu', async () => {
    await fc.assert(
      fc.asyncProperty(cases, async (test) => {
        const values = {
          ...pooling(test),
          x: noise(sizeOf(shapeOfX(test)), 4).map((value) => Math.round(value)),
        };
        const [actual] = valuesOf(gradient(tf.maxPool, test, values));
        const [ofCpu] = await valuesOn('cpu', gradient(tf.maxPool, test, values));
        expectClose(actual!, ofCpu!, 1e-5);
      }),
      { seed: 8, numRuns: 30 },
    );
  });

  test.each(APART)('goes to the first of equal maxima where windows are apart', async (test) => {
    const values = {
      ...pooling(test),
      x: noise(sizeOf(shapeOfX(test)), 4).map((value) => Math.round(value)),
    };
    const [ofCpu] = await valuesOn('cpu', gradient(tf.maxPool, test, values));
    expectClose(valuesOf(gradient(tf.maxPool, test, values))[0]!, ofCpu!, 0);
  });

  test('stays inside a window whose values are all zero', () => {
    const x = tf.tensor4d([3, 1, 0, 0, 1, 1, 0, 0], [1, 2, 4, 1]);
    const [dx] = valuesOf(() => [
      tf.grad((input: tf.Tensor) => tf.maxPool(input as tf.Tensor4D, 2, 2, 'valid'))(
        x,
        tf.tensor4d([5, 7], [1, 1, 2, 1]),
      ),
    ]);
    x.dispose();
    expect([...dx!]).toEqual([5, 0, 7, 0, 0, 0, 0, 0]);
  });

  test('of many channels equals that of backend cpu, and has the same bits on any number of threads', async () => {
    const ofWide = gradient(tf.maxPool, WIDE, pooling(WIDE));
    const [ofCpu] = await valuesOn('cpu', ofWide);
    expectClose(valuesOf(ofWide)[0]!, ofCpu!, 1e-6);
    await expectSameOnAnyThreads(ofWide);
  });

  test('leaves neither a tensor nor memory behind', async () => {
    const axis = { size: 5, taps: 3, stride: 2, dilation: 1, before: 1, after: 1, output: 3 };
    const test: WindowCase = { images: 2, channels: 3, outputs: 1, pad: 'same', rows: axis, columns: axis };
    await expectNoLeak(() => valuesOf(gradient(tf.maxPool, test, pooling(test))));
  });
});

describe('gradient of average pooling', () => {
  withBackend('wasm');

  test('equals central differences in float64', () => {
    fc.assert(
      fc.property(cases, (test) => {
        const values = pooling(test);
        const [actual] = valuesOf(gradient(tf.avgPool, test, values));
        const at = spread(values.x.length, 12);
        const f = (x: Float64Array) => pooled(mean, test, { ...values, x });
        const differences = centralDifferences(values.x, f, { at, step: 0.5 });
        expectClose(
          at.map((index) => actual![index]!),
          differences,
          1e-5,
        );
      }),
      { seed: 9, numRuns: 60 },
    );
  });

  test('equals the gradient of backend cpu where no window reaches over the border', async () => {
    await fc.assert(
      fc.asyncProperty(
        cases.filter(({ pad }) => pad === 'valid'),
        async (test) => {
          const values = pooling(test);
          const [actual] = valuesOf(gradient(tf.avgPool, test, values));
          const [ofCpu] = await valuesOn('cpu', gradient(tf.avgPool, test, values));
          expectClose(actual!, ofCpu!, 1e-5);
        },
      ),
      { seed: 10, numRuns: 30 },
    );
  });

  test.each(APART)('equals that of backend cpu where windows are apart', async (test) => {
    const [ofCpu] = await valuesOn('cpu', gradient(tf.avgPool, test, pooling(test)));
    expectClose(valuesOf(gradient(tf.avgPool, test, pooling(test)))[0]!, ofCpu!, 1e-6);
  });

  test('shares out exactly what came in, at the border too', () => {
    const ones = { x: noise(25, 1), dy: new Float32Array(25).fill(1) };
    const axis = { size: 5, taps: 3, stride: 1, dilation: 1, before: 1, after: 1, output: 5 };
    const test: WindowCase = { images: 1, channels: 1, outputs: 1, pad: 'same', rows: axis, columns: axis };
    const [dx] = valuesOf(gradient(tf.avgPool, test, ones));
    expect(dx!.reduce((sum, value) => sum + value, 0)).toBeCloseTo(25, 4);
  });

  test('has the same bits on any number of threads', async () => {
    await expectSameOnAnyThreads(gradient(tf.avgPool, WIDE, pooling(WIDE)));
  });
});
