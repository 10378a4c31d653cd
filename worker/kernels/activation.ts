import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';
import {
  type backend_util,
  Elu,
  LeakyRelu,
  type NamedAttrMap,
  Prelu,
  Sigmoid,
  type TensorInfo,
} from '@tensorflow/tfjs-core';
import { ShapeMismatchError } from '../../core/errors.ts';
import { release, runKernel } from './heap.ts';
import { type Bounds, UNBOUNDED } from './matrix-product.ts';

/** What tfjs may ask to be done to the results of a product; `slopes` are those of prelu. */
export interface Activation {
  readonly activation: backend_util.Activation;
  readonly leakyreluAlpha?: number;
  readonly slopes?: TensorInfo | undefined;
}

const BOUNDS: Partial<Record<backend_util.Activation, Bounds>> = {
  relu: { low: 0, high: Number.POSITIVE_INFINITY },
  relu6: { low: 0, high: 6 },
};

/** The bounds that an activation amounts to; none where it is applied afterwards. */
export function boundsOf(activation: backend_util.Activation): Bounds {
  return BOUNDS[activation] ?? UNBOUNDED;
}

/** @throws ShapeMismatchError when there is a bias and it is not [columns] */
export function assertBias(where: string, bias: TensorInfo | undefined, columns: number): void {
  if (bias === undefined || (bias.shape.length === 1 && bias.shape[0] === columns)) return;
  throw new ShapeMismatchError(`${where}: bias, expected [${columns}], received [${bias.shape}]`, {
    where,
    expected: [columns],
    received: bias.shape,
  });
}

/** Applies what `boundsOf` leaves undone, and releases `result` if that makes another. */
export function activated(backend: BackendWasm, result: TensorInfo, activation: Activation): TensorInfo {
  const kernel = kernelOf(activation, result);
  if (kernel === null) return result;
  const final = runKernel(backend, kernel);
  release(backend, result);
  return final;
}

function kernelOf(
  { activation, leakyreluAlpha, slopes }: Activation,
  x: TensorInfo,
): { kernel: string; inputs: Record<string, TensorInfo>; attrs: NamedAttrMap } | null {
  switch (activation) {
    case 'linear':
    case 'relu':
    case 'relu6':
      return null;
    case 'elu':
      return { kernel: Elu, inputs: { x }, attrs: {} };
    case 'sigmoid':
      return { kernel: Sigmoid, inputs: { x }, attrs: {} };
    case 'leakyrelu':
      return { kernel: LeakyRelu, inputs: { x }, attrs: { alpha: leakyreluAlpha ?? 0 } };
    case 'prelu':
      return { kernel: Prelu, inputs: { x, alpha: slopes! }, attrs: {} };
    default:
      return activation satisfies never;
  }
}
