import { backend_util } from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { forwardWalk } from '../../../worker/kernels/convolution.ts';
import { convolutionCases } from './convolution-cases.ts';
import { dilations, shapes, strides } from './reference.ts';

describe('forwardWalk', () => {
  test('visits each output once and meets what the definition of a convolution names', () => {
    fc.assert(
      fc.property(convolutionCases({ dilated: true }), (test) => {
        const { x, filter } = shapes(test, { depthwise: false });
        const info = backend_util.computeConv2DInfo(x, filter, strides(test), dilations(test), test.pad);
        const { rows } = forwardWalk(info);
        expect([rows.count, rows.outputSize, rows.firstOutput, rows.outputStep]).toEqual([
          test.rows.output,
          test.rows.output,
          0,
          1,
        ]);
        const { stride, dilation, before } = test.rows;
        const [output, tap] = [test.rows.output - 1, test.rows.taps - 1];
        expect(output * rows.sourceStep + rows.firstSource + tap * rows.tapStep).toBe(
          output * stride + tap * dilation - before,
        );
      }),
      { seed: 31, numRuns: 50 },
    );
  });
});
