import {
  backend_util,
  type Conv2DBackpropInputAttrs,
  type Conv2DBackpropInputInputs,
  type TensorInfo,
  util,
} from '@tensorflow/tfjs-core';
import { convolve, pointwise } from './convolution.ts';
import { inputPhases } from './convolution-walk.ts';
import { assertChannelsLast, type KernelCall, type Shape4D, zeros } from './heap.ts';
import { columnAxis, rowAxis } from './window-axis.ts';

/** tfjs passes no dilations on, because it has no gradient of a dilated convolution. */
type Attributes = Conv2DBackpropInputAttrs & { readonly dilations?: [number, number] | number };

/**
 * Gradient of a convolution by its input: for each phase of the stride a convolution of dy with the taps that
 * the phase meets, in and out channels exchanged.
 *
 * @param inputs  dy [N, O, P, K], filter [R, S, C, K]
 * @returns [N, H, W, C]
 * @throws UnsupportedModelError when the data format is not NHWC
 */
export function conv2dBackpropInput({
  inputs: { dy, filter },
  attrs: { inputShape, strides, dilations = 1, pad, dimRoundingMode, dataFormat },
  backend,
}: KernelCall<Conv2DBackpropInputInputs, Attributes>): TensorInfo {
  assertChannelsLast('Conv2DBackpropInput', dataFormat);
  const shape = filter.shape as Shape4D;
  const info = backend_util.computeConv2DInfo(inputShape, shape, strides, dilations, pad, dimRoundingMode);
  if (util.sizeFromShape(dy.shape) === 0) return zeros(backend, inputShape);
  const convolution = {
    source: dy,
    filter,
    isTransposed: true,
    images: info.batchSize,
    depth: info.outChannels,
    columns: info.inChannels,
  };
  const rowPhases = inputPhases(rowAxis(info));
  const columnPhases = inputPhases(columnAxis(info));
  const first = { rows: rowPhases[0]!, columns: columnPhases[0]! };
  const product = pointwise(backend, convolution, first);
  if (product !== null) return product;
  const result = backend.makeOutput(inputShape, 'float32');
  for (const rows of rowPhases) {
    for (const columns of columnPhases) convolve(backend, { ...convolution, result }, { rows, columns });
  }
  return result;
}
