import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';
import { backend_util, type Conv2DAttrs, type Conv2DInputs, type TensorInfo } from '@tensorflow/tfjs-core';
import { convolve, pointwise } from './convolution.ts';
import { forwardWalk } from './convolution-walk.ts';
import { assertChannelsLast, type KernelCall, type Shape4D, zeros } from './heap.ts';
import type { Bounds } from './matrix-product.ts';

/**
 * Convolution.
 *
 *   y[n, o, p, k] = Σ_r,s,c x[n, o·stride + r·dilation − pad, …, c] · filter[r, s, c, k]
 *
 * @param inputs  x [N, H, W, C], filter [R, S, C, K]
 * @returns [N, O, P, K]
 * @throws UnsupportedModelError when the data format is not NHWC
 */
export function conv2d({ inputs, attrs, backend }: KernelCall<Conv2DInputs, Conv2DAttrs>): TensorInfo {
  assertChannelsLast('Conv2D', attrs.dataFormat);
  return convolved(backend, inputs, attrs);
}

type Geometry = Pick<Conv2DAttrs, 'strides' | 'dilations' | 'pad' | 'dimRoundingMode'>;

interface Inputs {
  readonly x: TensorInfo;
  readonly filter: TensorInfo;
  readonly bias?: TensorInfo | undefined;
  readonly bounds?: Bounds;
}

/** min(high, max(low, convolution + bias)) */
export function convolved(
  backend: BackendWasm,
  { x, filter, bias, bounds }: Inputs,
  { strides, dilations, pad, dimRoundingMode }: Geometry,
): TensorInfo {
  const shapes = [x.shape as Shape4D, filter.shape as Shape4D] as const;
  const info = backend_util.computeConv2DInfo(...shapes, strides, dilations, pad, dimRoundingMode);
  const convolution = {
    source: x,
    filter,
    isTransposed: false,
    images: info.batchSize,
    depth: info.inChannels,
    columns: info.outChannels,
    bias,
    ...(bounds && { bounds }),
  };
  const walk = forwardWalk(info);
  const isEmpty = [...x.shape, ...filter.shape, ...info.outShape].includes(0);
  if (isEmpty) return zeros(backend, info.outShape);
  const product = pointwise(backend, convolution, walk);
  if (product !== null) return product;
  const result = backend.makeOutput(info.outShape, 'float32');
  convolve(backend, { ...convolution, result }, walk);
  return result;
}
