import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';
import type { TensorInfo } from '@tensorflow/tfjs-core';
import { type AxisWalk, type Convolution, tapsOf, type Walk } from './convolution-walk.ts';
import { release, view } from './heap.ts';
import { multiply, pieces, UNBOUNDED } from './matrix-product.ts';
import { addressOf, runNative } from './native.ts';
import { packPanels } from './panels.ts';
import { convolveBySquares, suitsWinograd } from './winograd.ts';

/** Most values in a pixel's patch when the taps of a row are joined; with more the loop over a tap is long enough. */
const JOINED_VALUES = 1024;
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
    taps: tapsOf({ rows, columns }, filter),
  });
  const taps = rows.taps * columns.taps;
  const pixels = images * rows.count * columns.count;
  const sizes = { stack: 1, rows: pixels, depth: taps * depth, columns: convolution.columns };
  const { rowPieces, columnPieces } = pieces(sizes);
  const isJoined = columns.tapStep === 1 && taps > 0 && taps * depth <= JOINED_VALUES;
  const bytesOfPixel = 4 + (isJoined ? 4 * rows.taps + 4 * taps * depth : 4 * taps);
  runNative(backend, 'convolve', {
    args: [
      ...[source, panels, result].map((tensor) => addressOf(backend, tensor)),
      ...[images, depth, convolution.columns],
      ...[...argsOf(rows), ...argsOf(columns)],
      ...[rowPieces, columnPieces, Number(isJoined)],
    ],
    floats: [bounds.low, bounds.high],
    parts: rowPieces * columnPieces,
    scratchBytes: 4 * depth * (isJoined ? columns.taps : 1) + 64 + BLOCK_PIXELS * bytesOfPixel,
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

function argsOf(axis: AxisWalk): number[] {
  const { sourceSize, outputSize, count, firstOutput, outputStep } = axis;
  const { sourceStep, firstSource, tapStep, taps } = axis;
  return [sourceSize, outputSize, count, firstOutput, outputStep, sourceStep, firstSource, tapStep, taps];
}
