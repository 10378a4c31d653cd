import type { backend_util } from '@tensorflow/tfjs-core';
import { UnsupportedModelError } from '../../core/errors.ts';

/**
 * One spatial axis of a strided, padded, dilated window. Output o and tap t meet input
 *
 *   i = o·stride + t·dilation − padBefore
 */
export interface WindowAxis {
  readonly inputSize: number;
  readonly outputSize: number;
  readonly taps: number;
  readonly stride: number;
  readonly dilation: number;
  readonly padBefore: number;
}

export function rowAxis(info: backend_util.Conv2DInfo): WindowAxis {
  return {
    inputSize: info.inHeight,
    outputSize: info.outHeight,
    taps: info.filterHeight,
    stride: info.strideHeight,
    dilation: info.dilationHeight,
    padBefore: info.padInfo.top,
  };
}

export function columnAxis(info: backend_util.Conv2DInfo): WindowAxis {
  return {
    inputSize: info.inWidth,
    outputSize: info.outWidth,
    taps: info.filterWidth,
    stride: info.strideWidth,
    dilation: info.dilationWidth,
    padBefore: info.padInfo.left,
  };
}

export interface Interval {
  readonly start: number;
  /** First index after the interval; start ≥ end means empty. */
  readonly end: number;
}

/** Outputs o in [0, limit) whose position o·stride + offset falls on the input. */
export function outputsOnInput(axis: WindowAxis, offset: number, limit = axis.outputSize): Interval {
  return {
    start: Math.max(0, Math.ceil(-offset / axis.stride)),
    end: Math.min(limit, Math.ceil((axis.inputSize - offset) / axis.stride)),
  };
}

/**
 * The inputs i with (i + padBefore) mod stride = remainder. For them the gradient of a strided convolution
 * is a plain convolution of dy, because they meet exactly the taps t = remainder, remainder + stride, …
 */
export interface InputPhase {
  readonly remainder: number;
  readonly taps: number;
  /** First input of the phase; the others follow at distance `stride`. */
  readonly firstInput: number;
  readonly count: number;
  /** Part of dy that is used, and the zeros around it, so that the convolution gives `count` values. */
  readonly dy: Interval;
  readonly padBefore: number;
  readonly padAfter: number;
}

/**
 * Splits an axis into its input phases; those that no tap or no dy reaches, whose gradient is zero, are left
 * out. With q = (i + padBefore − remainder) / stride and k = (t − remainder) / stride, output o = q − k, so
 * value j of the phase reads dy[q₀ + j − k], where q₀ belongs to `firstInput`. Reversed taps make that a
 * convolution which begins (taps − 1) − q₀ before dy; where that is negative, dy is cropped instead of padded.
 * A dilated axis has stride 1, hence one phase, whose taps lie `dilation` apart.
 *
 * @throws UnsupportedModelError when both stride and dilation exceed 1, which tfjs does not allow either
 */
export function inputPhases(axis: WindowAxis): InputPhase[] {
  if (axis.stride > 1 && axis.dilation > 1) {
    throw new UnsupportedModelError(
      `gradient of a convolution: stride or dilation must be 1, received ${axis.stride} and ${axis.dilation}`,
      { stride: axis.stride, dilation: axis.dilation },
    );
  }
  const phases = Array.from({ length: axis.stride }, (_, remainder) => inputPhase(axis, remainder));
  return phases.filter(({ taps, count, dy }) => taps > 0 && count > 0 && dy.start < dy.end);
}

function inputPhase(axis: WindowAxis, remainder: number): InputPhase {
  const { stride, padBefore } = axis;
  const taps = Math.ceil((axis.taps - remainder) / stride);
  const reach = (taps - 1) * axis.dilation;
  const firstQuotient = Math.ceil((padBefore - remainder) / stride);
  const firstInput = firstQuotient * stride + remainder - padBefore;
  const count = Math.ceil((axis.inputSize - firstInput) / stride);
  const before = reach - firstQuotient;
  const after = count + reach - axis.outputSize - before;
  return {
    remainder,
    taps,
    firstInput,
    count,
    dy: { start: Math.max(0, -before), end: axis.outputSize - Math.max(0, -after) },
    padBefore: Math.max(0, before),
    padAfter: Math.max(0, after),
  };
}

/** The stretch of its source that a window over an axis reads, from any result on. */
export interface Span {
  /** Position that the first result reads first; negative on padding. */
  readonly first: number;
  /** Positions that one result reads, and by how many the next moves on. */
  readonly length: number;
  readonly step: number;
  readonly results: number;
}

/** What the outputs of a window read of its input. */
export function forwardSpan({ padBefore, taps, stride, dilation, outputSize }: WindowAxis): Span {
  return { first: -padBefore, length: (taps - 1) * dilation + 1, step: stride, results: outputSize };
}

/**
 * What the gradient by the input reads of dy: the inputs (i + padBefore) mod stride = remainder, in their order,
 * read neighbouring stretches; the span covers those of all remainders.
 *
 * @throws UnsupportedModelError when both stride and dilation exceed 1, which tfjs does not allow either
 */
export function backwardSpan({ padBefore, taps, stride, dilation, inputSize }: WindowAxis): Span {
  if (stride > 1 && dilation > 1) {
    throw new UnsupportedModelError(
      `gradient of a convolution: stride or dilation must be 1, received ${stride} and ${dilation}`,
      { stride, dilation },
    );
  }
  const remainders = Array.from({ length: Math.min(stride, taps) }, (_, remainder) => remainder);
  const ends = remainders.map((remainder) => Math.ceil((padBefore - remainder) / stride));
  const starts = remainders.map(
    (remainder, at) => ends[at]! - (Math.ceil((taps - remainder) / stride) - 1) * dilation,
  );
  const first = Math.min(...starts);
  const length = Math.max(...ends) - first + 1;
  return { first, length, step: 1, results: Math.ceil(inputSize / stride) };
}
