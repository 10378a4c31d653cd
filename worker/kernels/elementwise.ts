import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';
import {
  Add,
  AddN,
  type AddNInputs,
  type BinaryInputs,
  Multiply,
  type TensorInfo,
  util,
} from '@tensorflow/tfjs-core';
import { floats, type KernelCall, release } from './heap.ts';
import { addressOf, runNative } from './native.ts';
import { partsFor } from './parts.ts';
import { type Columns, columnsOf } from './reductions.ts';
import { runStock } from './stock.ts';

/** Kernels of ours for one operation, by how the shapes of its arguments meet. */
interface Operation {
  readonly stock: string;
  readonly pairs: string;
  readonly rows: string;
  /** By one number; stock where there is none. */
  readonly scalar?: string;
}

/** Repeated rows shorter than that fill no vector. */
const LEAST_CHANNELS = 4;

/** a + b, in parts where the tensors are large and equal in shape, or one is repeated along neighbouring axes. */
export function add(call: KernelCall<BinaryInputs, unknown>): TensorInfo {
  return joined(call, { stock: Add, pairs: 'addPairs', rows: 'addToRows' });
}

/** a · b, as `add`, and in parts where one is a single number. */
export function multiply(call: KernelCall<BinaryInputs, unknown>): TensorInfo {
  return joined(call, { stock: Multiply, pairs: 'multiplyPairs', rows: 'multiplyRows', scalar: 'scale' });
}

/** Sum of tensors of one shape. */
export function addN({ inputs, backend }: KernelCall<AddNInputs, unknown>): TensorInfo {
  const [first, ...rest] = Object.values(inputs as unknown as Record<string, TensorInfo>);
  if (rest.length === 0 || !isLarge(first!)) return runStock(AddN, { inputs: inputs as never, backend });
  return rest.reduce((total, tensor) => {
    const next = add({ inputs: { a: total, b: tensor }, attrs: {}, backend });
    if (total !== first) release(backend, total);
    return next;
  }, first!);
}

function joined({ inputs, backend }: KernelCall<BinaryInputs, unknown>, operation: Operation): TensorInfo {
  const { a, b } = inputs;
  // both operations commute, to the bit
  const [large, small] = util.sizeFromShape(a.shape) >= util.sizeFromShape(b.shape) ? [a, b] : [b, a];
  const columns = isLarge(large) && small.dtype === 'float32' ? repetitionOf(small.shape, large.shape) : null;
  if (columns === null) return runStock(operation.stock, { inputs: { a, b }, backend });
  const { groups, rows, channels } = columns;
  if (groups * channels === 1 && operation.scalar !== undefined) {
    return scaled(backend, { x: large, factor: floats(backend, small)[0]!, kernel: operation.scalar });
  }
  if (rows > 1 && channels < LEAST_CHANNELS) return runStock(operation.stock, { inputs: { a, b }, backend });
  const y = backend.makeOutput(large.shape, 'float32');
  const places = [large, small, y].map((tensor) => addressOf(backend, tensor));
  const length = groups * rows * channels;
  const parts = partsFor(length, rows === 1 ? length : groups * rows);
  if (rows === 1) runNative(backend, operation.pairs, { args: [...places, length, parts], parts });
  else runNative(backend, operation.rows, { args: [...places, groups, rows, channels, parts], parts });
  return y;
}

/** The larger shape as [groups, rows, channels] where the smaller is [groups, channels]; null where it is not. */
function repetitionOf(small: readonly number[], large: readonly number[]): Columns | null {
  if (small.length > large.length) return null;
  const filled = [...large.slice(small.length).map(() => 1), ...small];
  const axes = large.flatMap((size, axis) => (size === filled[axis] ? [] : [axis]));
  return axes.every((axis) => filled[axis] === 1) ? columnsOf(large, axes) : null;
}

function scaled(
  backend: BackendWasm,
  { x, factor, kernel }: { x: TensorInfo; factor: number; kernel: string },
): TensorInfo {
  const y = backend.makeOutput(x.shape, 'float32');
  const length = util.sizeFromShape(x.shape);
  const parts = partsFor(length, length);
  const args = [addressOf(backend, x), addressOf(backend, y), length, parts];
  runNative(backend, kernel, { args, floats: [factor], parts });
  return y;
}

const isLarge = ({ dtype, shape }: TensorInfo): boolean =>
  dtype === 'float32' && partsFor(util.sizeFromShape(shape), Number.POSITIVE_INFINITY) > 1;
