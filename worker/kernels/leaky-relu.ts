import {
  engine,
  LeakyRelu,
  type LeakyReluAttrs,
  type LeakyReluInputs,
  type Tensor,
  type TensorInfo,
  util,
} from '@tensorflow/tfjs-core';
import type { WasmGradient } from './gradients.ts';
import type { KernelCall } from './heap.ts';
import { addressOf, runNative } from './native.ts';
import { partsFor } from './parts.ts';
import { runStock } from './stock.ts';

/** Name of the kernel of its gradient. */
export const LEAKY_RELU_GRADIENT = 'LeakyReluGradient';

/** x where x > 0, else x · alpha; float32 only, anything else is left to stock */
export function leakyRelu(call: KernelCall<LeakyReluInputs, LeakyReluAttrs>): TensorInfo {
  const { inputs, attrs, backend } = call;
  const { x } = inputs;
  if (x.dtype !== 'float32') return runStock(LeakyRelu, call);
  const y = backend.makeOutput(x.shape, 'float32');
  const length = util.sizeFromShape(x.shape);
  const parts = partsFor(length, length);
  const args = [addressOf(backend, x), addressOf(backend, y), length, parts];
  runNative(backend, 'leak', { args, floats: [attrs.alpha], parts });
  return y;
}

/**
 * dy where x > 0, else dy · alpha
 *
 * @param inputs  dy and x of the same shape
 */
export function leakyReluGradientKernel({
  inputs: { dy, x },
  attrs: { alpha },
  backend,
}: KernelCall<Record<'dy' | 'x', TensorInfo>, LeakyReluAttrs>): TensorInfo {
  const dx = backend.makeOutput(x.shape, 'float32');
  const length = util.sizeFromShape(x.shape);
  const parts = partsFor(2 * length, length);
  const args = [...[dy, x, dx].map((tensor) => addressOf(backend, tensor)), length, parts];
  runNative(backend, 'leakGradient', { args, floats: [alpha], parts });
  return dx;
}

export const leakyReluGradient: WasmGradient = (dy, saved, { alpha }) => {
  const [x] = saved as [Tensor];
  if (x.dtype !== 'float32') return null;
  return {
    x: () => engine().runKernel(LEAKY_RELU_GRADIENT, { dy, x }, { alpha: alpha as number }) as Tensor,
  };
};
