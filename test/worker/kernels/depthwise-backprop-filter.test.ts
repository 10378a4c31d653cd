import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { expectClose, expectNoLeak, noise, valuesOf, valuesOn, withBackend } from '../../helpers/tensors.ts';
import {
  centralDifferences,
  dilations,
  form,
  gradients,
  shapes,
  sizeOf,
  spread,
  strides,
  type WindowCase,
  windowCases,
} from './reference.ts';

const DEPTHWISE = { depthwise: true };

function inputs(test: WindowCase) {
  const { x, filter, dy } = shapes(test, DEPTHWISE);
  return { x: noise(sizeOf(x), 1), filter: noise(sizeOf(filter), 2), dy: noise(sizeOf(dy), 3) };
}

function kernel(test: WindowCase) {
  const values = inputs(test);
  const { x, filter, dy } = shapes(test, DEPTHWISE);
  return () => [
    tf.engine().runKernel(
      'DepthwiseConv2dNativeBackpropFilter',
      { x: tf.tensor(values.x, x), dy: tf.tensor(values.dy, dy) },
      {
        strides: strides(test),
        dilations: dilations(test),
        pad: test.pad,
        filterShape: filter,
      },
    ) as tf.Tensor,
  ];
}

/** Depthwise outputs per channel are few in practice; beyond 4 the reference only gets slow. */
const cases = windowCases({ dilated: true }).map((test) => ({ ...test, outputs: 1 + (test.outputs % 4) }));

describe('gradient of a depthwise convolution by its filter', () => {
  withBackend('wasm');

  test('equals the sum of products in float64 and, where not dilated, the kernel of backend cpu', async () => {
    await fc.assert(
      fc.asyncProperty(cases, async (test) => {
        const [actual] = valuesOf(kernel(test));
        expectClose(actual!, gradients(test, DEPTHWISE, inputs(test)).byFilter, 1e-5);
        if (dilations(test).some((dilation) => dilation > 1)) return;
        const [ofCpu] = await valuesOn('cpu', kernel(test));
        expectClose(actual!, ofCpu!, 1e-5);
      }),
      { seed: 5, numRuns: 80 },
    );
  });

  test('equals central differences of the convolution in float64', () => {
    fc.assert(
      fc.property(cases, (test) => {
        const values = inputs(test);
        const [actual] = valuesOf(kernel(test));
        const at = spread(values.filter.length, 6);
        const f = (filter: Float64Array) => form(test, DEPTHWISE, { ...values, filter });
        const differences = centralDifferences(values.filter, f, { at, step: 0.5 });
        const scale = Math.max(...actual!.map(Math.abs));
        at.forEach((index, place) => {
          expect(Math.abs(actual![index]! - differences[place]!)).toBeLessThanOrEqual(1e-5 * scale);
        });
      }),
      { seed: 6, numRuns: 20 },
    );
  });

  test('leaves neither a tensor nor memory behind', async () => {
    const axis = { size: 7, taps: 3, stride: 2, dilation: 1, before: 1, after: 1, output: 4 };
    const test: WindowCase = { images: 2, channels: 5, outputs: 2, pad: 'same', rows: axis, columns: axis };
    await expectNoLeak(() => valuesOf(kernel(test)));
  });
});
