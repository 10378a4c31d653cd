import fc from 'fast-check';
import { noise } from '../../helpers/tensors.ts';
import { shapes, sizeOf, type WindowCase, windowCases } from './reference.ts';

export const DEPTHWISE = { depthwise: true };

/** Outputs per channel are few in practice; beyond 4 the reference only gets slow. */
export const depthwiseCases: fc.Arbitrary<WindowCase> = fc
  .tuple(windowCases({ dilated: true }), fc.constantFrom(0, 0, 16, 60))
  .map(([test, more]) => ({
    ...test,
    outputs: more > 0 ? 1 : 1 + (test.outputs % 4),
    channels: test.channels + more,
  }));

export function inputs(test: WindowCase) {
  const { x, filter, dy } = shapes(test, DEPTHWISE);
  return { x: noise(sizeOf(x), 1), filter: noise(sizeOf(filter), 2), dy: noise(sizeOf(dy), 3) };
}

export function axis(size: number, taps: number, stride: number) {
  const output = Math.ceil(size / stride);
  const missing = Math.max(0, (output - 1) * stride + taps - size);
  const before = Math.floor(missing / 2);
  return { size, taps, stride, dilation: 1, before, after: missing - before, output };
}

/** Large enough for several parts and several bands of rows. */
export const LARGE: WindowCase = {
  images: 3,
  channels: 20,
  outputs: 1,
  pad: 'same',
  rows: axis(37, 3, 1),
  columns: axis(61, 3, 1),
};
