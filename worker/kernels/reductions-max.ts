import {
  backend_util,
  engine,
  Max,
  type MaxAttrs,
  type MaxInputs,
  type Tensor,
  type TensorInfo,
  util,
} from '@tensorflow/tfjs-core';
import type { WasmGradient } from './gradients.ts';
import type { KernelCall } from './heap.ts';
import { addressOf, runNative } from './native.ts';
import { partsFor } from './parts.ts';
import { type Columns, columnsOf } from './reductions.ts';
import { runStock } from './stock.ts';

/** Name of the kernel of its gradient. */
export const MAX_GRADIENT = 'MaxGradient';

/** Fewer fill no vector. */
const LEAST_CHANNELS = 4;

/**
 * Largest value over neighbouring axes that are not the last, as in global max pooling. Stock transposes first.
 *
 * @param inputs  x float32; anything else is left to stock
 */
export function max(call: KernelCall<MaxInputs, MaxAttrs>): TensorInfo {
  const { inputs, attrs, backend } = call;
  const { x } = inputs;
  const axes = util.parseAxisParam(attrs.reductionIndices, x.shape);
  const columns = coveredColumns(x, axes);
  if (columns === null) return runStock(Max, call);
  const { groups, rows, channels } = columns;
  const shape = backend_util.computeOutAndReduceShapes(x.shape, axes)[0];
  const kept = attrs.keepDims ? backend_util.expandShapeToKeepDim(shape, axes) : shape;
  const y = backend.makeOutput(kept, 'float32');
  const parts = partsFor(groups * rows * channels, groups);
  const args = [addressOf(backend, x), addressOf(backend, y), groups, rows, channels, parts];
  runNative(backend, 'columnMaxima', { args, parts });
  return y;
}

/** null where stock is to do it. */
function coveredColumns({ dtype, shape }: TensorInfo, axes: readonly number[]): Columns | null {
  const columns = columnsOf(shape, axes);
  return columns && dtype === 'float32' && columns.channels >= LEAST_CHANNELS ? columns : null;
}

/**
 * dy where x is the largest of its group and channel, else 0: equal ones all get it, as in tfjs.
 *
 * @param inputs  x [groups, rows, channels], y and dy [groups, channels]
 */
export function maxGradientKernel({
  inputs: { x, y, dy },
  attrs: { groups, rows, channels },
  backend,
}: KernelCall<Record<'x' | 'y' | 'dy', TensorInfo>, Columns>): TensorInfo {
  const dx = backend.makeOutput(x.shape, 'float32');
  const parts = partsFor(2 * groups * rows * channels, groups * rows);
  const tensors = [x, y, dy, dx].map((tensor) => addressOf(backend, tensor));
  runNative(backend, 'columnMaximaGradient', { args: [...tensors, groups, rows, channels, parts], parts });
  return dx;
}

export const maxGradient: WasmGradient = (dy, saved, { reductionIndices }) => {
  const [x, y] = saved as [Tensor, Tensor];
  const columns = coveredColumns(x, util.parseAxisParam(reductionIndices as number[], x.shape));
  return columns && { x: () => engine().runKernel(MAX_GRADIENT, { x, y, dy }, { ...columns }) as Tensor };
};
