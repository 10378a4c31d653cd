import type {
  DepthwiseConv2dNativeBackpropFilterAttrs,
  DepthwiseConv2dNativeBackpropFilterInputs,
  TensorInfo,
} from '@tensorflow/tfjs-core';
import {
  depthwiseInfo,
  imageWords,
  LANES,
  MAX_GROUP,
  PIXEL_BYTES,
  partsOfWork,
  planBlock,
} from './depthwise-conv2d.ts';
import type { KernelCall, Shape4D } from './heap.ts';
import { addressOf, runNative } from './native.ts';
import { sumOfParts } from './partial-sums.ts';
import { columnAxis, forwardSpan, rowAxis } from './window-axis.ts';

/** Blocks of channels of a part, because memory is read fastest from end to end. */
const MIN_BLOCKS = 8;

/**
 * Gradient of a depthwise convolution by its filter.
 *
 *   dw[r, s, c, m] = Σ_{n, o, p} x[n, o·stride + r·dilation − pad, p·stride + s·dilation − pad, c] · dy[n, o, p, c·M + m]
 *
 * Split over blocks of channels, and over images where these are too few.
 *
 * @param inputs  x [N, H, W, C], dy [N, O, P, C·M]
 * @returns [R, S, C, M]
 */
export function depthwiseBackpropFilter({
  inputs: { x, dy },
  attrs,
  backend,
}: KernelCall<
  DepthwiseConv2dNativeBackpropFilterInputs,
  DepthwiseConv2dNativeBackpropFilterAttrs
>): TensorInfo {
  const { filterShape } = attrs;
  const info = depthwiseInfo(x.shape as Shape4D, filterShape, attrs);
  const { batchSize, outHeight, outWidth, outChannels } = info;
  const rows = rowAxis(info);
  const columns = columnAxis(info);
  const taps = rows.taps * columns.taps;
  const blocks = Math.ceil(outChannels / LANES);
  const wanted = partsOfWork((batchSize * outHeight * outWidth * outChannels * taps) / 4, batchSize * blocks);
  const blockParts = Math.min(wanted, Math.ceil(blocks / MIN_BLOCKS));
  const ownBlocks = Math.ceil(blocks / blockParts);
  const group = Math.min(ownBlocks, MAX_GROUP);
  // x and dy stay in cache together.
  const block = planBlock(forwardSpan(rows), forwardSpan(columns), 2 * group);
  const imageParts = Math.min(batchSize * block.bands, Math.floor(wanted / blockParts));
  const run = (target: number) =>
    runNative(backend, 'depthwiseFilterGradient', {
      args: [
        ...imageWords(addressOf(backend, x), x.shape, block),
        addressOf(backend, dy),
        target,
        batchSize,
        outHeight,
        outWidth,
        outChannels,
        rows.taps,
        columns.taps,
        rows.stride,
        columns.stride,
        rows.dilation,
        columns.dilation,
        outChannels / info.inChannels,
        block.band,
        imageParts,
        blockParts,
        group,
        block.planeBytes,
      ],
      parts: imageParts * blockParts,
      scratchBytes:
        256 +
        ownBlocks * taps * PIXEL_BYTES +
        group * (block.planeBytes + block.band * outWidth * PIXEL_BYTES),
    });
  return sumOfParts(backend, { shape: filterShape, parts: imageParts, run });
}
