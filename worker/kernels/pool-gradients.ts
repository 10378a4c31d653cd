import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';
import {
  type AvgPoolGradAttrs,
  type AvgPoolGradInputs,
  backend_util,
  type MaxPoolGradAttrs,
  type MaxPoolGradInputs,
  type TensorInfo,
} from '@tensorflow/tfjs-core';
import type { KernelCall, Shape4D } from './heap.ts';
import { addressOf, runNative } from './native.ts';
import { geometryOf } from './pools.ts';

/** Parts that there should be for the threads; beyond the images, channels are shared out. */
const PARTS = 16;
/** Channels that are worth a part: a cache line. */
const LEAST_CHANNELS = 16;

/**
 * Gradient of max pooling: each dy goes to the first maximum of its window.
 *
 * Replaces the stock kernel, which begins each search at the smallest positive float: a window without a
 * larger value, such as one that relu emptied, sends its gradient to element 0 of dx.
 *
 * @param inputs  dy [N, O, P, C], input [N, H, W, C]
 * @returns [N, H, W, C]
 */
export function maxPoolGradient({
  inputs: { dy, input },
  attrs,
  backend,
}: KernelCall<MaxPoolGradInputs, MaxPoolGradAttrs>): TensorInfo {
  return poolGradient(backend, 'maxPoolGradient', { dy, x: input, attrs });
}

/**
 * Gradient of average pooling: each dy is shared evenly by the inputs in its window, padding not counted.
 *
 * Replaces the stock kernel, which divides by the full window also where the forward pass divided by the
 * part of it that lies on the image. (Backend `cpu` has the same fault.)
 *
 * @param inputs  dy [N, O, P, C], input [N, H, W, C]
 * @returns [N, H, W, C]
 */
export function averagePoolGradient({
  inputs: { dy, input },
  attrs,
  backend,
}: KernelCall<AvgPoolGradInputs, AvgPoolGradAttrs & Pick<MaxPoolGradAttrs, 'dimRoundingMode'>>): TensorInfo {
  return poolGradient(backend, 'averagePoolGradient', { dy, x: input, attrs });
}

function poolGradient(
  backend: BackendWasm,
  kernel: string,
  { dy, x, attrs }: { dy: TensorInfo; x: TensorInfo; attrs: Omit<MaxPoolGradAttrs, 'dilations'> },
): TensorInfo {
  const { filterSize, strides, pad, dimRoundingMode } = attrs;
  const info = backend_util.computePool2DInfo(
    x.shape as Shape4D,
    filterSize,
    strides,
    1,
    pad,
    dimRoundingMode,
  );
  const dx = backend.makeOutput(x.shape, 'float32');
  const groups = Math.max(
    1,
    Math.min(Math.ceil(PARTS / info.batchSize), Math.floor(info.inChannels / LEAST_CHANNELS)),
  );
  const tensors = [dy, dx, x].map((tensor) => addressOf(backend, tensor));
  runNative(backend, kernel, {
    args: [...tensors, ...geometryOf(info), groups],
    parts: groups * info.batchSize,
  });
  return dx;
}
