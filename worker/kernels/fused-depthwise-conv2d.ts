import type { FusedDepthwiseConv2DAttrs, TensorInfo } from '@tensorflow/tfjs-core';
import { UnsupportedModelError } from '../../core/errors.ts';
import { activated, boundsOf } from './activation.ts';
import { convolveDepthwise, depthwiseInfo } from './depthwise-conv2d.ts';
import { assertChannelsLast, type KernelCall, type Shape4D } from './heap.ts';

/** Bias and the weights of prelu may be missing. */
type Inputs = Record<'x' | 'filter' | 'bias' | 'preluActivationWeights', unknown>;
type Call = KernelCall<Inputs, FusedDepthwiseConv2DAttrs>;

const ACTIVATIONS = ['linear', 'relu', 'relu6', 'elu', 'leakyrelu', 'prelu', 'sigmoid'];

/**
 * Depthwise convolution with bias and activation.
 *
 * @param inputs  x [N, H, W, C], filter [R, S, C, M], bias [C·M] or none
 * @returns [N, O, P, C·M]
 * @throws UnsupportedModelError for another data format than NHWC, activation or shape of the bias
 */
export function fusedDepthwiseConv2d(call: Call): TensorInfo {
  const { inputs, attrs, backend } = call;
  const { x, filter, bias } = inputs;
  assertChannelsLast('FusedDepthwiseConv2D', attrs.dataFormat);
  const info = depthwiseInfo(x.shape as Shape4D, filter.shape as Shape4D, attrs);
  if (bias && (bias.shape.length !== 1 || bias.shape[0] !== info.outChannels)) {
    throw new UnsupportedModelError(
      `kernel FusedDepthwiseConv2D of backend wasm: bias, expected shape [${info.outChannels}], received [${bias.shape}]`,
      { expected: [info.outChannels], received: bias.shape },
    );
  }
  const { activation } = attrs;
  if (!ACTIVATIONS.includes(activation)) {
    throw new UnsupportedModelError(
      `kernel FusedDepthwiseConv2D of backend wasm: activation, expected one of ${ACTIVATIONS.join(', ')}, received ${activation}`,
      { activation },
    );
  }
  const bounds = boundsOf(activation);
  const result = convolveDepthwise(backend, { source: x, filter, info, bias: bias ?? undefined, bounds });
  return activated(backend, result, { ...attrs, slopes: inputs.preluActivationWeights });
}
