import {
  backend_util,
  type Conv2DBackpropFilterAttrs,
  type Conv2DBackpropFilterInputs,
  type TensorInfo,
} from '@tensorflow/tfjs-core';
import { assertChannelsLast, type KernelCall, type Shape4D } from './heap.ts';
import { addressOf, runNative } from './native.ts';
import { sumOfParts } from './partial-sums.ts';

/** Pixels that worker/kernels/assembly/filter-gradient.ts multiplies at once. */
const BLOCK = 128;
/** Multiply-adds of four numbers that are worth a part of their own, about 30 microseconds. */
const PART_WORK = 2 ** 15;
const MAX_PARTS = 32;
/** Sums of a part stay in cache below this; a part has that many groups at least, for its copies to pay. */
const SUM_BYTES = 2 ** 18;
const MIN_GROUPS = 16;
/** A part has that many pixels at least, for its sums to pay. */
const MIN_PIXELS = 512;
/** Of one group of rows, and of its tile with eight columns. */
const GROUP_ROWS = 4;
const TILE_BYTES = 128;
const STRIP_COLUMNS = 8;

/**
 * Gradient of a 2-D convolution by its filter.
 *
 *   dw[r, s, c, k] = Σ_{n, o, p} x[n, o·stride + r − pad, p·stride + s − pad, c] · dy[n, o, p, k]
 *
 * @param inputs  x [N, H, W, C], dy [N, O, P, K]
 * @returns [R, S, C, K]
 * @throws UnsupportedModelError when the data format is not NHWC
 */
export function conv2dBackpropFilter({
  inputs: { x, dy },
  attrs,
  backend,
}: KernelCall<Conv2DBackpropFilterInputs, Conv2DBackpropFilterAttrs>): TensorInfo {
  const { strides, pad, dimRoundingMode, filterShape } = attrs;
  assertChannelsLast('Conv2DBackpropFilter', attrs.dataFormat);
  const shape = x.shape as Shape4D;
  const info = backend_util.computeConv2DInfo(shape, filterShape, strides, 1, pad, dimRoundingMode);
  const plan = planOf(info);
  const run = (target: number) =>
    runNative(backend, 'filterGradient', {
      args: [
        addressOf(backend, x),
        addressOf(backend, dy),
        target,
        ...shape,
        ...info.outShape.slice(1),
        info.filterHeight,
        info.filterWidth,
        info.strideHeight,
        info.strideWidth,
        info.padInfo.top,
        info.padInfo.left,
        BLOCK,
        plan.pixelParts,
        plan.groupParts,
      ],
      parts: plan.pixelParts * plan.groupParts,
      scratchBytes: plan.scratchBytes,
    });
  return sumOfParts(backend, { shape: filterShape, parts: plan.pixelParts, run });
}

interface Plan {
  readonly pixelParts: number;
  readonly groupParts: number;
  readonly scratchBytes: number;
}

/** Large results are split over their rows first, because each part of the pixels makes sums of its own. */
function planOf(info: backend_util.Conv2DInfo): Plan {
  const { batchSize, outHeight, outWidth, outChannels, inChannels, filterHeight, filterWidth } = info;
  const pixels = batchSize * outHeight * outWidth;
  const length = filterWidth * inChannels;
  const groups = Math.ceil(length / GROUP_ROWS);
  const strips = Math.ceil(outChannels / STRIP_COLUMNS);
  const allGroups = groups * filterHeight;
  const tileWork = 2 * GROUP_ROWS * pixels;
  const wanted = atLeastOne(Math.min(MAX_PARTS, (tileWork * allGroups * strips) / PART_WORK));
  const mostGroupParts = atLeastOne(Math.min(wanted, allGroups / MIN_GROUPS));
  const forCache = Math.ceil((allGroups * strips * TILE_BYTES) / SUM_BYTES);
  const pixelParts = atLeastOne(
    Math.min(Math.ceil(wanted / Math.min(mostGroupParts, forCache)), pixels / MIN_PIXELS),
  );
  const groupParts = Math.min(mostGroupParts, Math.ceil(wanted / pixelParts));
  const sumBytes = Math.ceil(allGroups / groupParts) * strips * TILE_BYTES;
  const xBytes = groups * (BLOCK * 16 + 64);
  const dyBytes = strips * (BLOCK * 32 + 64);
  return { pixelParts, groupParts, scratchBytes: 64 + sumBytes + xBytes + dyBytes + 4 * length + 64 };
}

function atLeastOne(count: number): number {
  return Math.max(1, Math.floor(count));
}
