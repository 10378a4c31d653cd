import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';
import {
  ClipByValue,
  type ClipByValueAttrs,
  type ClipByValueInputs,
  engine,
  Relu,
  Relu6,
  type ReluInputs,
  type Tensor,
  type TensorInfo,
  util,
} from '@tensorflow/tfjs-core';
import type { WasmGradient } from './gradients.ts';
import type { KernelCall } from './heap.ts';
import { addressOf, runNative } from './native.ts';
import { partsFor } from './parts.ts';
import { runStock } from './stock.ts';

/** Both ends belong to it. */
export interface Range {
  readonly lowest: number;
  readonly highest: number;
}

export const EVERYTHING: Range = { lowest: Number.NEGATIVE_INFINITY, highest: Number.POSITIVE_INFINITY };

/** Name of the kernel that lets dy through where x lies in a range. */
export const CLIP_GRADIENT = 'ClipGradient';

/** The float32 next to another, above (1) or below (−1). */
export function nextFloat(value: number, direction: 1 | -1): number {
  if (value === 0) return direction * 2 ** -149;
  const float = Float32Array.of(value);
  new Int32Array(float.buffer)[0]! += value > 0 ? direction : -direction;
  return float[0]!;
}

/** tfjs's gradient of relu is 0 at 0. */
const ABOVE_ZERO = nextFloat(0, 1);

type UnaryCall = KernelCall<ReluInputs, unknown>;

/** max(x, 0) */
export const relu = (call: UnaryCall): TensorInfo =>
  clippedOr(Relu, call, { lowest: 0, highest: Number.POSITIVE_INFINITY });

/** min(max(x, 0), 6) */
export const relu6 = (call: UnaryCall): TensorInfo => clippedOr(Relu6, call, { lowest: 0, highest: 6 });

/** min(max(x, lowest), highest), which is what a ReLU layer with a largest value runs; NaN for NaN, unlike stock */
export const clipByValue = (call: KernelCall<ClipByValueInputs, ClipByValueAttrs>): TensorInfo =>
  clippedOr(ClipByValue, call, { lowest: call.attrs.clipValueMin, highest: call.attrs.clipValueMax });

function clippedOr(kernel: string, call: UnaryCall, range: Range): TensorInfo {
  const { inputs, attrs, backend } = call;
  if (inputs.x.dtype === 'float32') return clipped(backend, inputs.x, range);
  return runStock(kernel, { inputs, attrs: attrs ?? {}, backend });
}

/** @param x  float32 */
export function clipped(backend: BackendWasm, x: TensorInfo, { lowest, highest }: Range): TensorInfo {
  const length = util.sizeFromShape(x.shape);
  const parts = partsFor(length, length);
  const y = backend.makeOutput(x.shape, 'float32');
  const args = [addressOf(backend, x), addressOf(backend, y), length, parts];
  runNative(backend, 'clip', { args, floats: [lowest, highest], parts });
  return y;
}

/**
 * dy where x lies in [lowest, highest], else 0. Stock multiplies dy by comparisons that it has cast to numbers.
 *
 * @param inputs  dy and x of the same shape
 */
export function clipGradient({
  inputs: { dy, x },
  attrs: { lowest, highest },
  backend,
}: KernelCall<Record<'dy' | 'x', TensorInfo>, Range>): TensorInfo {
  const length = util.sizeFromShape(x.shape);
  const parts = partsFor(2 * length, length);
  const dx = backend.makeOutput(x.shape, 'float32');
  const args = [...[dy, x, dx].map((tensor) => addressOf(backend, tensor)), length, parts];
  runNative(backend, 'clipGradient', { args, floats: [lowest, highest], parts });
  return dx;
}

const through =
  (rangeOf: (attrs: Readonly<Record<string, unknown>>) => Range): WasmGradient =>
  (dy, [x], attrs) => {
    if (x!.dtype !== 'float32') return null;
    const range = rangeOf(attrs as Readonly<Record<string, unknown>>);
    return { x: () => engine().runKernel(CLIP_GRADIENT, { dy, x: x! }, { ...range }) as Tensor };
  };

export const reluGradient = through(() => ({ lowest: ABOVE_ZERO, highest: Number.POSITIVE_INFINITY }));
export const relu6Gradient = through(() => ({ lowest: ABOVE_ZERO, highest: 6 }));
export const clipByValueGradient = through(({ clipValueMin, clipValueMax }) => ({
  lowest: clipValueMin as number,
  highest: clipValueMax as number,
}));
