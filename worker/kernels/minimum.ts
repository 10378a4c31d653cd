import {
  type BinaryInputs,
  engine,
  Maximum,
  Minimum,
  type Tensor,
  type TensorInfo,
  util,
} from '@tensorflow/tfjs-core';
import type { WasmGradient } from './gradients.ts';
import { floats, type KernelCall } from './heap.ts';
import { CLIP_GRADIENT, clipped, EVERYTHING, nextFloat, type Range } from './relu.ts';
import { runStock } from './stock.ts';

/** The smaller of a tensor and one number, which is what the activation relu6 of tfjs-layers runs. */
export function minimum(call: KernelCall<BinaryInputs, unknown>): TensorInfo {
  return bounded(call, Minimum, (highest) => ({ ...EVERYTHING, highest }));
}

/** The larger of a tensor and one number. */
export function maximum(call: KernelCall<BinaryInputs, unknown>): TensorInfo {
  return bounded(call, Maximum, (lowest) => ({ ...EVERYTHING, lowest }));
}

function bounded(
  { inputs, backend }: KernelCall<BinaryInputs, unknown>,
  kernel: string,
  rangeOf: (bound: number) => Range,
): TensorInfo {
  const { a, b } = inputs;
  const [x, bound] = isOne(a) ? [b, a] : [a, b];
  const value = isBound(bound, x) ? floats(backend, bound)[0]! : Number.NaN;
  if (Number.isNaN(value)) return runStock(kernel, { inputs: { a, b }, backend });
  return clipped(backend, x, rangeOf(value));
}

type Shaped = Pick<TensorInfo, 'dtype' | 'shape'>;

const isOne = ({ shape }: Shaped): boolean => util.sizeFromShape(shape) === 1;

const isBound = (bound: Shaped, x: Shaped): boolean =>
  isOne(bound) &&
  !isOne(x) &&
  bound.shape.length <= x.shape.length &&
  x.dtype === 'float32' &&
  bound.dtype === 'float32';

/**
 * Gradient by the tensor; by the one number tfjs has none, as by anything that is repeated. Where both are equal, dy
 * goes to the first argument, as in tfjs, so to x where it is that.
 *
 * @param rangeOf  where x is the smaller, or the larger
 */
const bySide =
  (rangeOf: (bound: number, isFirst: boolean) => Range): WasmGradient =>
  (dy, saved) => {
    const [a, b] = saved as [Tensor, Tensor];
    const through = (x: Tensor, bound: Tensor) => () =>
      engine().runKernel(CLIP_GRADIENT, { dy, x }, { ...rangeOf(bound.dataSync()[0]!, x === a) }) as Tensor;
    if (isBound(b, a)) return { a: through(a, b) };
    return isBound(a, b) ? { b: through(b, a) } : null;
  };

export const minimumGradient = bySide((bound, isFirst) => ({
  ...EVERYTHING,
  highest: isFirst ? bound : nextFloat(bound, -1),
}));

export const maximumGradient = bySide((bound, isFirst) => ({
  ...EVERYTHING,
  lowest: isFirst ? bound : nextFloat(bound, 1),
}));
