import type { _FusedMatMulAttrs, _FusedMatMulInputs, TensorInfo } from '@tensorflow/tfjs-core';
import { activated, assertBias, boundsOf } from './activation.ts';
import { product } from './batch-mat-mul.ts';
import type { KernelCall } from './heap.ts';

/**
 * activation(a·b + bias), otherwise as batchMatMul. What is not a bound, such as a sigmoid, comes after.
 *
 * Stock adds the bias more than once to a product with a transposed or stacked factor and a long inner axis.
 *
 * @param inputs  bias [K] or undefined; for prelu the slopes
 * @throws ShapeMismatchError when the bias has another shape
 */
export function fusedMatMul({
  inputs: { a, b, bias, preluActivationWeights },
  attrs,
  backend,
}: KernelCall<_FusedMatMulInputs, _FusedMatMulAttrs>): TensorInfo {
  assertBias('matMul', bias, b!.shape.at(attrs.transposeB ? -2 : -1)!);
  const call = { inputs: { a: a!, b: b! }, attrs, backend };
  const result = product(call, { bias, bounds: boundsOf(attrs.activation) });
  return activated(backend, result, { ...attrs, slopes: preluActivationWeights });
}
