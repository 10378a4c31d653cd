import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';
import {
  AvgPool,
  type AvgPoolAttrs,
  type AvgPoolInputs,
  backend_util,
  MaxPool,
  type MaxPoolAttrs,
  type MaxPoolInputs,
  type TensorInfo,
} from '@tensorflow/tfjs-core';
import type { KernelCall, Shape4D } from './heap.ts';
import { addressOf, runNative } from './native.ts';
import { partsFor } from './parts.ts';
import { runStock } from './stock.ts';
import { columnAxis, rowAxis } from './window-axis.ts';

/** What assembly/pool.ts wants to know, in its order. */
export function geometryOf(info: backend_util.Conv2DInfo): number[] {
  const axes = [rowAxis(info), columnAxis(info)];
  return [
    ...axes.map(({ inputSize }) => inputSize),
    info.inChannels,
    ...axes.map(({ outputSize }) => outputSize),
    ...axes.map(({ taps }) => taps),
    ...axes.map(({ stride }) => stride),
    ...axes.map(({ padBefore }) => padBefore),
  ];
}

/**
 * The largest value of each window, on all threads.
 *
 * @param inputs  x [N, H, W, C]
 * @returns [N, O, P, C]
 */
export function maxPool(call: KernelCall<MaxPoolInputs, MaxPoolAttrs>): TensorInfo {
  return pooled(call, 'maxPool') ?? runStock(MaxPool, call);
}

/** The mean of what of each window lies on the image, on all threads; as `maxPool`. */
export function averagePool(
  call: KernelCall<AvgPoolInputs, AvgPoolAttrs & Pick<MaxPoolAttrs, 'dimRoundingMode'>>,
): TensorInfo {
  return pooled(call, 'averagePool') ?? runStock(AvgPool, call);
}

function pooled(
  {
    inputs: { x },
    attrs: { filterSize, strides, pad, dimRoundingMode },
    backend,
  }: {
    inputs: { x: TensorInfo };
    attrs: Pick<MaxPoolAttrs, 'filterSize' | 'strides' | 'pad' | 'dimRoundingMode'>;
    backend: BackendWasm;
  },
  kernel: string,
): TensorInfo | null {
  if (x.dtype !== 'float32') return null;
  const info = backend_util.computePool2DInfo(
    x.shape as Shape4D,
    filterSize,
    strides,
    1,
    pad,
    dimRoundingMode,
  );
  const y = backend.makeOutput(info.outShape, 'float32');
  const lines = info.batchSize * info.outHeight;
  const taps = info.filterHeight * info.filterWidth;
  const parts = partsFor(lines * info.outWidth * info.outChannels * taps, lines);
  const args = [addressOf(backend, x), addressOf(backend, y), 0, ...geometryOf(info), info.batchSize, parts];
  runNative(backend, kernel, { args, parts });
  return y;
}
