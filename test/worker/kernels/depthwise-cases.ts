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

const square = (size: number, stride: number) => {
  const rows = axis(size, 3, stride);
  return { pad: 'same' as const, rows, columns: axis(size + 1, 3, stride) };
};

/** Work that is split: by images, bands of rows, groups of channels, or several of these. */
export const SPLIT: readonly { readonly name: string; readonly test: WindowCase }[] = [
  { name: 'bands of rows', test: LARGE },
  {
    name: 'bands of rows at stride 2',
    test: { ...LARGE, rows: axis(37, 3, 2), columns: axis(61, 3, 2) },
  },
  { name: 'groups of channels', test: { images: 1, channels: 301, outputs: 1, ...square(12, 1) } },
  { name: 'images and groups', test: { images: 8, channels: 300, outputs: 1, ...square(4, 1) } },
  { name: 'images and groups at stride 2', test: { images: 4, channels: 290, outputs: 1, ...square(8, 2) } },
  { name: 'several outputs of each channel', test: { images: 2, channels: 70, outputs: 3, ...square(9, 1) } },
];
