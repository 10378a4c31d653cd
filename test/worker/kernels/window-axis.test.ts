import { backend_util } from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  backwardSpan,
  columnAxis,
  forwardSpan,
  rowAxis,
  type Span,
  type WindowAxis,
} from '../../../worker/kernels/window-axis.ts';

const axes: fc.Arbitrary<WindowAxis> = fc
  .record({
    inputSize: fc.integer({ min: 1, max: 12 }),
    outputSize: fc.integer({ min: 1, max: 12 }),
    taps: fc.integer({ min: 1, max: 5 }),
    stride: fc.integer({ min: 1, max: 4 }),
    dilation: fc.integer({ min: 1, max: 3 }),
    padBefore: fc.nat(6),
  })
  .map((axis) => (axis.stride > 1 ? { ...axis, dilation: 1 } : axis));

const range = (size: number) => Array.from({ length: size }, (_, index) => index);

/** The positions that a result reads. */
function stretchOf({ first, step, length }: Span, result: number) {
  return { start: first + result * step, end: first + result * step + length };
}

describe('one axis of a window', () => {
  test('is taken from rows and columns of a convolution', () => {
    const info = backend_util.computeConv2DInfo([1, 7, 9, 2], [3, 2, 2, 4], [2, 3], 1, 'same');
    expect(rowAxis(info)).toEqual({
      inputSize: 7,
      outputSize: 4,
      taps: 3,
      stride: 2,
      dilation: 1,
      padBefore: 1,
    });
    expect(columnAxis(info)).toEqual({
      inputSize: 9,
      outputSize: 3,
      taps: 2,
      stride: 3,
      dilation: 1,
      padBefore: 0,
    });
  });

  test('spans what each output reads, from its first tap to its last', () => {
    fc.assert(
      fc.property(axes, (axis) => {
        const span = forwardSpan(axis);
        expect(span.results).toBe(axis.outputSize);
        for (const output of range(axis.outputSize)) {
          const first = output * axis.stride - axis.padBefore;
          const last = first + (axis.taps - 1) * axis.dilation;
          expect(stretchOf(span, output)).toEqual({ start: first, end: last + 1 });
        }
      }),
      { seed: 15 },
    );
  });

  test('spans every output that meets an input, for inputs of all remainders at once', () => {
    fc.assert(
      fc.property(axes, (axis) => {
        const span = backwardSpan(axis);
        expect(span.results).toBe(Math.ceil(axis.inputSize / axis.stride));
        for (const input of range(axis.inputSize)) {
          const { start, end } = stretchOf(span, Math.floor(input / axis.stride));
          for (const tap of range(axis.taps)) {
            const output = (input + axis.padBefore - tap * axis.dilation) / axis.stride;
            if (!Number.isInteger(output)) continue;
            expect(output).toBeGreaterThanOrEqual(start);
            expect(output).toBeLessThan(end);
          }
        }
      }),
      { seed: 16, numRuns: 300 },
    );
  });

  test('spans no more outputs than a stretch of inputs as long as the stride meets', () => {
    const axis = { inputSize: 9, outputSize: 5, taps: 3, stride: 2, dilation: 1, padBefore: 1 };
    expect(backwardSpan(axis)).toEqual({ first: 0, length: 2, step: 1, results: 5 });
  });

  test('refuses a stride together with a dilation', () => {
    const axis = { inputSize: 8, outputSize: 2, taps: 2, stride: 2, dilation: 2, padBefore: 0 };
    expect(() => backwardSpan(axis)).toThrow(expect.objectContaining({ code: 'UNSUPPORTED_MODEL' }));
  });
});
