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
