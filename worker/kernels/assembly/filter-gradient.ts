import { partStart } from './call';
import { clearFloats, copyFloats, copyPixels } from './copy';
import { copyGradient, copyRuns, groupsOf, groupSize, groupStart, runReach } from './filter-gradient-strips';
import { addTile, DY_PIXEL, TILE, X_PIXEL } from './filter-gradient-tile';

@unmanaged
class FilterGradient {
  /** [N, H, W, C] */
  x: usize;
  /** [N, O, P, K] */
  dy: usize;
  /** [pixelParts, R, S, C, K] */
  target: usize;
  images: i32;
  height: i32;
  width: i32;
  channels: i32;
  dyRows: i32;
  dyColumns: i32;
  dyChannels: i32;
  tapRows: i32;
  tapColumns: i32;
  rowStride: i32;
  columnStride: i32;
  padTop: i32;
  padLeft: i32;
  /** Pixels of dy that are multiplied at once, an even number. */
  block: i32;
  pixelParts: i32;
  groupParts: i32;
}

/** What a part works on; it begins its scratch memory. */
@unmanaged
class Share {
  /** Groups of rows of the result, counted through all rows of taps. */
  firstGroup: i32;
  endGroup: i32;
  /** Sums [groups, strips of dy, 4, 8]; then strips of x, of dy; one run. */
  sums: usize;
  xStrips: usize;
  dyStrips: usize;
  run: usize;
}

const SUMS: usize = 64;

/**
 * Gradient of a convolution by its filter, one partial sum for each part of the pixels.
 *
 *   dw[r, s, c, k] = Σ_{n, o, p} x[n, o·stride + r − pad, p·stride + s − pad, c] · dy[n, o, p, k]
 *
 * For a row r of taps, the numbers of x that meet a pixel of dy lie one after the other: a run of S · C. Runs are
 * copied to strips for a block of pixels at a time, and multiplied while these are in cache. The work is split
 * over pixels, and over groups of rows of the result.
 */
export function filterGradient(call: usize, part: i32, scratch: usize): void {
  const args = changetype<FilterGradient>(call);
  const share = changetype<Share>(scratch);
  const pixelPart = part / args.groupParts;
  const pixels = args.images * args.dyRows * args.dyColumns;
  setShare(args, share, part % args.groupParts, scratch);
  clearFloats(share.sums, share.xStrips - share.sums);
  const end = partStart(pixels, pixelPart + 1, args.pixelParts, args.block);
  for (
    let pixel = partStart(pixels, pixelPart, args.pixelParts, args.block);
    pixel < end;
    pixel += args.block
  ) {
    addBlock(args, share, pixel, min(args.block, end - pixel));
  }
  writeSums(args, share, pixelPart);
}

function setShare(args: FilterGradient, share: Share, groupPart: i32, scratch: usize): void {
  const groups = groupsOf(args.tapColumns * args.channels);
  const all = groups * args.tapRows;
  share.firstGroup = partStart(all, groupPart, args.groupParts, 1);
  share.endGroup = partStart(all, groupPart + 1, args.groupParts, 1);
  const strips = (args.dyChannels + 7) >> 3;
  share.sums = scratch + SUMS;
  share.xStrips = share.sums + <usize>((share.endGroup - share.firstGroup) * strips) * TILE;
  share.dyStrips = share.xStrips + <usize>groups * xStrip(args);
  share.run = share.dyStrips + <usize>strips * dyStrip(args);
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

/** Adds the products of `pixels` pixels from pixel `first` on. */
function addBlock(args: FilterGradient, share: Share, first: i32, pixels: i32): void {
  const groups = groupsOf(args.tapColumns * args.channels);
  const strips = (args.dyChannels + 7) >> 3;
  const from = args.dy + ((<usize>(first * args.dyChannels)) << 2);
  copyGradient(from, share.dyStrips, args.dyChannels, pixels, dyStrip(args));
  if (pixels & 1) clearLast(share.dyStrips + <usize>pixels * DY_PIXEL, strips, dyStrip(args), DY_PIXEL);
  const even = pixels + (pixels & 1);
  for (let row = share.firstGroup / groups; row * groups < share.endGroup; row += 1) {
    const firstGroup = max(share.firstGroup - row * groups, 0);
    const endGroup = min(share.endGroup - row * groups, groups);
    fillStrips(args, share, row, first, pixels, firstGroup, endGroup);
    if (pixels & 1)
      clearLast(share.xStrips + <usize>pixels * X_PIXEL, endGroup - firstGroup, xStrip(args), X_PIXEL);
    const sums = share.sums + <usize>((row * groups + firstGroup - share.firstGroup) * strips) * TILE;
    addStrips(args, share, even, firstGroup, endGroup, sums);
  }
}

/** Completes strips of an odd number of pixels. */
function clearLast(at: usize, strips: i32, strip: usize, bytes: usize): void {
  for (; strips > 0; strips -= 1) {
    clearFloats(at, bytes);
    at += strip;
  }
}

function addStrips(args: FilterGradient, share: Share, pixels: i32, first: i32, end: i32, sums: usize): void {
  const length = args.tapColumns * args.channels;
  const strips = (args.dyChannels + 7) >> 3;
  let dy = share.dyStrips;
  for (let strip = 0; strip < strips; strip += 1) {
    const columns = args.dyChannels - strip * 8;
    let x = share.xStrips;
    let tile = sums + <usize>strip * TILE;
    for (let group = first; group < end; group += 1) {
      addTile(x, dy, pixels, tile, groupSize(length, group), columns);
      x += xStrip(args);
      tile += <usize>strips * TILE;
    }
    dy += dyStrip(args);
  }
}

/** Copies what `pixels` pixels from `first` on meet of x under a row of taps, zeros where that is not on x. */
function fillStrips(
  args: FilterGradient,
  share: Share,
  row: i32,
  first: i32,
  pixels: i32,
  firstGroup: i32,
  endGroup: i32,
): void {
  const strip = xStrip(args);
  const length = args.tapColumns * args.channels;
  const pixelBytes = (<usize>args.channels) << 2;
  const rowBytes = <usize>args.width * pixelBytes;
  const step = <usize>args.columnStride * pixelBytes;
  const xEnd = args.x + <usize>(args.images * args.height) * rowBytes;
  // What is read beyond a run that is no multiple of four must not lie beyond x.
  const rowEnd = xEnd - (((<usize>runReach(length)) << 2) - <usize>length * 4);
  let column = first % args.dyColumns;
  let line = first / args.dyColumns;
  let to = share.xStrips;
  for (let left = pixels; left > 0; ) {
    const count = min(left, args.dyColumns - column);
    const xRow = (line % args.dyRows) * args.rowStride + row - args.padTop;
    const start = args.x + <usize>((line / args.dyRows) * args.height + xRow) * rowBytes;
    const isOnX = xRow >= 0 && xRow < args.height;
    const isWhole = isOnX && start + rowBytes <= rowEnd;
    const firstWhole = isWhole ? min(max(firstInside(args) - column, 0), count) : count;
    const endWhole = isWhole ? max(min(endInside(args) - column, count), firstWhole) : count;
    let offset = column * args.columnStride - args.padLeft;
    for (let pixel = 0; pixel < count; pixel += 1) {
      if (pixel == firstWhole && endWhole > firstWhole) {
        const whole = endWhole - firstWhole;
        copyRuns(start + <usize>offset * pixelBytes, step, whole, to, length, firstGroup, endGroup, strip);
        pixel = endWhole - 1;
        offset += whole * args.columnStride;
        to += <usize>whole * X_PIXEL;
        continue;
      }
      copyBorder(args, share.run, start, offset, isOnX);
      copyRuns(share.run, step, 1, to, length, firstGroup, endGroup, strip);
      to += X_PIXEL;
      offset += args.columnStride;
    }
    left -= count;
    column = 0;
    line += 1;
  }
}

/** First column of dy whose runs begin on x, and the one after the last whose runs end on x. */
@inline
function firstInside(args: FilterGradient): i32 {
  return (args.padLeft + args.columnStride - 1) / args.columnStride;
}

@inline
function endInside(args: FilterGradient): i32 {
  const room = args.width + args.padLeft - args.tapColumns;
  return room < 0 ? 0 : room / args.columnStride + 1;
}

/** The run from column `offset` of a row of x on, zeros before and after the row. */
function copyBorder(args: FilterGradient, run: usize, row: usize, offset: i32, isOnX: bool): void {
  const pixelBytes = (<usize>args.channels) << 2;
  if (isOnX) copyPixels(row, offset, args.tapColumns, args.width, pixelBytes, run);
  else clearFloats(run, <usize>args.tapColumns * pixelBytes);
}

/** Sums [groups, strips, 4, 8] → their rows of the result [R, S · C, K]. */
function writeSums(args: FilterGradient, share: Share, pixelPart: i32): void {
  const length = args.tapColumns * args.channels;
  const groups = groupsOf(length);
  const rowBytes = (<usize>args.dyChannels) << 2;
  const target = args.target + <usize>(pixelPart * args.tapRows * length) * rowBytes;
  let tile = share.sums;
  for (let group = share.firstGroup; group < share.endGroup; group += 1) {
    const row = (group / groups) * length + groupStart(length, group % groups);
    const rows = groupSize(length, group % groups);
    for (let column = 0; column < args.dyChannels; column += 8) {
      const count = min(args.dyChannels - column, 8);
      for (let at = 0; at < rows; at += 1) {
        const to = target + <usize>(row + at) * rowBytes + ((<usize>column) << 2);
        copyFloats(to, tile + <usize>at * 32, (<usize>count) << 2);
      }
      tile += TILE;
    }
  }
}
