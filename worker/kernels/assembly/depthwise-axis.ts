/**
 * One axis of a depthwise convolution or of its gradient by the input, for the results that share their taps.
 * Result j of them, at first + j · step, is the sum over k < taps of
 *
 *   source[origin + j · sourceStep + k · tapDistance] · filter[firstTap + k · tapStep]
 *
 * A convolution has one such phase. Its gradient has as many as the stride: input i meets the taps t that leave
 * (i + pad − t · dilation) / stride whole, hence those with t = (i + pad) mod stride, + stride, … (tfjs allows
 * only one of stride and dilation above 1). Taken from the last to the first, they meet dy in rising order.
 */
@unmanaged
export class PhaseAxis {
  taps: i32;
  firstTap: i32;
  tapStep: i32;
  tapDistance: i32;
  first: i32;
  step: i32;
  count: i32;
  origin: i32;
  sourceStep: i32;
}

/** Bytes that one takes in memory, and a little more. */
export const PHASE_AXIS: usize = 64;

/** A window along an axis, as worker/kernels/window-axis.ts has it, and the length of the result. */
@unmanaged
export class WindowAxis {
  taps: i32;
  stride: i32;
  dilation: i32;
  padBefore: i32;
  results: i32;
}

export function setForward(phase: PhaseAxis, window: WindowAxis): void {
  phase.taps = window.taps;
  phase.firstTap = 0;
  phase.tapStep = 1;
  phase.tapDistance = window.dilation;
  phase.first = 0;
  phase.step = 1;
  phase.count = window.results;
  phase.origin = -window.padBefore;
  phase.sourceStep = window.stride;
}

/** For the inputs i with (i + pad) mod stride = remainder. */
export function setBackward(phase: PhaseAxis, window: WindowAxis, remainder: i32): void {
  const stride = window.stride;
  const padBefore = window.padBefore;
  const taps = remainder < window.taps ? (window.taps - remainder + stride - 1) / stride : 0;
  const firstQuotient = (padBefore - remainder + stride - 1) / stride;
  const first = firstQuotient * stride + remainder - padBefore;
  phase.taps = taps;
  phase.firstTap = remainder + (taps - 1) * stride;
  phase.tapStep = -stride;
  phase.tapDistance = window.dilation;
  phase.first = first;
  phase.step = stride;
  phase.count = first < window.results ? (window.results - first + stride - 1) / stride : 0;
  phase.origin = firstQuotient - (taps - 1) * window.dilation;
  phase.sourceStep = 1;
}
