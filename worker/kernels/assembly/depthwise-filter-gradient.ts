import { partStart } from './call';
import { clearFloats, copyFloats } from './copy';
import { copyNeighbours, Lanes, LANES, PIXEL } from './depthwise-block';
import { fillBlocks, Images } from './depthwise-image';
import { addRows, Run } from './depthwise-products';

/** Arguments; the first nine are `Images` of x. */
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
  /** Of rows of dy, that are multiplied with one filling of the blocks. */
  bands: i32;
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
  /** Rows of dy in a band. */
  band: i32;
  imageParts: i32;
  blockParts: i32;
  /** Blocks of channels that are filled at once. */
  group: i32;
  /** Of a block of x, with room for what is read and not used. */
  planeBytes: usize;
}

/*
 * Scratch memory: Run, Lanes of x; sums of a part's blocks [blocks, R, S, 16]; blocks of x [group, rows, columns, 16]
 * and of dy [group, rows, columns, 16].
 */
const X_LANES: usize = 64;
const SUMS: usize = 128;
/** Rows of dy that are multiplied with one tap after the other, while they are in cache. */
const ROWS: i32 = 4;

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
  const blockX = scratch + SUMS + <usize>(endBlock - firstBlock) * sumBytes;
  clearFloats(scratch + SUMS, blockX - scratch - SUMS);
  clearFloats(blockX, <usize>args.group * args.planeBytes);
  for (let item = partStart(items, imagePart, args.imageParts, 1); item < end; item += 1) {
    for (let at = firstBlock; at < endBlock; at += args.group) {
      const sums = scratch + SUMS + <usize>(at - firstBlock) * sumBytes;
      addGroup(call, scratch, item, at, min(at + args.group, endBlock), sums, blockX);
    }
  }
  for (let at = firstBlock; at < endBlock; at += 1) {
    writeSums(args, imagePart, at, scratch + SUMS + <usize>(at - firstBlock) * sumBytes);
  }
}

/** Adds the products of a group of blocks of channels in one band of one image. */
function addGroup(
  call: usize,
  scratch: usize,
  item: i32,
  firstBlock: i32,
  endBlock: i32,
  sums: usize,
  blockX: usize,
): void {
  const args = changetype<FilterGradient>(call);
  const lanes = changetype<Lanes>(scratch + X_LANES);
  const image = item / args.bands;
  const firstRow = (item % args.bands) * args.band;
  const rows = min(args.band, args.dyRows - firstRow);
  const end = min(endBlock * LANES, args.dyChannels);
  lanes.first = firstBlock * LANES;
  lanes.spread = 1;
  lanes.group = args.multiplier;
  lanes.plane = 0;
  fillBlocks(changetype<Images>(call), image, firstRow * args.rowStride, lanes, end, blockX, args.planeBytes);
  const pixels = args.band * args.dyColumns;
  const blockDy = blockX + <usize>args.group * args.planeBytes;
  const dyStep = (<usize>args.dyChannels) << 2;
  const dyRow = (image * args.dyRows + firstRow) * args.dyColumns;
  const dy = args.dy + <usize>dyRow * dyStep + ((<usize>lanes.first) << 2);
  copyNeighbours(dy, blockDy, rows * args.dyColumns, dyStep, end - lanes.first, <usize>pixels * PIXEL);
  for (let block = 0; block < endBlock - firstBlock; block += 1) {
    const x = blockX + <usize>block * args.planeBytes;
    const count = min(end - lanes.first - block * LANES, LANES);
    addBlock(args, changetype<Run>(scratch), x, blockDy + <usize>(block * pixels) * PIXEL, rows, count, sums);
    sums += <usize>(args.tapRows * args.tapColumns) * PIXEL;
  }
}

/** Adds the products of `rows` rows of dy in one block. */
function addBlock(
  args: FilterGradient,
  run: Run,
  x: usize,
  dy: usize,
  rows: i32,
  lanes: i32,
  sums: usize,
): void {
  const blockRow = <usize>args.columns * PIXEL;
  run.pixels = args.dyColumns;
  run.xStep = <usize>args.columnStride * PIXEL;
  run.tapStep = <usize>args.columnDilation * PIXEL;
  run.rowStep = <usize>args.rowStride * blockRow;
  run.isNeighbour = args.columnDilation == 1;
  for (let row = 0; row < rows; row += ROWS) {
    run.rows = min(rows - row, ROWS);
    run.dy = dy;
    for (let tap = 0; tap < args.tapRows; tap += 1) {
      run.x = x + <usize>(row * args.rowStride + tap * args.rowDilation) * blockRow;
      addRows(run, args.tapColumns, sums + <usize>(tap * args.tapColumns) * PIXEL, lanes);
    }
    dy += <usize>(ROWS * args.dyColumns) * PIXEL;
  }
}

function writeSums(args: FilterGradient, imagePart: i32, at: i32, sums: usize): void {
  const taps = args.tapRows * args.tapColumns;
  const first = at * LANES;
  const lanes = min(args.dyChannels - first, LANES);
  for (let tap = 0; tap < taps; tap += 1) {
    const channel = (imagePart * taps + tap) * args.dyChannels + first;
    const to = args.target + ((<usize>channel) << 2);
    const from = sums + <usize>tap * PIXEL;
    copyFloats(to, from, (<usize>lanes) << 2);
  }
}
