import { partStart } from './call';
import { clearFloats, copyFloats, copyPixels } from './copy';
import { storeLanes } from './depthwise-block';
import { groupsOf, groupSize, groupStart } from './filter-gradient-strips';
import { addTile, DY_PIXEL, TILE, X_PIXEL } from './filter-gradient-tile';
import { gradientLine, inputLine, POINTS, SIDE, SPAN, tapLine } from './winograd-transforms';

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
  /** Squares that are multiplied at once, an even number. */
  block: i32;
  squareParts: i32;
  groupParts: i32;
}

/** What a part works on; it begins its scratch memory. */
@unmanaged
class Share {
  firstGroup: i32;
  endGroup: i32;
  /** Sums [36, groups, strips of dy, 4, 8]; then strips of x [groups, 36] and of dy [strips, 36]; one border. */
  sums: usize;
  xStrips: usize;
  dyStrips: usize;
  border: usize;
}

/** Room for a square that is transformed along one axis. */
const LINES: usize = 64;
const SUMS: usize = LINES + 16 * POINTS;

/**
 * Gradient of a convolution of stride 1 by its 3 × 3 filter, by minimal filtering (winograd-transforms.ts): 36
 * products for each square of 4 × 4 pixels of dy instead of 144. They are summed over the squares before they are
 * transformed back; one partial sum for each part of the squares.
 */
export function filterGradient3x3(call: usize, part: i32, scratch: usize): void {
  const args = changetype<FilterGradient>(call);
  const share = changetype<Share>(scratch);
  const squarePart = part / args.groupParts;
  const squares = args.images * squaresOf(args.dyRows) * squaresOf(args.dyColumns);
  setShare(args, share, part % args.groupParts, scratch);
  clearFloats(share.sums, share.xStrips - share.sums);
  const end = partStart(squares, squarePart + 1, args.squareParts, args.block);
  for (
    let square = partStart(squares, squarePart, args.squareParts, args.block);
    square < end;
    square += args.block
  ) {
    addBlock(args, share, square, min(args.block, end - square));
  }
  writeSums(args, share, squarePart);
}

/** Squares along an axis. */
@inline
function squaresOf(size: i32): i32 {
  return (size + SIDE - 1) / SIDE;
}

@inline
function stripsOf(args: FilterGradient): i32 {
  return (args.dyChannels + 7) >> 3;
}

/** Bytes of a strip; the cache line more keeps strips out of each other's place in cache. */
@inline
function xStrip(args: FilterGradient): usize {
  return <usize>args.block * X_PIXEL + 64;
}

@inline
function dyStrip(args: FilterGradient): usize {
  return <usize>args.block * DY_PIXEL + 64;
}

@inline
function linesOf(share: Share): usize {
  return changetype<usize>(share) + LINES;
}

function setShare(args: FilterGradient, share: Share, groupPart: i32, scratch: usize): void {
  const groups = groupsOf(args.channels);
  share.firstGroup = partStart(groups, groupPart, args.groupParts, 1);
  share.endGroup = partStart(groups, groupPart + 1, args.groupParts, 1);
  const count = share.endGroup - share.firstGroup;
  share.sums = scratch + SUMS;
  share.xStrips = share.sums + <usize>(POINTS * count * stripsOf(args)) * TILE;
  share.dyStrips = share.xStrips + <usize>(POINTS * count) * xStrip(args);
  share.border = share.dyStrips + <usize>(POINTS * stripsOf(args)) * dyStrip(args);
}

/** Adds the products of `count` squares from square `first` on. */
function addBlock(args: FilterGradient, share: Share, first: i32, count: i32): void {
  const columns = squaresOf(args.dyColumns);
  const rows = squaresOf(args.dyRows);
  const line = first / columns;
  let column = first % columns;
  let row = line % rows;
  let image = line / rows;
  for (let at = 0; at < count; at += 1) {
    fillPatch(args, share, image, SIDE * row - args.padTop, SIDE * column - args.padLeft, at);
    fillSquare(args, share, image, SIDE * row, SIDE * column, at);
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
  for (let point = 0; point < POINTS; point += 1) {
    addStrips(args, share, point, count + (count & 1), sums);
    sums += <usize>(groups * stripsOf(args)) * TILE;
  }
}

/** Completes strips of an odd number of squares. */
function clearPlace(args: FilterGradient, share: Share, place: i32): void {
  let x = share.xStrips + <usize>place * X_PIXEL;
  for (; x < share.dyStrips; x += xStrip(args)) clearFloats(x, X_PIXEL);
  let dy = share.dyStrips + <usize>place * DY_PIXEL;
  for (; dy < share.border; dy += dyStrip(args)) clearFloats(dy, DY_PIXEL);
}

function addStrips(args: FilterGradient, share: Share, point: i32, count: i32, sums: usize): void {
  const strips = stripsOf(args);
  let dy = share.dyStrips + <usize>point * dyStrip(args);
  for (let strip = 0; strip < strips; strip += 1) {
    const columns = args.dyChannels - strip * 8;
    let x = share.xStrips + <usize>point * xStrip(args);
    let tile = sums + <usize>strip * TILE;
    for (let group = share.firstGroup; group < share.endGroup; group += 1) {
      addTile(x, dy, count, tile, groupSize(args.channels, group), columns);
      x += POINTS * xStrip(args);
      tile += <usize>strips * TILE;
    }
    dy += POINTS * dyStrip(args);
  }
}

/** Transforms 6 × 6 pixels of x from (row, column) on. */
function fillPatch(args: FilterGradient, share: Share, image: i32, row: i32, column: i32, place: i32): void {
  const pixelStep = (<usize>args.channels) << 2;
  const rowStep = <usize>args.width * pixelStep;
  const images = args.x + <usize>image * args.height * rowStep;
  const end = args.x + <usize>args.images * args.height * rowStep;
  const from = images + row * rowStep + column * pixelStep;
  const isInside = row >= 0 && column >= 0 && row + SPAN <= args.height && column + SPAN <= args.width;
  const to = share.xStrips + <usize>place * X_PIXEL;
  if (isInside && from + (SPAN - 1) * rowStep + SPAN * pixelStep + 16 <= end) {
    transformPatches(args, share, from, rowStep, to);
    return;
  }
  for (let at = 0; at < SPAN; at += 1) {
    const border = share.border + <usize>(SPAN * at) * pixelStep;
    const line = images + (row + at) * rowStep;
    if (row + at < 0 || row + at >= args.height) clearFloats(border, SPAN * pixelStep);
    else copyPixels(line, column, SPAN, args.width, pixelStep, border);
  }
  transformPatches(args, share, share.border, SPAN * pixelStep, to);
}

@inline
function transformPatches(args: FilterGradient, share: Share, from: usize, rowStep: usize, to: usize): void {
  const pixelStep = (<usize>args.channels) << 2;
  const step = xStrip(args);
  const lines = linesOf(share);
  for (let group = share.firstGroup; group < share.endGroup; group += 1) {
    let row = from + ((<usize>groupStart(args.channels, group)) << 2);
    for (let line: usize = 0; line < 16 * SPAN; line += 16) {
      inputLine(row, pixelStep, lines + line, 16 * SPAN);
      row += rowStep;
    }
    for (let column = 0; column < SPAN; column += 1) {
      inputLine(lines + <usize>column * 16 * SPAN, 16, to, SPAN * step);
      to += step;
    }
    to += (POINTS - SPAN) * step;
  }
}

/** Transforms 4 × 4 pixels of dy from (row, column) on. */
function fillSquare(args: FilterGradient, share: Share, image: i32, row: i32, column: i32, place: i32): void {
  const channels = args.dyChannels;
  const pixelStep = (<usize>channels) << 2;
  const rowStep = <usize>args.dyColumns * pixelStep;
  const images = args.dy + <usize>image * args.dyRows * rowStep;
  const to = share.dyStrips + <usize>place * DY_PIXEL;
  if (row + SIDE <= args.dyRows && column + SIDE <= args.dyColumns && (channels & 7) == 0) {
    transformSquares(args, share, images + row * rowStep + column * pixelStep, rowStep, pixelStep, to);
    return;
  }
  // Whole strips, zeros after the last channel.
  const padded = <usize>stripsOf(args) * 32;
  clearFloats(share.border, SIDE * SIDE * padded);
  const rows = min(SIDE, args.dyRows - row);
  const columns = min(SIDE, args.dyColumns - column);
  for (let y = 0; y < rows; y += 1) {
    for (let x = 0; x < columns; x += 1) {
      const from = images + (row + y) * rowStep + (column + x) * pixelStep;
      copyFloats(share.border + <usize>(SIDE * y + x) * padded, from, pixelStep);
    }
  }
  transformSquares(args, share, share.border, SIDE * padded, padded, to);
}

@inline
function transformSquares(
  args: FilterGradient,
  share: Share,
  from: usize,
  rowStep: usize,
  pixelStep: usize,
  to: usize,
): void {
  const step = dyStrip(args);
  const lines = linesOf(share);
  for (let half = 2 * stripsOf(args); half > 0; half -= 1) {
    let row = from;
    for (let line: usize = 0; line < 16 * SIDE; line += 16) {
      gradientLine(row, pixelStep, lines + line, 16 * SIDE);
      row += rowStep;
    }
    let point = to;
    for (let column = 0; column < SPAN; column += 1) {
      gradientLine(lines + <usize>column * 16 * SIDE, 16, point, SPAN * step);
      point += step;
    }
    from += 16;
    to += half & 1 ? POINTS * step - 16 : 16;
  }
}

/** Sums of the 36 products → nine taps [3, 3, C, K]. */
function writeSums(args: FilterGradient, share: Share, squarePart: i32): void {
  const groups = share.endGroup - share.firstGroup;
  const strips = stripsOf(args);
  const step = <usize>(groups * strips) * TILE;
  const rowBytes = (<usize>args.dyChannels) << 2;
  const tapBytes = <usize>args.channels * rowBytes;
  const target = args.target + <usize>squarePart * 9 * tapBytes;
  const lines = linesOf(share);
  let tile = share.sums;
  for (let group = share.firstGroup; group < share.endGroup; group += 1) {
    const rows = groupSize(args.channels, group);
    const first = target + <usize>groupStart(args.channels, group) * rowBytes;
    for (let column = 0; column < strips * 8; column += 4) {
      for (let row = 0; row < rows; row += 1) {
        const from = tile + <usize>row * 32;
        for (let line = 0; line < SPAN; line += 1) {
          tapLine(from + <usize>line * step, SPAN * step, lines + 16 * <usize>line, 16 * SPAN);
        }
        let to = first + <usize>row * rowBytes + ((<usize>column) << 2);
        for (let tapRow: usize = 0; tapRow < 3; tapRow += 1) {
          const taps = lines + tapRow * 16 * SPAN;
          tapLine(taps, 16, taps, 16);
          for (let tap: usize = 0; tap < 48; tap += 16) {
            storeLanes(to, v128.load(taps + tap), args.dyChannels - column);
            to += tapBytes;
          }
        }
      }
      tile += column & 4 ? TILE - 16 : 16;
    }
  }
}
