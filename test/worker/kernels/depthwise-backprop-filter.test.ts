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

describe('gradient of a depthwise convolution by its filter', () => {
  withBackend('wasm');

  test('equals the sum of products in float64 and, where not dilated, the kernel of backend cpu', async () => {
    await fc.assert(
      fc.asyncProperty(depthwiseCases, async (test) => {
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
      fc.property(depthwiseCases, (test) => {
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

  test.each(SPLIT)('is the same where the work is split: $name', ({ test }) => {
    expectClose(valuesOf(kernel(test))[0]!, gradients(test, DEPTHWISE, inputs(test)).byFilter, 1e-5);
  });

  test('leaves neither a tensor nor memory behind', async () => {
    const test = { ...LARGE, images: 1, outputs: 2, rows: axis(5, 3, 2), columns: axis(6, 3, 2) };
    await expectNoLeak(() => valuesOf(kernel(test)));
  });

  test('gives the same bits on any number of threads', async () => {
    await expectSameOnAnyThreads(kernel(LARGE));
  });
});
