import {
  backend_util,
  type Conv2DBackpropInputAttrs,
  type Conv2DBackpropInputInputs,
  type TensorInfo,
  util,
} from '@tensorflow/tfjs-core';
import { type AxisWalk, convolve, pointwise } from './convolution.ts';
import { assertChannelsLast, type KernelCall, type Shape4D, zeros } from './heap.ts';
import { columnAxis, rowAxis, type WindowAxis } from './window-axis.ts';

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

/**
 * The inputs of an axis by their remainder ρ of (i + padBefore) / stride. Those with one ρ meet the same taps,
 *
 *   t · dilation ≡ ρ  (mod stride)        all, or each so-manieth, or none
 *
 * and at tap t output (i + padBefore − t · dilation) / stride.
 */
export function inputPhases(axis: WindowAxis): AxisWalk[] {
  const phases = Array.from({ length: axis.stride }, (_, remainder) => inputPhase(axis, remainder));
  return phases.filter(({ count }) => count > 0);
}

function inputPhase(axis: WindowAxis, remainder: number): AxisWalk {
  const { inputSize, outputSize, stride, dilation, padBefore } = axis;
  const first = (((remainder - padBefore) % stride) + stride) % stride;
  const meets = Array.from({ length: axis.taps }, (_, tap) => tap).filter(
    (tap) => (tap * dilation) % stride === remainder,
  );
  const [firstTap = 0, secondTap = firstTap + 1] = meets;
  const filterStep = secondTap - firstTap;
  return {
    sourceSize: outputSize,
    outputSize: inputSize,
    count: Math.max(0, Math.ceil((inputSize - first) / stride)),
    firstOutput: first,
    outputStep: stride,
    sourceStep: 1,
    firstSource: (first + padBefore - firstTap * dilation) / stride,
    tapStep: -(filterStep * dilation) / stride,
    taps: meets.length,
    firstTap,
    filterStep,
  };
}
