import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';
import {
  type TensorInfo,
  Transpose,
  type TransposeAttrs,
  type TransposeInputs,
  util,
} from '@tensorflow/tfjs-core';
import type { KernelCall } from './heap.ts';
import { addressOf, runNative } from './native.ts';
import { partsFor } from './parts.ts';
import { runStock } from './stock.ts';

/** An axis of y, with the distance between its neighbours in x and in y. */
interface Axis {
  readonly size: number;
  readonly inX: number;
  readonly inY: number;
}

/** One of a size of 1, to fill up with. */
const NONE: Axis = { size: 1, inX: 0, inY: 0 };
/** Places along the innermost axis that assembly/transpose.ts moves at a time. */
const WIDTH = 16;

/**
 * Exchange of axes by squares, or by rows where the innermost axis stays. Stock finds the place of every number.
 *
 * @param inputs  x float32 or int32; anything else, and what more than four axes are left of, stays with stock
 */
export function transpose(call: KernelCall<TransposeInputs, TransposeAttrs>): TensorInfo {
  const { inputs, attrs, backend } = call;
  const { x } = inputs;
  const axes = axesOf(x.shape, attrs.perm);
  const isCovered = x.dtype === 'float32' || x.dtype === 'int32';
  if (!isCovered || axes.length < 2 || axes.length > 4 || util.sizeFromShape(x.shape) === 0) {
    return runStock(Transpose, call);
  }
  const y = backend.makeOutput(
    attrs.perm.map((axis) => x.shape[axis]!),
    x.dtype,
  );
  if (axes.at(-1)!.inX === 1) moveRows(backend, { x, y, axes });
  else exchange(backend, { x, y, axes });
  return y;
}

/** Axes of y, without those of size 1, and with neighbours in both tensors taken as one. */
function axesOf(shape: readonly number[], permutation: readonly number[]): Axis[] {
  const inX = distances(shape);
  const inY = distances(permutation.map((axis) => shape[axis]!));
  const axes: Axis[] = [];
  for (const [place, axis] of permutation.entries()) {
    const size = shape[axis]!;
    const before = axes.at(-1);
    if (size === 1) continue;
    const isNext = before !== undefined && before.inX === size * inX[axis]!;
    if (isNext) axes.pop();
    axes.push({ size: isNext ? size * before.size : size, inX: inX[axis]!, inY: inY[place]! });
  }
  return axes;
}

/** Numbers from one place of an axis to the next. */
function distances(shape: readonly number[]): number[] {
  return shape.map((_, axis) => util.sizeFromShape(shape.slice(axis + 1)));
}

interface Move {
  readonly x: TensorInfo;
  readonly y: TensorInfo;
  readonly axes: readonly Axis[];
}

function moveRows(backend: BackendWasm, { x, y, axes }: Move): void {
  const row = axes.at(-1)!.size;
  const outer = [NONE, NONE, NONE, ...axes.slice(0, -1)].slice(-3);
  const length = util.sizeFromShape(x.shape);
  const parts = partsFor(length, length / row);
  const sizes = outer.map(({ size }) => size);
  const inX = outer.map((axis) => axis.inX);
  const args = [addressOf(backend, x), addressOf(backend, y), ...sizes, ...inX, row, parts];
  runNative(backend, 'moveRows', { args, parts });
}

function exchange(backend: BackendWasm, { x, y, axes }: Move): void {
  const height = axes.at(-1)!;
  const width = axes.find(({ inX }) => inX === 1)!;
  const others = axes.filter((axis) => axis !== height && axis !== width);
  const [i, j] = [NONE, NONE, ...others].slice(-2) as [Axis, Axis];
  const strips = i.size * j.size * Math.ceil(width.size / WIDTH);
  const parts = partsFor(util.sizeFromShape(x.shape), strips);
  const outer = [i.size, j.size, i.inX, j.inX, i.inY, j.inY];
  const inner = [width.size, height.size, height.inX, width.inY];
  const args = [addressOf(backend, x), addressOf(backend, y), ...outer, ...inner, parts];
  runNative(backend, 'exchange', { args, parts });
}
