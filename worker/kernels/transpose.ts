import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';
import {
  type TensorInfo,
  Transpose,
  type TransposeAttrs,
  type TransposeInputs,
  util,
} from '@tensorflow/tfjs-core';
import type { KernelCall } from './heap.ts';
import { type Axis, distances, merged, moveRows, NONE } from './moves.ts';
import { addressOf, runNative } from './native.ts';
import { partsFor } from './parts.ts';
import { runStock } from './stock.ts';

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
  const shape = attrs.perm.map((axis) => x.shape[axis]!);
  const inX = distances(x.shape);
  const inY = distances(shape);
  const axes = merged(
    shape.map((size, place) => ({ size, inX: inX[attrs.perm[place]!]!, inY: inY[place]! })),
  );
  const isCovered = x.dtype === 'float32' || x.dtype === 'int32';
  if (!isCovered || axes.length < 2 || axes.length > 4 || util.sizeFromShape(x.shape) === 0) {
    return runStock(Transpose, call);
  }
  const y = backend.makeOutput(shape, x.dtype);
  if (axes.at(-1)!.inX === 1) {
    moveRows(backend, { from: { tensor: x, start: 0 }, to: { tensor: y, start: 0 }, axes });
  } else {
    exchange(backend, { x, y, axes });
  }
  return y;
}

function exchange(
  backend: BackendWasm,
  { x, y, axes }: { x: TensorInfo; y: TensorInfo; axes: readonly Axis[] },
): void {
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
