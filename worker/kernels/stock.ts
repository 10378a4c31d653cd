import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';
import type { NamedAttrMap, TensorInfo } from '@tensorflow/tfjs-core';
import { runKernel } from './heap.ts';

/** Name under which the kernel that tfjs brings stays registered once one of ours has taken its place. */
export const stockName = (kernel: string): string => `${kernel}/stock`;

/** What tfjs hands to a kernel, whatever its inputs. */
interface AnyCall {
  readonly inputs: Readonly<Record<string, TensorInfo>>;
  readonly attrs?: object;
  readonly backend: BackendWasm;
}

/** Runs the kernel that tfjs brings, for a call that ours does not cover or would not speed up. */
export function runStock(kernel: string, { inputs, attrs = {}, backend }: AnyCall): TensorInfo {
  return runKernel(backend, { kernel: stockName(kernel), inputs, attrs: attrs as NamedAttrMap });
}
