import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';
import {
  backend_util,
  type DepthwiseConv2dNativeAttrs,
  type DepthwiseConv2dNativeInputs,
  type TensorInfo,
} from '@tensorflow/tfjs-core';
import { assertChannelsLast, type KernelCall, type Shape4D } from './heap.ts';
import { type Bounds, UNBOUNDED } from './matrix-product.ts';
import { addressOf, runNative } from './native.ts';
import { backwardSpan, columnAxis, forwardSpan, rowAxis, type Span, type WindowAxis } from './window-axis.ts';

/** Channels that worker/kernels/assembly/depthwise-block.ts takes at once, and bytes of one pixel of them. */
export const LANES = 16;
export const PIXEL_BYTES = 64;
/** Of the blocks of an image in scratch memory, so that they stay in cache. */
const BLOCK_BYTES = 2 ** 17;
/** Blocks of neighbouring channels that are filled at once: memory is read fastest from end to end, and results written. */
export const MAX_GROUP = 4;
/** Multiply-adds of four numbers that are worth a part of their own, about 15 microseconds. */
const PART_WORK = 2 ** 14;
const MAX_PARTS = 32;

export interface DepthwiseCall {
  /** x, or dy when the gradient by the input is asked for. */
  readonly source: TensorInfo;
  /** [R, S, C, M] */
  readonly filter: TensorInfo;
  readonly info: backend_util.Conv2DInfo;
  readonly isBackward?: boolean;
  /** [C·M] */
  readonly bias?: TensorInfo | undefined;
  /** Results outside are set to the nearer bound. */
  readonly bounds?: Bounds;
}

/**
 * Depthwise convolution. Beside XNNPACK's kernel, which has one thread: on one thread 1.2 to 2 times as fast at
 * stride 1 and 0.9 times at stride 2, where memory decides; on two threads 1.3 to 3 times as fast.
 *
 * @param inputs  x [N, H, W, C], filter [R, S, C, M]
 * @returns [N, O, P, C·M]
 * @throws UnsupportedModelError when the data format is not NHWC
 */
export function depthwiseConv2d({
  inputs: { x, filter },
  attrs,
  backend,
}: KernelCall<DepthwiseConv2dNativeInputs, DepthwiseConv2dNativeAttrs>): TensorInfo {
  assertChannelsLast('DepthwiseConv2dNative', attrs.dataFormat ?? 'NHWC');
  const info = depthwiseInfo(x.shape as Shape4D, filter.shape as Shape4D, attrs);
  return convolveDepthwise(backend, { source: x, filter, info });
}

export function depthwiseInfo(
  inputShape: Shape4D,
  filterShape: Shape4D,
  attrs: Pick<DepthwiseConv2dNativeAttrs, 'strides' | 'pad' | 'dimRoundingMode'> & {
    dilations?: [number, number] | number | null;
  },
): backend_util.Conv2DInfo {
  const { strides, dilations, pad, dimRoundingMode } = attrs;
  return backend_util.computeConv2DInfo(
    inputShape,
    filterShape,
    strides,
    dilations ?? 1,
    pad,
    dimRoundingMode,
    true,
  );
}

/** A depthwise convolution, or its gradient by the input. */
export function convolveDepthwise(backend: BackendWasm, call: DepthwiseCall): TensorInfo {
  const { source, filter, info, isBackward = false, bias, bounds = UNBOUNDED } = call;
  const result = backend.makeOutput(isBackward ? info.inShape : info.outShape, 'float32');
  const channels = result.shape[3]!;
  const multiplier = info.outChannels / info.inChannels;
  const rows = rowAxis(info);
  const columns = columnAxis(info);
  const spanOf = isBackward ? backwardSpan : forwardSpan;
  const planes = isBackward ? multiplier : 1;
  const blocks = Math.ceil(channels / LANES);
  const taps = rows.taps * columns.taps;
  const work = (info.batchSize * info.outHeight * info.outWidth * info.outChannels * taps) / 4;
  const group = groupFor(blocks, { images: info.batchSize, work });
  const block = planBlock(spanOf(rows), spanOf(columns), planes * group);
  const groups = Math.ceil(blocks / group);
  const items = info.batchSize * block.bands * groups;
  const parts = partsOfWork(work, items);
  const resultRows = isBackward ? rows.inputSize : rows.outputSize;
  const resultColumns = isBackward ? columns.inputSize : columns.outputSize;
  runNative(backend, 'depthwise', {
    args: [
      ...imageWords(addressOf(backend, source), source.shape, block),
      addressOf(backend, filter),
      bias === undefined ? 0 : addressOf(backend, bias),
      addressOf(backend, result),
      info.batchSize,
      channels,
      ...windowWords(rows, resultRows),
      ...windowWords(columns, resultColumns),
      multiplier,
      Number(isBackward),
      block.band,
      parts,
      group,
      groups,
      block.planeBytes,
    ],
    floats: [bounds.low, bounds.high],
    parts,
    scratchBytes: 512 + group * (PIXEL_BYTES + planes * (taps * PIXEL_BYTES + block.planeBytes)),
  });
  return result;
}

export interface Block {
  readonly firstRow: number;
  readonly firstColumn: number;
  readonly rows: number;
  readonly columns: number;
  /** Results of a column that are made from one block, and how many such bands an image has. */
  readonly band: number;
  readonly bands: number;
  readonly planeBytes: number;
}

/** As many rows of an image as stay in cache together, zeros around it included. */
export function planBlock(rows: Span, columns: Span, blocks: number): Block {
  const width = (columns.results - 1) * columns.step + columns.length;
  const rowBytes = blocks * width * PIXEL_BYTES;
  const fitting = Math.floor((BLOCK_BYTES / rowBytes - rows.length) / rows.step) + 1;
  const bands = Math.ceil(rows.results / Math.max(1, fitting));
  const band = Math.ceil(rows.results / bands);
  const height = (band - 1) * rows.step + rows.length;
  return {
    firstRow: rows.first,
    firstColumn: columns.first,
    rows: height,
    columns: width,
    band,
    bands: Math.ceil(rows.results / band),
    // A pixel pair may read one pixel more than there is.
    planeBytes: (height * width + columns.step) * PIXEL_BYTES,
  };
}

/** Blocks of channels in a group: as many as allowed, but fewer where the images alone make too few parts. */
function groupFor(blocks: number, { images, work }: { images: number; work: number }): number {
  const wanted = Math.ceil(partsOfWork(work, MAX_PARTS) / images);
  return Math.min(MAX_GROUP, Math.ceil(blocks / Math.min(blocks, wanted)));
}

export function partsOfWork(work: number, items: number): number {
  return Math.max(1, Math.min(items, MAX_PARTS, Math.floor(work / PART_WORK)));
}

/** `Images` of worker/kernels/assembly/depthwise-image.ts. */
export function imageWords(address: number, shape: readonly number[], block: Block): number[] {
  const { firstRow, firstColumn, rows, columns, bands } = block;
  return [address, ...shape.slice(1), firstRow, firstColumn, rows, columns, bands];
}

function windowWords({ taps, stride, dilation, padBefore }: WindowAxis, results: number): number[] {
  return [taps, stride, dilation, padBefore, results];
}
