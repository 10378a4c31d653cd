import fc from 'fast-check';
import { noise } from '../../helpers/tensors.ts';
import { shapes, sizeOf, type WindowCase, windowCases } from './reference.ts';

export const PLAIN = { depthwise: false };

/** As many channels as networks have, too. */
export const convolutionCases = (kind: { dilated: boolean }): fc.Arbitrary<WindowCase> =>
  fc
    .tuple(windowCases(kind), fc.constantFrom(0, 0, 0, 32, 130), fc.constantFrom(0, 0, 0, 32, 280))
    .map(([test, channels, outputs]) => ({
      ...test,
      channels: test.channels + (outputs > 32 ? 0 : channels),
      outputs: test.outputs + outputs,
    }));

export function inputs(test: WindowCase) {
  const { x, filter, dy } = shapes(test, PLAIN);
  return { x: noise(sizeOf(x), 1), filter: noise(sizeOf(filter), 2), dy: noise(sizeOf(dy), 3) };
}

/** An axis under padding `same`. */
export function axis(size: number, taps: number, stride: number) {
  const output = Math.ceil(size / stride);
  const missing = Math.max(0, (output - 1) * stride + taps - size);
  const before = Math.floor(missing / 2);
  return { size, taps, stride, dilation: 1, before, after: missing - before, output };
}

/** A convolution of images that are not square. */
export function convolution(
  [images, channels, outputs]: readonly [number, number, number],
  { size, taps, stride = 1 }: { readonly size: number; readonly taps: number; readonly stride?: number },
): WindowCase {
  const rows = axis(size, taps, stride);
  return { images, channels, outputs, pad: 'same', rows, columns: axis(size + 3, taps, stride) };
}

/** Several parts each, and every way that a convolution is computed in. */
export const LARGE: readonly (readonly [string, WindowCase])[] = [
  ['3 × 3', convolution([3, 20, 36], { size: 29, taps: 3 })],
  ['3 × 3 at stride 2', convolution([3, 20, 36], { size: 30, taps: 3, stride: 2 })],
  ['3 × 3 of 3 channels', convolution([3, 3, 12], { size: 41, taps: 3 })],
  ['7 × 7 of 3 channels at stride 2', convolution([2, 3, 12], { size: 41, taps: 7, stride: 2 })],
  ['5 × 5', convolution([2, 9, 16], { size: 21, taps: 5 })],
  ['1 × 1', convolution([2, 40, 70], { size: 18, taps: 1 })],
  ['1 × 1 at stride 2', convolution([2, 40, 70], { size: 30, taps: 1, stride: 2 })],
  ['3 × 3 of one pixel', convolution([1, 300, 300], { size: 1, taps: 3 })],
];
