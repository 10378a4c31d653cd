import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';
import {
  backend_util,
  Concat,
  type ConcatAttrs,
  Reverse,
  type ReverseAttrs,
  type ReverseInputs,
  Slice,
  type SliceAttrs,
  type SliceInputs,
  type SplitVAttrs,
  type SplitVInputs,
  slice_util,
  type TensorInfo,
  util,
} from '@tensorflow/tfjs-core';
import type { KernelCall } from './heap.ts';
import { addressOf, runNative } from './native.ts';
import { partsFor } from './parts.ts';
import { runStock } from './stock.ts';

/** An axis with the distances between its neighbours in the tensors that are moved from and to. */
export interface Axis {
  readonly size: number;
  readonly inX: number;
  readonly inY: number;
}

/** A tensor, and which number of it comes first. */
interface Place {
  readonly tensor: TensorInfo;
  readonly start: number;
}

/** One of a size of 1, to fill up with. */
export const NONE: Axis = { size: 1, inX: 0, inY: 0 };
const MOST_AXES = 3;

/** Numbers from one place of an axis to the next. */
export function distances(shape: readonly number[]): number[] {
  return shape.map((_, axis) => util.sizeFromShape(shape.slice(axis + 1)));
}

/** Axes of size 1 left out, and neighbours in both tensors taken as one, so that what remains has gaps between. */
export function merged(axes: readonly Axis[]): Axis[] {
  const kept: Axis[] = [];
  for (const axis of axes) {
    const before = kept.at(-1);
    if (axis.size === 1) continue;
    const isNext = before?.inX === axis.size * axis.inX && before.inY === axis.size * axis.inY;
    if (isNext) kept.pop();
    kept.push(isNext ? { ...axis, size: axis.size * before.size } : axis);
  }
  return kept;
}

/**
 * Copies numbers by rows, on all threads.
 *
 * @param axes  as `merged` returns them
 * @returns false where there are too many of them; nothing is copied then
 */
export function moveRows(
  backend: BackendWasm,
  { from, to, axes }: { from: Place; to: Place; axes: readonly Axis[] },
): boolean {
  const last = axes.at(-1);
  const isRow = last?.inX === 1 && last.inY === 1;
  const row = isRow ? last.size : 1;
  const outer = isRow ? axes.slice(0, -1) : axes;
  if (outer.length > MOST_AXES) return false;
  const filled = [NONE, NONE, NONE, ...outer].slice(-MOST_AXES);
  const [x, y] = [from, to].map(({ tensor, start }) => addressOf(backend, tensor) + 4 * start);
  const rows = filled.reduce((product, { size }) => product * size, 1);
  const parts = partsFor(rows * row, rows);
  const [sizes, inX, inY] = (['size', 'inX', 'inY'] as const).map((key) => filled.map((axis) => axis[key]));
  runNative(backend, 'moveRows', { args: [x!, y!, ...sizes!, ...inX!, ...inY!, row, parts], parts });
  return true;
}

const hasWords = ({ dtype, shape }: TensorInfo): boolean =>
  (dtype === 'float32' || dtype === 'int32') && util.sizeFromShape(shape) > 0;

/** Some axes run backwards. Stock finds the place of every number, and takes each for 4 bytes. */
export function reverse(call: KernelCall<ReverseInputs, ReverseAttrs>): TensorInfo {
  const { inputs, attrs, backend } = call;
  const { x } = inputs;
  if (!hasWords(x) || x.shape.length === 0) return runStock(Reverse, call);
  const reversed = util.parseAxisParam(attrs.dims, x.shape);
  const steps = distances(x.shape);
  const axes = x.shape.map((size, axis) => {
    const step = steps[axis]!;
    return { size, inX: reversed.includes(axis) ? -step : step, inY: step };
  });
  const start = axes.reduce((sum, { size, inX }) => sum + (inX < 0 ? -inX * (size - 1) : 0), 0);
  const y = backend.makeOutput(x.shape, x.dtype);
  const to = { tensor: y, start: 0 };
  if (moveRows(backend, { from: { tensor: x, start }, to, axes: merged(axes) })) return y;
  backend.disposeData(y.dataId);
  return runStock(Reverse, call);
}

/** A block of a tensor; the gradient of padding. Stock first copies the whole tensor. */
export function slice(call: KernelCall<SliceInputs, SliceAttrs>): TensorInfo {
  const { inputs, attrs, backend } = call;
  const { x } = inputs;
  const [begin, size] = slice_util.parseSliceParams(x as never, attrs.begin, attrs.size) as [
    number[],
    number[],
  ];
  if (!hasWords(x) || util.sizeFromShape(size) === 0) return runStock(Slice, call);
  const inX = distances(x.shape);
  const inY = distances(size);
  const axes = size.map((extent, axis) => ({ size: extent, inX: inX[axis]!, inY: inY[axis]! }));
  const start = begin.reduce((sum, first, axis) => sum + first * inX[axis]!, 0);
  const y = backend.makeOutput(size, x.dtype);
  const to = { tensor: y, start: 0 };
  if (moveRows(backend, { from: { tensor: x, start }, to, axes: merged(axes) })) return y;
  backend.disposeData(y.dataId);
  return runStock(Slice, call);
}

/** Blocks along one axis; the gradient of `concat`. */
export function splitV({
  inputs: { x },
  attrs: { numOrSizeSplits, axis },
  backend,
}: KernelCall<SplitVInputs, SplitVAttrs>): TensorInfo[] {
  const along = util.parseAxisParam(axis, x.shape)[0]!;
  const begin = x.shape.map(() => 0);
  return backend_util.prepareSplitSize(x as never, numOrSizeSplits, along).map((extent) => {
    const size = x.shape.with(along, extent);
    const block = slice({ inputs: { x }, attrs: { begin: [...begin], size }, backend });
    begin[along]! += extent;
    return block;
  });
}

/** Tensors one after the other along an axis. */
export function concat({
  inputs,
  attrs,
  backend,
}: {
  readonly inputs: readonly TensorInfo[];
  readonly attrs: ConcatAttrs;
  readonly backend: BackendWasm;
}): TensorInfo {
  const axis = util.parseAxisParam(attrs.axis, inputs[0]!.shape)[0]!;
  const shapes = inputs.map(({ shape }) => shape);
  backend_util.assertParamsConsistent(shapes, axis);
  if (
    inputs.length < 2 ||
    !inputs.every(hasWords) ||
    inputs.some(({ dtype }) => dtype !== inputs[0]!.dtype)
  ) {
    return runStock(Concat, { inputs: inputs as never, attrs, backend });
  }
  const y = backend.makeOutput(backend_util.computeOutShape(shapes, axis), inputs[0]!.dtype);
  const inner = util.sizeFromShape(y.shape.slice(axis));
  const groups = util.sizeFromShape(y.shape.slice(0, axis));
  let start = 0;
  for (const tensor of inputs) {
    const size = util.sizeFromShape(tensor.shape.slice(axis));
    const axes = merged([
      { size: groups, inX: size, inY: inner },
      { size, inX: 1, inY: 1 },
    ]);
    moveRows(backend, { from: { tensor, start: 0 }, to: { tensor: y, start }, axes });
    start += size;
  }
  return y;
}
