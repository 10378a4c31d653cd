import { multiplyAdd } from './arithmetic';
import { partStart } from './call';
import { clear, copyPixels, Lanes, LANES, PIXEL } from './depthwise-block';
import { blockBytes, fillBlock, Images } from './depthwise-image';

/** Arguments; the first eight are `Images` of x. */
@unmanaged
class FilterGradient {
  address: usize;
  height: i32;
  width: i32;
  channels: i32;
  firstRow: i32;
  firstColumn: i32;
  rows: i32;
  columns: i32;
  /** [N, O, P, C·M] */
  dy: usize;
  /** [imageParts, R, S, C·M] */
  target: usize;
  images: i32;
  dyRows: i32;
  dyColumns: i32;
  dyChannels: i32;
  tapRows: i32;
  tapColumns: i32;
  rowStride: i32;
  columnStride: i32;
  rowDilation: i32;
  columnDilation: i32;
  multiplier: i32;
  /** Rows of dy that are multiplied with one filling of the block. */
  band: i32;
  bands: i32;
  imageParts: i32;
  blockParts: i32;
}

/*
 * Scratch memory: Run, Lanes of x and of dy; sums of a part's blocks [blocks, R, S, 16]; the block of x; that of dy
 * where its channels do not lie in whole vectors.
 */
const X_LANES: usize = 64;
const DY_LANES: usize = 128;
const SUMS: usize = 192;

/** A row of dy and a row of x under up to three neighbouring taps. */
@unmanaged
class Run {
  dy: usize;
  x: usize;
  pixels: i32;
  /** From one pixel to the next, and in x from one tap to the next, in bytes. */
  dyStep: usize;
  xStep: usize;
  tapStep: usize;
}

/**
 * Gradient of a depthwise convolution by its filter, one partial sum for each part of the images.
 *
 *   dw[r, s, q] = Σ_{n, o, p} x[n, o·stride + r·dilation − pad, p·stride + s·dilation − pad, q / M] · dy[n, o, p, q]
 */
export function depthwiseFilterGradient(call: usize, part: i32, scratch: usize): void {
  const args = changetype<FilterGradient>(call);
  const blocks = (args.dyChannels + LANES - 1) / LANES;
  const imagePart = part / args.blockParts;
  const blockPart = part % args.blockParts;
  const firstBlock = partStart(blocks, blockPart, args.blockParts, 1);
  const endBlock = partStart(blocks, blockPart + 1, args.blockParts, 1);
  const items = args.images * args.bands;
  const end = partStart(items, imagePart + 1, args.imageParts, 1);
  const sumBytes = <usize>(args.tapRows * args.tapColumns) * PIXEL;
  const block = scratch + SUMS + <usize>(endBlock - firstBlock) * sumBytes;
  clear(scratch + SUMS, <usize>(endBlock - firstBlock) * sumBytes);
  clear(block, blockBytes(changetype<Images>(call)));
  for (let item = partStart(items, imagePart, args.imageParts, 1); item < end; item += 1) {
    for (let at = firstBlock; at < endBlock; at += 1) {
      const sums = scratch + SUMS + <usize>(at - firstBlock) * sumBytes;
      addBlock(call, scratch, item, at, sums, block);
    }
  }
  for (let at = firstBlock; at < endBlock; at += 1) {
    writeSums(args, imagePart, at, scratch + SUMS + <usize>(at - firstBlock) * sumBytes);
  }
}

/** Adds the products of one block of channels in one band of one image. */
function addBlock(call: usize, scratch: usize, item: i32, at: i32, sums: usize, block: usize): void {
  const args = changetype<FilterGradient>(call);
  const run = changetype<Run>(scratch);
  const xLanes = changetype<Lanes>(scratch + X_LANES);
  const image = item / args.bands;
  const firstRow = (item % args.bands) * args.band;
  const rows = min(args.band, args.dyRows - firstRow);
  const first = at * LANES;
  const lanes = min(args.dyChannels - first, LANES);
  xLanes.first = first;
  xLanes.count = lanes;
  xLanes.spread = 1;
  xLanes.group = args.multiplier;
  xLanes.plane = 0;
  fillBlock(changetype<Images>(call), image, firstRow * args.rowStride, xLanes, block);
  const dyPixel = <usize>args.dyChannels << 2;
  const pixels = rows * args.dyColumns;
  const dyRow = args.dy + <usize>((image * args.dyRows + firstRow) * args.dyColumns) * dyPixel;
  let dy = dyRow + (<usize>first << 2);
  run.dyStep = dyPixel;
  if (lanes & 3) {
    const dyLanes = changetype<Lanes>(scratch + DY_LANES);
    dyLanes.first = first;
    dyLanes.count = lanes;
    dyLanes.spread = 1;
    dyLanes.group = 1;
    dyLanes.plane = 0;
    dy = block + blockBytes(changetype<Images>(call));
    copyPixels(dyRow, dy, pixels, dyPixel, dyLanes);
    run.dyStep = PIXEL;
  }
  const blockRow = <usize>args.columns * PIXEL;
  run.pixels = args.dyColumns;
  run.xStep = <usize>args.columnStride * PIXEL;
  run.tapStep = <usize>args.columnDilation * PIXEL;
  for (let row = 0; row < rows; row += 1) {
    for (let tap = 0; tap < args.tapRows; tap += 1) {
      run.dy = dy;
      run.x = block + <usize>(row * args.rowStride + tap * args.rowDilation) * blockRow;
      addRow(run, args.tapColumns, sums + <usize>(tap * args.tapColumns) * PIXEL, lanes);
    }
    dy += <usize>args.dyColumns * run.dyStep;
  }
}

/** Adds one row of dy under one row of taps. */
function addRow(run: Run, taps: i32, sums: usize, lanes: i32): void {
  for (let lane = 0; lane < lanes; lane += 4) {
    const at = <usize>lane << 2;
    let tap = 0;
    for (; tap + 3 <= taps; tap += 3) addTaps(3, run, tap, at, sums);
    if (taps - tap == 2) addTaps(2, run, tap, at, sums);
    else if (taps - tap == 1) addTaps(1, run, tap, at, sums);
  }
}

/** Adds up to three neighbouring taps of four channels. */
@inline
function addTaps(taps: i32, run: Run, firstTap: i32, at: usize, sums: usize): void {
  const xStep = run.xStep;
  const dyStep = run.dyStep;
  const to = sums + <usize>firstTap * PIXEL + at;
  let dy = run.dy + at;
  let x = run.x + <usize>firstTap * run.tapStep + at;
  let y = x + run.tapStep;
  let z = y + run.tapStep;
  let a = v128.load(to);
  let b = f32x4.splat(0);
  let c = f32x4.splat(0);
  if (taps > 1) b = v128.load(to, PIXEL);
  if (taps > 2) c = v128.load(to, 2 * PIXEL);
  for (let pixel = run.pixels; pixel > 0; pixel -= 1) {
    const g = v128.load(dy);
    a = multiplyAdd(v128.load(x), g, a);
    if (taps > 1) b = multiplyAdd(v128.load(y), g, b);
    if (taps > 2) c = multiplyAdd(v128.load(z), g, c);
    dy += dyStep;
    x += xStep;
    if (taps > 1) y += xStep;
    if (taps > 2) z += xStep;
  }
  v128.store(to, a);
  if (taps > 1) v128.store(to, b, PIXEL);
  if (taps > 2) v128.store(to, c, 2 * PIXEL);
}

function writeSums(args: FilterGradient, imagePart: i32, at: i32, sums: usize): void {
  const taps = args.tapRows * args.tapColumns;
  const first = at * LANES;
  const lanes = min(args.dyChannels - first, LANES);
  for (let tap = 0; tap < taps; tap += 1) {
    const channel = (imagePart * taps + tap) * args.dyChannels + first;
    const to = args.target + (<usize>channel << 2);
    const from = sums + <usize>tap * PIXEL;
    for (let lane: usize = 0; lane < <usize>lanes << 2; lane += 4) store<f32>(to + lane, load<f32>(from + lane));
  }
}
