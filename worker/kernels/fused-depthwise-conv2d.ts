import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';
import {
  Elu,
  type FusedDepthwiseConv2DAttrs,
  LeakyRelu,
  Prelu,
  Sigmoid,
  type TensorInfo,
} from '@tensorflow/tfjs-core';
import { UnsupportedModelError } from '../../core/errors.ts';
import { convolveDepthwise, depthwiseInfo } from './depthwise-conv2d.ts';
import { assertChannelsLast, type KernelCall, release, runKernel, type Shape4D } from './heap.ts';

/** Bias and the weights of prelu may be missing. */
type Inputs = Record<'x' | 'filter' | 'bias' | 'preluActivationWeights', unknown>;
type Call = KernelCall<Inputs, FusedDepthwiseConv2DAttrs>;

/** What the activations that bound a number leave of it. */
const BOUNDS: Readonly<Record<string, readonly [number, number]>> = {
  linear: [-Infinity, Infinity],
  relu: [0, Infinity],
  relu6: [0, 6],
};

/** Kernels of the other activations; they run on the result. */
const ACTIVATIONS: Readonly<Record<string, string>> = {
  elu: Elu,
  leakyrelu: LeakyRelu,
  prelu: Prelu,
  sigmoid: Sigmoid,
};

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
  const bounds = BOUNDS[attrs.activation] ?? BOUNDS.linear!;
  const result = convolveDepthwise(backend, { source: x, filter, info, bias: bias ?? undefined, bounds });
  return attrs.activation in BOUNDS ? result : activated(backend, result, call);
}

/** The activation of `tensor`, which is released. */
function activated(backend: BackendWasm, tensor: TensorInfo, { inputs, attrs }: Call): TensorInfo {
  const kernel = ACTIVATIONS[attrs.activation];
  if (kernel === undefined) {
    release(backend, tensor);
    throw new UnsupportedModelError(
      `kernel FusedDepthwiseConv2D of backend wasm: activation, expected one of ${[BOUNDS, ACTIVATIONS].flatMap(Object.keys).join(', ')}, received ${attrs.activation}`,
      { activation: attrs.activation },
    );
  }
  const result = runKernel(backend, {
    kernel,
    inputs: { x: tensor, alpha: inputs.preluActivationWeights },
    attrs: { alpha: attrs.leakyreluAlpha ?? 0 },
  });
  release(backend, tensor);
  return result;
}
