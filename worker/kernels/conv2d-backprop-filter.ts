import {
  backend_util,
  type Conv2DBackpropFilterAttrs,
  type Conv2DBackpropFilterInputs,
  type TensorInfo,
} from '@tensorflow/tfjs-core';
import { assertChannelsLast, type KernelCall, type Shape4D } from './heap.ts';
import { addressOf, runNative } from './native.ts';
import { sumOfParts } from './partial-sums.ts';

/** Of a part, of one group of four rows of the result and a strip of eight columns, and of strips beside each other. */
const TILE_BYTES = 128;
const GROUP_ROWS = 4;
const STRIP_COLUMNS = 8;
const STRIP_GAP = 64;
/** Pixels that are multiplied at once: the length of strips. */
const BLOCK = 128;
/** Multiply-adds of a tile that are worth a part of their own, about 30 microseconds. */
const PART_WORK = 2 ** 12;
const MAX_PARTS = 32;
/** Sums of a part stay in cache below this; a part has that many groups at least, for its copies to pay. */
const SUM_BYTES = 2 ** 18;
const MIN_GROUPS = 8;
/** A part has that many blocks at least, for its sums to pay. */
const MIN_BLOCKS = 2;
/** Of minimal filtering: side of a square, and products for the nine taps of one. */
const SIDE = 4;
const POINTS = 36;
/** With fewer the sums of 36 products cost more than their products save; with more at once strips leave the cache. */
const FEWEST_SQUARES = 8;
const MOST_SQUARES = 64;

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
  const { kernel, words, plan } = isMinimalFaster(info) ? minimalFiltering(info) : patchProducts(info);
  const { blockParts, groupParts, scratchBytes } = plan;
  const run = (target: number) =>
    runNative(backend, kernel, {
      args: [
        addressOf(backend, x),
        addressOf(backend, dy),
        target,
        ...shape,
        ...info.outShape.slice(1),
        ...words,
        blockParts,
        groupParts,
      ],
      parts: blockParts * groupParts,
      scratchBytes,
    });
  return sumOfParts(backend, { shape: filterShape, parts: blockParts, run });
}

interface Method {
  readonly kernel: string;
  /** Its arguments between the shapes and the parts. */
  readonly words: readonly number[];
  readonly plan: Plan;
}

/** Products of patches of x and pixels of dy, for every filter and stride. */
function patchProducts(info: backend_util.Conv2DInfo): Method {
  const { filterHeight, filterWidth, strideHeight, strideWidth, padInfo } = info;
  const length = filterWidth * info.inChannels;
  const groups = Math.ceil(length / GROUP_ROWS);
  const strips = Math.ceil(info.outChannels / STRIP_COLUMNS);
  const plan = planOf({
    groups: groups * filterHeight,
    tilesOfGroup: strips,
    blocks: Math.ceil((info.batchSize * info.outHeight * info.outWidth) / BLOCK),
    blockLength: BLOCK,
  });
  const stripBytes = groups * (16 * BLOCK + STRIP_GAP) + strips * (32 * BLOCK + STRIP_GAP);
  return {
    kernel: 'filterGradient',
    words: [filterHeight, filterWidth, strideHeight, strideWidth, padInfo.top, padInfo.left, BLOCK],
    plan: { ...plan, scratchBytes: plan.scratchBytes + stripBytes + 4 * length },
  };
}

function squaresOf({ batchSize, outHeight, outWidth }: backend_util.Conv2DInfo): number {
  return batchSize * Math.ceil(outHeight / SIDE) * Math.ceil(outWidth / SIDE);
}

/** Where squares reach beyond the image, or are few, minimal filtering loses what it gains. */
function isMinimalFaster(info: backend_util.Conv2DInfo): boolean {
  const { filterHeight, filterWidth, strideHeight, strideWidth, batchSize, outHeight, outWidth } = info;
  if (filterHeight !== 3 || filterWidth !== 3 || strideHeight !== 1 || strideWidth !== 1) return false;
  const squares = squaresOf(info);
  return squares >= FEWEST_SQUARES && POINTS * squares < 0.8 * 9 * batchSize * outHeight * outWidth;
}

/** Minimal filtering, for 3 × 3 filters of stride 1: 36 products for each square of 16 pixels instead of 144. */
function minimalFiltering(info: backend_util.Conv2DInfo): Method {
  const { inChannels, outChannels, padInfo } = info;
  const groups = Math.ceil(inChannels / GROUP_ROWS);
  const strips = Math.ceil(outChannels / STRIP_COLUMNS);
  const squares = squaresOf(info);
  const block = Math.min(MOST_SQUARES, squares + (squares % 2));
  const plan = planOf({
    groups,
    tilesOfGroup: POINTS * strips,
    blocks: Math.ceil(squares / block),
    blockLength: block,
  });
  const ownGroups = Math.ceil(groups / plan.groupParts);
  const stripBytes = POINTS * (ownGroups * (16 * block + STRIP_GAP) + strips * (32 * block + STRIP_GAP));
  const borderBytes = Math.max(4 * POINTS * inChannels, 4 * SIDE ** 2 * STRIP_COLUMNS * strips) + 64;
  return {
    kernel: 'filterGradient3x3',
    words: [padInfo.top, padInfo.left, block],
    plan: { ...plan, scratchBytes: plan.scratchBytes + 16 * POINTS + stripBytes + borderBytes },
  };
}

interface Work {
  /** Of rows of the result, and tiles of sums of each. */
  readonly groups: number;
  readonly tilesOfGroup: number;
  readonly blocks: number;
  readonly blockLength: number;
}

interface Plan {
  readonly blockParts: number;
  readonly groupParts: number;
  readonly scratchBytes: number;
}

/** Large results are split over their rows first, because each part of the blocks makes sums of its own. */
function planOf({ groups, tilesOfGroup, blocks, blockLength }: Work): Plan {
  const wanted = atLeastOne(Math.min(MAX_PARTS, (groups * tilesOfGroup * blocks * blockLength) / PART_WORK));
  const mostGroupParts = atLeastOne(Math.min(wanted, groups / Math.min(groups, MIN_GROUPS)));
  const forCache = Math.ceil((groups * tilesOfGroup * TILE_BYTES) / SUM_BYTES);
  const blockParts = atLeastOne(
    Math.min(Math.ceil(wanted / Math.min(mostGroupParts, forCache)), blocks / MIN_BLOCKS),
  );
  const groupParts = Math.min(mostGroupParts, Math.ceil(wanted / blockParts));
  const sumBytes = Math.ceil(groups / groupParts) * tilesOfGroup * TILE_BYTES;
  return { blockParts, groupParts, scratchBytes: sumBytes + 256 };
}

function atLeastOne(count: number): number {
  return Math.max(1, Math.floor(count));
}
