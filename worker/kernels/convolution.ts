import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';
import type { backend_util, TensorInfo } from '@tensorflow/tfjs-core';
import { release, view } from './heap.ts';
import { type Bounds, multiply, pieces, UNBOUNDED } from './matrix-product.ts';
import { addressOf, runNative } from './native.ts';
import { packPanels } from './panels.ts';
import { columnAxis, rowAxis, type WindowAxis } from './window-axis.ts';
import { convolveBySquares, suitsWinograd, type Walk } from './winograd.ts';

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

/** Pixels with fewer channels are copied to patches: an inner loop so short is slower. */
const CHANNELS_IN_PLACE = 8;
const BLOCK_PIXELS = 64;

/**
 * Writes the outputs that a walk along both axes names.
 *
 * @param result  [images, output rows, output columns, columns]
 */
export function convolve(
  backend: BackendWasm,
  convolution: Convolution & { readonly result: TensorInfo },
  walk: Walk,
): void {
  const compute = suitsWinograd(convolution, walk) ? convolveBySquares : convolvePlainly;
  compute(backend, convolution, walk);
}

/**
 * By a product of the filter with the pixels that its taps meet.
 *
 * @param result  [images, output rows, output columns, columns]
 */
function convolvePlainly(
  backend: BackendWasm,
  convolution: Convolution & { readonly result: TensorInfo },
  { rows, columns }: Walk,
): void {
  const { source, filter, isTransposed, images, depth, bias, bounds = UNBOUNDED, result } = convolution;
  const panels = packPanels(backend, {
    matrices: filter,
    stack: 1,
    depth,
    columns: convolution.columns,
    isTransposed,
    start: bias,
    taps: { rows: tapsOf(rows), columns: tapsOf(columns), width: filter.shape[1]! },
  });
  const taps = rows.taps * columns.taps;
  const pixels = images * rows.count * columns.count;
  const sizes = { stack: 1, rows: pixels, depth: taps * depth, columns: convolution.columns };
  const { rowPieces, columnPieces } = pieces(sizes);
  const hasPatches = taps > 1 && depth < CHANNELS_IN_PLACE;
  runNative(backend, 'convolve', {
    args: [
      ...[source, panels, result].map((tensor) => addressOf(backend, tensor)),
      ...[images, depth, convolution.columns],
      ...[...argsOf(rows), ...argsOf(columns)],
      ...[rowPieces, columnPieces, Number(hasPatches)],
    ],
    floats: [bounds.low, bounds.high],
    parts: rowPieces * columnPieces,
    scratchBytes: 4 * depth + 64 + BLOCK_PIXELS * 4 * (1 + (hasPatches ? 1 + taps * depth : taps)),
  });
  release(backend, panels);
}

/** A convolution with a filter of one tap that leaves no pixel out, which is a matrix product; null when it is another. */
export function pointwise(
  backend: BackendWasm,
  convolution: Convolution,
  { rows, columns }: Walk,
): TensorInfo | null {
  const { source, filter, isTransposed, images, depth, bias, bounds = UNBOUNDED } = convolution;
  const hasOneTap = filter.shape[0] === 1 && filter.shape[1] === 1;
  if (!hasOneTap || !isIdentity(rows) || !isIdentity(columns)) return null;
  const result = multiply(backend, {
    a: { tensor: source, stack: 1, isTransposed: false },
    b: { tensor: filter, stack: 1, isTransposed },
    rows: images * rows.count * columns.count,
    depth,
    columns: convolution.columns,
    bias,
    bounds,
  });
  return view(result, [images, rows.count, columns.count, convolution.columns]);
}

function isIdentity({ sourceSize, outputSize, sourceStep, outputStep, firstSource }: AxisWalk): boolean {
  return sourceSize === outputSize && sourceStep === 1 && outputStep === 1 && firstSource === 0;
}

const tapsOf = ({ taps, firstTap, filterStep }: AxisWalk) => ({
  count: taps,
  first: firstTap,
  step: filterStep,
});

function argsOf(axis: AxisWalk): number[] {
  const { sourceSize, outputSize, count, firstOutput, outputStep } = axis;
  const { sourceStep, firstSource, tapStep, taps } = axis;
  return [sourceSize, outputSize, count, firstOutput, outputStep, sourceStep, firstSource, tapStep, taps];
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
