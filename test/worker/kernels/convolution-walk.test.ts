import { backend_util } from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type AxisWalk, forwardWalk, inputPhases } from '../../../worker/kernels/convolution-walk.ts';
import { columnAxis, rowAxis, type WindowAxis } from '../../../worker/kernels/window-axis.ts';
import { convolutionCases, PLAIN } from './convolution-cases.ts';
import { dilations, shapes, strides } from './reference.ts';

/** All (output, source, tap of the filter) that meet on an axis, sorted. */
function meetingsOf(walk: AxisWalk): string[] {
  return Array.from({ length: walk.count * walk.taps }, (_, at) => {
    const output = Math.floor(at / walk.taps);
    const tap = at % walk.taps;
    return {
      output: walk.firstOutput + output * walk.outputStep,
      source: output * walk.sourceStep + walk.firstSource + tap * walk.tapStep,
      tap: walk.firstTap + tap * walk.filterStep,
    };
  })
    .filter(({ source }) => source >= 0 && source < walk.sourceSize)
    .map(({ output, source, tap }) => `${output} ${source} ${tap}`)
    .sort();
}

/** The same by the definition of a window: input = output · stride + tap · dilation − padBefore. */
function definition({ inputSize, outputSize, taps, stride, dilation, padBefore }: WindowAxis) {
  return Array.from({ length: outputSize * taps }, (_, at) => {
    const output = Math.floor(at / taps);
    const tap = at % taps;
    return { output, tap, input: output * stride + tap * dilation - padBefore };
  }).filter(({ input }) => input >= 0 && input < inputSize);
}

const axes = convolutionCases({ dilated: true }).map((test) => {
  const { x, filter } = shapes(test, PLAIN);
  return backend_util.computeConv2DInfo(x, filter, strides(test), dilations(test), test.pad);
});

describe('forwardWalk', () => {
  test('meets at each output the inputs of its window', () => {
    fc.assert(
      fc.property(axes, (info) => {
        const expected = definition(rowAxis(info)).map(
          ({ output, tap, input }) => `${output} ${input} ${tap}`,
        );
        expect(meetingsOf(forwardWalk(info).rows)).toEqual(expected.sort());
      }),
      { seed: 31, numRuns: 60 },
    );
  });
});

describe('inputPhases', () => {
  const both = fc.record({
    inputSize: fc.integer({ min: 1, max: 12 }),
    outputSize: fc.integer({ min: 1, max: 9 }),
    taps: fc.integer({ min: 1, max: 5 }),
    stride: fc.integer({ min: 1, max: 4 }),
    dilation: fc.integer({ min: 1, max: 4 }),
    padBefore: fc.nat(5),
  });

  test('meet at each input the outputs whose windows hold it, at any stride and dilation', () => {
    fc.assert(
      fc.property(both, (axis) => {
        const expected = definition(axis).map(({ output, tap, input }) => `${input} ${output} ${tap}`);
        expect(inputPhases(axis).flatMap(meetingsOf).sort()).toEqual(expected.sort());
      }),
      { seed: 32, numRuns: 200 },
    );
  });

  test('name each input once, whether a tap meets it or not', () => {
    fc.assert(
      fc.property(both, (axis) => {
        const named = inputPhases(axis).flatMap(({ count, firstOutput, outputStep }) =>
          Array.from({ length: count }, (_, at) => firstOutput + at * outputStep),
        );
        expect(named.sort((a, b) => a - b)).toEqual(Array.from({ length: axis.inputSize }, (_, at) => at));
      }),
      { seed: 33, numRuns: 100 },
    );
  });

  test('meet neighbours in ascending order where there is no dilation', () => {
    fc.assert(
      fc.property(axes, (info) => {
        const steps = inputPhases(columnAxis(info)).map(({ tapStep }) => tapStep);
        if (info.dilationWidth === 1) expect(new Set(steps)).toEqual(new Set([1]));
      }),
      { seed: 34, numRuns: 60 },
    );
  });
});
