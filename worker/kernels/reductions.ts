import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';
import {
  backend_util,
  engine,
  Mean,
  type MeanAttrs,
  type MeanInputs,
  Sum,
  type SumAttrs,
  type SumInputs,
  type Tensor,
  type TensorInfo,
  util,
} from '@tensorflow/tfjs-core';
import type { WasmGradient } from './gradients.ts';
import { floats, type KernelCall, release } from './heap.ts';
import { addressOf, runNative } from './native.ts';
import { foldedSum, foldsFor, partsFor } from './parts.ts';
import { runStock } from './stock.ts';

/** A tensor as [groups, rows, channels], of which the rows become one. */
export interface Columns {
  readonly groups: number;
  readonly rows: number;
  readonly channels: number;
}

/** Name of the kernel that repeats rows, the other way round. */
export const SPREAD_ROWS = 'SpreadRows';

/** Below, the sums are as many as half of what is summed, and float64 partial sums cost more than they save. */
const LEAST_ROWS = 4;
/** Shorter lines of numbers that follow each other stock sums as fast. */
const LEAST_LINE = 64;

/**
 * Sum over neighbouring axes. Stock sums the innermost axes only and transposes first for all others.
 *
 * @param inputs  x float32; anything else is left to stock
 */
export function sum(call: KernelCall<SumInputs, SumAttrs>): TensorInfo {
  return reduced(call, Sum, () => 1);
}

/** Mean over neighbouring axes, as `sum`. */
export function mean(call: KernelCall<MeanInputs, MeanAttrs>): TensorInfo {
  return reduced(call, Mean, ({ rows }) => 1 / rows);
}

function reduced(
  call: KernelCall<SumInputs, SumAttrs>,
  kernel: string,
  factorOf: (columns: Columns) => number,
): TensorInfo {
  const { inputs, attrs, backend } = call;
  const { x } = inputs;
  const axes = util.parseAxisParam(attrs.axis, x.shape);
  const columns = columnsOf(x.shape, axes);
  if (x.dtype !== 'float32' || columns === null || !isFaster(columns)) return runStock(kernel, call);
  const shape = backend_util.computeOutAndReduceShapes(x.shape, axes)[0];
  const kept = attrs.keepDims ? backend_util.expandShapeToKeepDim(shape, axes) : shape;
  const result = backend.makeOutput(kept, 'float32');
  const factor = factorOf(columns);
  if (columns.groups === 1)
    floats(backend, result).set(totals(backend, x, columns).map((sum) => sum * factor));
  else sumGroups(backend, { x, result, factor, columns });
  return result;
}

const isFaster = ({ groups, rows, channels }: Columns): boolean =>
  rows >= LEAST_ROWS && (channels > 1 || groups === 1 || rows >= LEAST_LINE);

/** null where the axes are not neighbours, or nothing is there to be summed. */
export function columnsOf(shape: readonly number[], axes: readonly number[]): Columns | null {
  if (util.sizeFromShape([...shape]) === 0) return null;
  const long = shape.flatMap((size, axis) => (size === 1 ? [] : [axis]));
  const places = long.flatMap((axis, place) => (axes.includes(axis) ? [place] : []));
  const [first = 0] = places;
  if (places.some((place, index) => place !== first + index)) return null;
  const size = (start: number, end?: number) =>
    util.sizeFromShape(long.slice(start, end).map((axis) => shape[axis]!));
  const last = first + places.length;
  return { groups: size(0, first), rows: size(first, last), channels: size(last) };
}

/** Σ over the rows of one group in float64, [channels]; the same for any number of threads. */
function totals(backend: BackendWasm, x: TensorInfo, { rows, channels }: Columns): Float64Array {
  const folds = channels === 1 ? 1 : foldsFor(rows, channels);
  const folded = { groups: 1, rows: rows / folds, channels: channels * folds };
  const pieces = partsFor(rows * channels, folded.rows);
  const sums = columnSums(backend, x, { ...folded, pieces });
  runNative(backend, 'addPieces', { args: [addressOf(backend, sums), 1, pieces, folded.channels] });
  const values = doubles(backend, sums).slice(0, folded.channels);
  release(backend, sums);
  return foldedSum(values, folds);
}

function sumGroups(
  backend: BackendWasm,
  { x, result, factor, columns }: { x: TensorInfo; result: TensorInfo; factor: number; columns: Columns },
): void {
  const { groups, channels } = columns;
  const sums = columnSums(backend, x, { ...columns, pieces: 1 });
  const args = [addressOf(backend, sums), addressOf(backend, result), groups, 1, channels];
  runNative(backend, 'roundSums', { args, floats: [factor] });
  release(backend, sums);
}

/** Float64 sums of each piece of each group, [groups, pieces, channels]; the caller releases them. */
function columnSums(
  backend: BackendWasm,
  x: TensorInfo,
  { groups, rows, channels, pieces }: Columns & { readonly pieces: number },
): TensorInfo {
  const sums = backend.makeOutput([groups * pieces * channels * 2], 'float32'); // float64
  const parts = partsFor(groups * rows * channels, groups * pieces);
  const args = [addressOf(backend, x), addressOf(backend, sums), groups, rows, channels, pieces, parts];
  runNative(backend, 'columnSums', { args, parts });
  return sums;
}

/** The memory of a float32 tensor as half as many float64. */
export function doubles(backend: BackendWasm, tensor: TensorInfo): Float64Array {
  const { buffer, byteOffset, length } = floats(backend, tensor);
  return new Float64Array(buffer, byteOffset, length / 2);
}

/**
 * Each row as often as `rows` says, times a factor; the gradient of a sum or mean. Stock makes a tensor of ones and
 * multiplies it.
 *
 * @param inputs  x [groups, channels]
 * @returns float32 of `shape`, [groups, rows, channels]
 */
export function spreadRows({
  inputs: { x },
  attrs: { shape, groups, rows, channels, factor },
  backend,
}: KernelCall<{ x: TensorInfo }, Columns & { shape: number[]; factor: number }>): TensorInfo {
  const y = backend.makeOutput(shape, 'float32');
  const parts = partsFor(groups * rows * channels, groups * rows);
  const args = [addressOf(backend, x), addressOf(backend, y), groups, rows, channels, parts];
  runNative(backend, 'spreadRows', { args, floats: [factor], parts });
  return y;
}

const spread =
  (factorOf: (columns: Columns) => number): WasmGradient =>
  (dy, [x], { axis }) => {
    const columns = columnsOf(x!.shape, util.parseAxisParam(axis as number[], x!.shape));
    if (columns === null) return null;
    const attrs = { ...columns, shape: x!.shape, factor: factorOf(columns) };
    return { x: () => engine().runKernel(SPREAD_ROWS, { x: dy }, attrs) as Tensor };
  };

export const sumGradient = spread(() => 1);
export const meanGradient = spread(({ rows }) => 1 / rows);
