import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';
import {
  getKernel,
  type NamedAttrMap,
  type NamedTensorInfoMap,
  type TensorInfo,
} from '@tensorflow/tfjs-core';
import { BackendUnavailableError, UnsupportedModelError } from '../../core/errors.ts';

export type Shape4D = [number, number, number, number];

/** What tfjs hands to a kernel. The kernel owns none of `inputs`; its result belongs to the engine. */
export interface KernelCall<Inputs, Attributes> {
  readonly inputs: Readonly<Record<keyof Inputs, TensorInfo>>;
  readonly attrs: Attributes;
  readonly backend: BackendWasm;
}

/**
 * The elements of a float32 tensor, in place on the WASM heap.
 *
 * The view dies as soon as the heap grows, so it is taken after the last allocation before its use.
 */
export function floats(backend: BackendWasm, tensor: TensorInfo): Float32Array {
  return backend.typedArrayFromHeap(tensor) as Float32Array;
}

/** A float32 tensor of zeros; the caller releases or returns it. (`makeOutput` alone leaves old bytes.) */
export function zeros(backend: BackendWasm, shape: number[]): TensorInfo {
  const tensor = backend.makeOutput(shape, 'float32');
  floats(backend, tensor).fill(0);
  return tensor;
}

/** The same elements under another shape; owns nothing. */
export function view(tensor: TensorInfo, shape: number[]): TensorInfo {
  return { ...tensor, shape };
}

/** Frees intermediates, and with a filter the packed copy that XNNPACK keeps of it. */
export function release(backend: BackendWasm, ...tensors: readonly TensorInfo[]): void {
  for (const { dataId } of tensors) backend.disposeData(dataId);
}

interface StockCall {
  readonly kernel: string;
  readonly inputs: Readonly<Record<string, TensorInfo>>;
  readonly attrs: NamedAttrMap;
}

/**
 * Runs another kernel of the WASM backend directly, outside the tape and outside `tf.tidy`.
 *
 * @returns its only output; the caller releases or returns it
 * @throws BackendUnavailableError when the backend has no kernel of that name
 */
export function runKernel(backend: BackendWasm, { kernel, inputs, attrs }: StockCall): TensorInfo {
  const config = getKernel(kernel, 'wasm');
  if (config === undefined) {
    throw new BackendUnavailableError(`kernel ${kernel} is not registered for backend wasm`, { kernel });
  }
  const outputs = config.kernelFunc({ inputs: inputs as NamedTensorInfoMap, backend, attrs });
  return Array.isArray(outputs) ? outputs[0]! : outputs;
}

/** @throws UnsupportedModelError unless images are [N, H, W, C] */
export function assertChannelsLast(kernel: string, dataFormat: string): void {
  if (dataFormat === 'NHWC') return;
  throw new UnsupportedModelError(
    `kernel ${kernel} of backend wasm: data format, expected NHWC (channelsLast), received ${dataFormat}`,
    { kernel, dataFormat },
  );
}
