import type { FusedConv2DAttrs, FusedConv2DInputs, TensorInfo } from '@tensorflow/tfjs-core';
import { activated, assertBias, boundsOf } from './activation.ts';
import { convolved } from './conv2d.ts';
import { assertChannelsLast, type KernelCall } from './heap.ts';

/**
 * activation(convolution + bias), as in conv2d. What is not a bound, such as a sigmoid, comes after.
 *
 * @param inputs  bias [K] or undefined; for prelu the slopes
 * @throws UnsupportedModelError when the data format is not NHWC
 * @throws ShapeMismatchError when the bias has another shape
 */
export function fusedConv2d({
  inputs: { x, filter, bias, preluActivationWeights },
  attrs,
  backend,
}: KernelCall<FusedConv2DInputs, FusedConv2DAttrs>): TensorInfo {
  assertChannelsLast('FusedConv2D', attrs.dataFormat);
  assertBias('FusedConv2D', bias, filter!.shape[3]!);
  const inputs = { x: x!, filter: filter!, bias, bounds: boundsOf(attrs.activation) };
  const result = convolved(backend, inputs, attrs);
  return activated(backend, result, { ...attrs, slopes: preluActivationWeights });
}
