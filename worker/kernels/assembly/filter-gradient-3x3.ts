import { partStart } from './call';
import { clearFloats, copyFloats, copyPixels } from './copy';
import { storeLanes } from './depthwise-block';
import { groupsOf, groupSize, groupStart } from './filter-gradient-strips';
import { addTile, DY_PIXEL, TILE, X_PIXEL } from './filter-gradient-tile';
import {
  DY_STRIP,
  PRODUCTS,
  SQUARES,
  sumsOfTaps,
  transformPatch,
  transformSquare,
  X_STRIP,
} from './filter-gradient-transforms';

@unmanaged
class FilterGradient {
  /** [N, H, W, C] */
  x: usize;
  /** [N, O, P, K] */
  dy: usize;
  /** [squareParts, 3, 3, C, K] */
  target: usize;
  images: i32;
  height: i32;
  width: i32;
  channels: i32;
  dyRows: i32;
  dyColumns: i32;
  dyChannels: i32;
  padTop: i32;
  padLeft: i32;
  squareParts: i32;
  groupParts: i32;
}

/** What a part works on; it begins its scratch memory. */
@unmanaged
class Share {
  firstGroup: i32;
  endGroup: i32;
  /** Sums [16, groups, strips of dy, 4, 8]; then strips of x [groups, 16] and of dy [strips, 16]; one border. */
  sums: usize;
  xStrips: usize;
  dyStrips: usize;
  border: usize;
}

const SUMS: usize = 64;
/** Room for nine taps of four numbers. */
const TAPS: usize = 144;

/**
 * Gradient of a convolution of stride 1 by its 3 × 3 filter, by minimal filtering; one partial sum for each part of
 * the squares of 2 × 2 pixels that dy is cut into.
 */
export function filterGradient3x3(call: usize, part: i32, scratch: usize): void {
  const args = changetype<FilterGradient>(call);
  const share = changetype<Share>(scratch);
  const squarePart = part / args.groupParts;
  const squares = args.images * ((args.dyRows + 1) >> 1) * ((args.dyColumns + 1) >> 1);
  setShare(args, share, part % args.groupParts, scratch);
  clearFloats(share.sums, share.xStrips - share.sums);
  const end = partStart(squares, squarePart + 1, args.squareParts, SQUARES);
  for (
    let square = partStart(squares, squarePart, args.squareParts, SQUARES);
    square < end;
    square += SQUARES
  ) {
    addBlock(args, share, square, min(SQUARES, end - square));
  }
  writeSums(args, share, squarePart);
}

@inline
function stripsOf(args: FilterGradient): i32 {
  return (args.dyChannels + 7) >> 3;
}

function setShare(args: FilterGradient, share: Share, groupPart: i32, scratch: usize): void {
  const groups = groupsOf(args.channels);
  share.firstGroup = partStart(groups, groupPart, args.groupParts, 1);
  share.endGroup = partStart(groups, groupPart + 1, args.groupParts, 1);
  const count = share.endGroup - share.firstGroup;
  share.sums = scratch + SUMS;
  share.xStrips = share.sums + PRODUCTS * <usize>(count * stripsOf(args)) * TILE;
  share.dyStrips = share.xStrips + PRODUCTS * <usize>count * X_STRIP;
  share.border = share.dyStrips + PRODUCTS * <usize>stripsOf(args) * DY_STRIP;
}

/** Adds the products of `count` squares from square `first` on. */
function addBlock(args: FilterGradient, share: Share, first: i32, count: i32): void {
  const columns = (args.dyColumns + 1) >> 1;
  const rows = (args.dyRows + 1) >> 1;
  const line = first / columns;
  let column = first % columns;
  let row = line % rows;
  let image = line / rows;
  for (let at = 0; at < count; at += 1) {
    fillPatch(args, share, image, 2 * row - args.padTop, 2 * column - args.padLeft, at);
    fillSquare(args, share, image, 2 * row, 2 * column, at);
    column += 1;
    if (column < columns) continue;
    column = 0;
    row += 1;
    if (row < rows) continue;
    row = 0;
    image += 1;
  }
  if (count & 1) clearPlace(args, share, count);
  const groups = share.endGroup - share.firstGroup;
  let sums = share.sums;
  for (let product: usize = 0; product < PRODUCTS; product += 1) {
    addStrips(args, share, product, count + (count & 1), sums);
    sums += <usize>(groups * stripsOf(args)) * TILE;
  }
}

/** Completes strips of an odd number of squares. */
function clearPlace(args: FilterGradient, share: Share, place: i32): void {
  let x = share.xStrips + <usize>place * X_PIXEL;
  for (; x < share.dyStrips; x += X_STRIP) clearFloats(x, X_PIXEL);
  let dy = share.dyStrips + <usize>place * DY_PIXEL;
  for (; dy < share.border; dy += DY_STRIP) clearFloats(dy, DY_PIXEL);
}

function addStrips(args: FilterGradient, share: Share, product: usize, count: i32, sums: usize): void {
  const strips = stripsOf(args);
  let dy = share.dyStrips + product * DY_STRIP;
  for (let strip = 0; strip < strips; strip += 1) {
    const columns = args.dyChannels - strip * 8;
    let x = share.xStrips + product * X_STRIP;
    let tile = sums + <usize>strip * TILE;
    for (let group = share.firstGroup; group < share.endGroup; group += 1) {
      addTile(x, dy, count, tile, groupSize(args.channels, group), columns);
      x += PRODUCTS * X_STRIP;
      tile += <usize>strips * TILE;
    }
    dy += PRODUCTS * DY_STRIP;
  }
}

/** Transforms 4 × 4 pixels of x from (row, column) on. */
function fillPatch(args: FilterGradient, share: Share, image: i32, row: i32, column: i32, place: i32): void {
  const pixelStep = (<usize>args.channels) << 2;
  const rowStep = <usize>args.width * pixelStep;
  const images = args.x + <usize>image * args.height * rowStep;
  const end = args.x + <usize>args.images * args.height * rowStep;
  const from = images + row * rowStep + column * pixelStep;
  const isInside = row >= 0 && column >= 0 && row + 4 <= args.height && column + 4 <= args.width;
  const to = share.xStrips + <usize>place * X_PIXEL;
  if (isInside && from + 3 * rowStep + 4 * pixelStep + 16 <= end) {
    transformPatches(args, share, from, rowStep, to);
    return;
  }
  for (let at = 0; at < 4; at += 1) {
    const border = share.border + <usize>(4 * at) * pixelStep;
    const line = images + (row + at) * rowStep;
    if (row + at < 0 || row + at >= args.height) clearFloats(border, 4 * pixelStep);
    else copyPixels(line, column, 4, args.width, pixelStep, border);
  }
  transformPatches(args, share, share.border, 4 * pixelStep, to);
}

@inline
function transformPatches(args: FilterGradient, share: Share, from: usize, rowStep: usize, to: usize): void {
  const pixelStep = (<usize>args.channels) << 2;
  for (let group = share.firstGroup; group < share.endGroup; group += 1) {
    transformPatch(from + ((<usize>groupStart(args.channels, group)) << 2), rowStep, pixelStep, to);
    to += PRODUCTS * X_STRIP;
  }
}

/** Transforms 2 × 2 pixels of dy from (row, column) on. */
function fillSquare(args: FilterGradient, share: Share, image: i32, row: i32, column: i32, place: i32): void {
  const channels = args.dyChannels;
  const pixelStep = (<usize>channels) << 2;
  const rowStep = <usize>args.dyColumns * pixelStep;
  const images = args.dy + <usize>image * args.dyRows * rowStep;
  const to = share.dyStrips + <usize>place * DY_PIXEL;
  if (row + 2 <= args.dyRows && column + 2 <= args.dyColumns && (channels & 7) == 0) {
    transformSquares(images + row * rowStep + column * pixelStep, rowStep, pixelStep, to, stripsOf(args));
    return;
  }
  // Whole strips, zeros after the last channel.
  const padded = <usize>stripsOf(args) * 32;
  clearFloats(share.border, 4 * padded);
  for (let pixel = 0; pixel < 4; pixel += 1) {
    const y = row + (pixel >> 1);
    const x = column + (pixel & 1);
    if (y < args.dyRows && x < args.dyColumns) {
      copyFloats(share.border + <usize>pixel * padded, images + y * rowStep + x * pixelStep, pixelStep);
    }
  }
  transformSquares(share.border, 2 * padded, padded, to, stripsOf(args));
}

@inline
function transformSquares(from: usize, rowStep: usize, pixelStep: usize, to: usize, strips: i32): void {
  for (; strips > 0; strips -= 1) {
    transformSquare(from, rowStep, pixelStep, to);
    transformSquare(from + 16, rowStep, pixelStep, to + 16);
    from += 32;
    to += PRODUCTS * DY_STRIP;
  }
}

/** Sums of the 16 products → nine taps [3, 3, C, K]. */
function writeSums(args: FilterGradient, share: Share, squarePart: i32): void {
  const groups = share.endGroup - share.firstGroup;
  const strips = stripsOf(args);
  const step = <usize>(groups * strips) * TILE;
  const rowBytes = (<usize>args.dyChannels) << 2;
  const tapBytes = <usize>args.channels * rowBytes;
  const target = args.target + <usize>squarePart * 9 * tapBytes;
  const taps = share.border;
  let tile = share.sums;
  for (let group = share.firstGroup; group < share.endGroup; group += 1) {
    const rows = groupSize(args.channels, group);
    const first = target + <usize>groupStart(args.channels, group) * rowBytes;
    for (let column = 0; column < strips * 8; column += 4) {
      for (let row = 0; row < rows; row += 1) {
        sumsOfTaps(tile + <usize>row * 32, step, taps);
        let to = first + <usize>row * rowBytes + ((<usize>column) << 2);
        for (let tap: usize = 0; tap < TAPS; tap += 16) {
          storeLanes(to, v128.load(taps + tap), args.dyChannels - column);
          to += tapBytes;
        }
      }
      tile += column & 4 ? TILE - 16 : 16;
    }
  }
}
