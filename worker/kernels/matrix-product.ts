import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';
import type { TensorInfo } from '@tensorflow/tfjs-core';
import { release } from './heap.ts';
import { addressOf, runNative } from './native.ts';
import { packPanels, panelsOf } from './panels.ts';

/** Bounds of results. */
export interface Bounds {
  readonly low: number;
  readonly high: number;
}

export const UNBOUNDED: Bounds = { low: Number.NEGATIVE_INFINITY, high: Number.POSITIVE_INFINITY };

/** A stack of matrices, or one that goes with each of the other stack. */
interface Factor {
  readonly tensor: TensorInfo;
  readonly stack: number;
  readonly isTransposed: boolean;
}

export interface Product {
  /** [stack, rows, depth] */
  readonly a: Factor;
  /** [stack, depth, columns] */
  readonly b: Factor;
  readonly rows: number;
  readonly depth: number;
  readonly columns: number;
  /** Added to each row; [columns]. */
  readonly bias?: TensorInfo | undefined;
  readonly bounds?: Bounds;
}

/* As in assembly/matrix-product.ts: scratch without and with a block of a transposed left factor. */
const SCRATCH_BYTES = 512 + 64 + 512 * 32;
const BLOCK_BYTES = 64 * (512 * 4 + 64);
/** Rows of a block. Of no more than these each part meets each panel once, and packs it as it goes. */
const BLOCK_ROWS = 64;

/**
 * min(high, max(low, a · b + bias)), by blocks that fit the caches.
 *
 * @returns [stack, rows, columns]; the caller owns it
 */
export function multiply(backend: BackendWasm, product: Product): TensorInfo {
  const { a, b, rows, depth, columns, bias, bounds = UNBOUNDED } = product;
  const stack = Math.max(a.stack, b.stack);
  const panels = rows > BLOCK_ROWS ? packed(backend, product) : null;
  const result = backend.makeOutput([stack, rows, columns], 'float32');
  const { parts, rowPieces, columnPieces } = pieces({ stack, rows, depth, columns });
  runNative(backend, 'matrixProduct', {
    args: [
      addressOf(backend, a.tensor),
      addressOf(backend, panels ?? b.tensor),
      addressOf(backend, result),
      ...[rows, columns, depth, Number(a.isTransposed), stack, a.stack, b.stack],
      ...[rowPieces, columnPieces, parts, panels === null ? 1 + Number(b.isTransposed) : 0],
      bias === undefined ? 0 : addressOf(backend, bias),
    ],
    floats: [bounds.low, bounds.high],
    parts,
    scratchBytes: SCRATCH_BYTES + (a.isTransposed ? BLOCK_BYTES : 0),
  });
  if (panels !== null) release(backend, panels);
  return result;
}

function packed(backend: BackendWasm, { b, depth, columns, bias }: Product): TensorInfo {
  return packPanels(backend, {
    matrices: b.tensor,
    stack: b.stack,
    depth,
    columns,
    isTransposed: b.isTransposed,
    start: bias,
  });
}

/** Products of numbers that are worth a part of their own: tens of microseconds. */
const WORK_OF_PART = 2 ** 19;
const MOST_PARTS = 32;

/** Into how many parts a product falls, and into how many pieces the rows and columns of each matrix. */
export function pieces({
  stack,
  rows,
  depth,
  columns,
}: Record<'stack' | 'rows' | 'depth' | 'columns', number>): Record<
  'parts' | 'rowPieces' | 'columnPieces',
  number
> {
  const work = stack * rows * depth * columns;
  const wanted = Math.min(MOST_PARTS, Math.max(1, Math.floor(work / WORK_OF_PART)));
  const perMatrix = Math.ceil(wanted / stack);
  const rowPieces = Math.min(perMatrix, Math.ceil(rows / BLOCK_ROWS));
  const columnPieces = Math.min(Math.ceil(perMatrix / rowPieces), panelsOf(columns));
  return { parts: Math.min(wanted, stack * rowPieces * columnPieces), rowPieces, columnPieces };
}
