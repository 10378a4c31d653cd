import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';
import type { TensorInfo } from '@tensorflow/tfjs-core';
import { type Convolution, tapsOf, type Walk } from './convolution-walk.ts';
import { release } from './heap.ts';
import { UNBOUNDED } from './matrix-product.ts';
import { addressOf, runNative } from './native.ts';
import { packPanels, panelsOf } from './panels.ts';

const SIDE = 4;
const POINTS = 36;
const TAPS = 3;
/** Of transformed squares and products in scratch memory: half of a second-level cache. */
const BLOCK_BYTES = 2 ** 19;
/** With fewer the transformed filter is read too often. */
const FEWEST_SQUARES = 8;
const MOST_SQUARES = 64;
const MOST_PARTS = 32;
/** Inputs times outputs of a tap; transformed, such a filter takes 75 MB. */
const LARGEST_FILTER = 2 ** 19;
/** Scratch before the lists of a block, as in assembly/winograd.ts. */
const LISTS = 1024;

const squaresOf = (size: number): number => Math.ceil(size / SIDE);

/** Whether minimal filtering computes this convolution, and in less time than the plain way. */
export function suitsWinograd({ images, depth, columns }: Convolution, walk: Walk): boolean {
  const axes = [walk.rows, walk.columns];
  const fits = axes.every(
    ({ taps, sourceStep, outputStep, tapStep }) =>
      taps === TAPS && sourceStep === 1 && outputStep === 1 && tapStep === 1,
  );
  if (!fits || depth % 4 > 0 || columns % 4 > 0) return false;
  const squares = axes.reduce((product, { count }) => product * squaresOf(count), images);
  const pixels = axes.reduce((product, { count }) => product * count, images);
  const isWorthIt = squares >= 16 && pixels >= 6 * squares && depth * columns <= LARGEST_FILTER;
  return depth >= 8 && columns >= 8 && isWorthIt;
}

/**
 * Convolution 3 × 3 at stride 1 by minimal filtering, a quarter of the products of the plain way.
 *
 * @param result  [images, output rows, output columns, columns]
 */
export function convolveBySquares(
  backend: BackendWasm,
  convolution: Convolution & { readonly result: TensorInfo },
  { rows, columns: across }: Walk,
): void {
  const { source, filter, isTransposed, images, depth, columns, bias, bounds = UNBOUNDED } = convolution;
  const panels = packPanels(backend, {
    matrices: filter,
    stack: 1,
    depth,
    columns,
    isTransposed,
    start: bias,
    taps: tapsOf({ rows, columns: across }, filter),
  });
  const transformed = transformFilter(backend, panels, { depth, columns });
  const squares = images * squaresOf(rows.count) * squaresOf(across.count);
  const { block, parts } = blocks({ squares, depth, columns });
  runNative(backend, 'winograd', {
    args: [
      ...[source, panels, transformed, convolution.result].map((tensor) => addressOf(backend, tensor)),
      ...[images, depth, columns],
      ...[rows.sourceSize, across.sourceSize, rows.count, across.count],
      ...[rows.firstSource, across.firstSource, block, parts],
    ],
    floats: [bounds.low, bounds.high],
    parts,
    scratchBytes: scratchOf({ block, depth, columns }),
  });
  release(backend, panels, transformed);
}

interface Sizes {
  readonly depth: number;
  readonly columns: number;
}

/** [36, panels, depth, 8]; the caller releases it. */
function transformFilter(backend: BackendWasm, panels: TensorInfo, { depth, columns }: Sizes): TensorInfo {
  const count = panelsOf(columns);
  const transformed = backend.makeOutput([POINTS, count, depth, 8], 'float32');
  const parts = depth * count < 512 ? 1 : Math.min(count, MOST_PARTS);
  runNative(backend, 'transformFilter', {
    args: [addressOf(backend, panels), addressOf(backend, transformed), depth, count, parts],
    parts,
    scratchBytes: 288,
  });
  return transformed;
}

const widthOf = (columns: number): number => 8 * panelsOf(columns);

/** Squares that are transformed and multiplied at a time, and parts. */
function blocks({ squares, depth, columns }: Sizes & { squares: number }): { block: number; parts: number } {
  const inCache = Math.floor(BLOCK_BYTES / (4 * POINTS * (depth + widthOf(columns))));
  const ofPart = Math.ceil(squares / MOST_PARTS);
  const block = Math.min(
    MOST_SQUARES,
    Math.max(FEWEST_SQUARES, 4 * Math.floor(Math.min(inCache, ofPart) / 4)),
  );
  return { block, parts: Math.min(MOST_PARTS, Math.ceil(squares / block)) };
}

function scratchOf({ block, depth, columns }: Sizes & { block: number }): number {
  const points = (width: number) => POINTS * (4 * block * width + 128);
  return LISTS + 8 * block + 4 * POINTS * depth + points(depth) + points(widthOf(columns));
}
