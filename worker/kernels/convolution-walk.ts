import type { backend_util, TensorInfo } from '@tensorflow/tfjs-core';
import type { Bounds } from './matrix-product.ts';
import type { Taps } from './panels.ts';
import { columnAxis, rowAxis, type WindowAxis } from './window-axis.ts';

/**
 * One axis of a convolution: output i, at `firstOutput + i · outputStep`, meets at tap t of `taps` source
 * `i · sourceStep + firstSource + t · tapStep`. Tap t is tap `firstTap + t · filterStep` of the filter.
 */
export interface AxisWalk {
  readonly sourceSize: number;
  readonly outputSize: number;
  readonly count: number;
  readonly firstOutput: number;
  readonly outputStep: number;
  readonly sourceStep: number;
  readonly firstSource: number;
  readonly tapStep: number;
  readonly taps: number;
  readonly firstTap: number;
  readonly filterStep: number;
}

export interface Convolution {
  /** [images, source rows, source columns, depth] */
  readonly source: TensorInfo;
  /** [R, S, depth, columns], the last two exchanged when transposed. */
  readonly filter: TensorInfo;
  readonly isTransposed: boolean;
  readonly images: number;
  readonly depth: number;
  readonly columns: number;
  /** Added to each pixel, [columns]. */
  readonly bias?: TensorInfo | undefined;
  readonly bounds?: Bounds;
}

export interface Walk {
  readonly rows: AxisWalk;
  readonly columns: AxisWalk;
}

/** The taps of a filter [R, S, …] that a walk meets, in its order. */
export function tapsOf({ rows, columns }: Walk, { shape }: TensorInfo): Taps {
  const ofAxis = ({ taps, firstTap, filterStep }: AxisWalk) => ({
    count: taps,
    first: firstTap,
    step: filterStep,
  });
  return { rows: ofAxis(rows), columns: ofAxis(columns), width: shape[1]! };
}

/** All outputs of a convolution. */
export function forwardWalk(info: backend_util.Conv2DInfo): Walk {
  const walk = ({ inputSize, outputSize, taps, stride, dilation, padBefore }: WindowAxis): AxisWalk => ({
    sourceSize: inputSize,
    outputSize,
    count: outputSize,
    firstOutput: 0,
    outputStep: 1,
    sourceStep: stride,
    firstSource: -padBefore,
    tapStep: dilation,
    taps,
    firstTap: 0,
    filterStep: 1,
  });
  return { rows: walk(rowAxis(info)), columns: walk(columnAxis(info)) };
}

/**
 * The inputs of an axis by their remainder ρ of (i + padBefore) / stride. Those with one ρ meet the same taps,
 *
 *   t · dilation ≡ ρ  (mod stride)        all, or each so-manieth, or none
 *
 * and at tap t output (i + padBefore − t · dilation) / stride; the last tap meets the first output.
 */
export function inputPhases(axis: WindowAxis): AxisWalk[] {
  const phases = Array.from({ length: axis.stride }, (_, remainder) => inputPhase(axis, remainder));
  return phases.filter(({ count }) => count > 0);
}

function inputPhase(axis: WindowAxis, remainder: number): AxisWalk {
  const { inputSize, outputSize, stride, dilation, padBefore } = axis;
  const first = (((remainder - padBefore) % stride) + stride) % stride;
  const meets = Array.from({ length: axis.taps }, (_, tap) => tap).filter(
    (tap) => (tap * dilation) % stride === remainder,
  );
  const lastTap = meets.at(-1) ?? 0;
  const divisor = greatestDivisor(stride, dilation);
  return {
    sourceSize: outputSize,
    outputSize: inputSize,
    count: Math.max(0, Math.ceil((inputSize - first) / stride)),
    firstOutput: first,
    outputStep: stride,
    sourceStep: 1,
    firstSource: (first + padBefore - lastTap * dilation) / stride,
    tapStep: dilation / divisor,
    taps: meets.length,
    firstTap: lastTap,
    filterStep: -stride / divisor,
  };
}

/** The greatest common one. */
function greatestDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestDivisor(b, a % b);
}
