import type {
  DepthwiseConv2dNativeBackpropInputAttrs,
  DepthwiseConv2dNativeBackpropInputInputs,
  TensorInfo,
} from '@tensorflow/tfjs-core';
import { convolveDepthwise, depthwiseInfo } from './depthwise-conv2d.ts';
import type { KernelCall, Shape4D } from './heap.ts';

/**
 * Gradient of a depthwise convolution by its input. Channel c feeds the M outputs c·M … c·M + M − 1.
 *
 *   dx[n, i, j, c] = Σ_{r, s, m} dy[n, (i + pad − r·dilation) / stride, (j + pad − s·dilation) / stride, c·M + m] · w[r, s, c, m]
 *
 * over the taps that leave both quotients whole.
 *
 * @param inputs  dy [N, O, P, C·M], filter [R, S, C, M]
 * @returns [N, H, W, C]
 * @throws UnsupportedModelError when both stride and dilation exceed 1, which tfjs does not allow either
 */
export function depthwiseBackpropInput({
  inputs: { dy, filter },
  attrs,
  backend,
}: KernelCall<
  DepthwiseConv2dNativeBackpropInputInputs,
  DepthwiseConv2dNativeBackpropInputAttrs
>): TensorInfo {
  const info = depthwiseInfo(attrs.inputShape, filter.shape as Shape4D, attrs);
  return convolveDepthwise(backend, { source: dy, filter, info, isBackward: true });
}
