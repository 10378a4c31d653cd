import { float, int, partStart, pointer } from './call';
import { clearFloats, copyPixels } from './copy';
import { PANEL_STEP, PLACES, TILE_COLUMNS, TILE_ROWS, multiplyTiles } from './product-tile';

/** Pixels that are worked on at a time, so that a panel of the filter stays in the nearest cache. */
const BLOCK_PIXELS = 64;
const BLOCK_TILES = BLOCK_PIXELS / TILE_ROWS;

/** Arguments of the axis of the rows; those of the columns follow. */
const ROWS = 6;
const COLUMNS = 15;
/* Of an axis: */
const SOURCE_SIZE = 0;
const OUTPUT_SIZE = 1;
const COUNT = 2;
const FIRST_OUTPUT = 3;
const OUTPUT_STEP = 4;
const SOURCE_STEP = 5;
const FIRST_SOURCE = 6;
const TAP_STEP = 7;
const TAPS = 8;

/**
 * Convolution of images [images, source rows, source columns, depth] with a filter in panels, see packPanels. Of
 * each axis `count` outputs are computed; output i of them is at first + i · step and meets at tap t source
 * i · source step + first source + t · tap step, which is 0 where there is none. A convolution is that for all of
 * its outputs, its gradient by the input for the inputs of each phase of the stride.
 *
 * A tile of the product reads 4 pixels where they lie, tap by tap, or row by row of the filter when its taps are
 * neighbours (joined): an inner loop that is three times as long.
 *
 *   args: source, panels, output, images, depth, columns,
 *         of the rows: source size, output size, count, first output, output step, source step, first source,
 *         tap step, taps; of the columns likewise; pieces of the pixels, pieces of the columns, is joined
 *   floats: bounds of the results
 *   scratch: zeros [depth], or [columns of taps, depth] if joined, 64 bytes aligned; 256 bytes; then for each pixel
 *            of a block 4 bytes a tap, or 4 bytes a row of taps and a patch [taps, depth] if joined
 */
export function convolve(call: usize, part: i32, scratch: usize): void {
  const columnPieces = int(call, 25);
  const pieces = int(call, 24);
  const piece = part / columnPieces;
  const total = int(call, 3) * int(call, ROWS + COUNT) * int(call, COLUMNS + COUNT);
  const end = partStart(total, piece + 1, pieces, TILE_ROWS);
  clearFloats(scratch, <usize>4 * <usize>lengthOf(call));
  for (let pixel = partStart(total, piece, pieces, TILE_ROWS); pixel < end; pixel += BLOCK_PIXELS) {
    convolveBlock(call, scratch, pixel, min(pixel + BLOCK_PIXELS, end), part % columnPieces);
  }
}

/** Segments of neighbours that a pixel meets, and how long they are. */
@inline
function segmentsOf(call: usize): i32 {
  return int(call, 26) != 0 ? int(call, ROWS + TAPS) : int(call, ROWS + TAPS) * int(call, COLUMNS + TAPS);
}

@inline
function lengthOf(call: usize): i32 {
  return int(call, 26) != 0 ? int(call, COLUMNS + TAPS) * int(call, 4) : int(call, 4);
}

function convolveBlock(call: usize, zeros: usize, pixel: i32, pixelEnd: i32, columnPiece: i32): void {
  const columns = int(call, 5);
  const taps = int(call, ROWS + TAPS) * int(call, COLUMNS + TAPS);
  const depth = int(call, 4);
  const count = segmentsOf(call);
  const length = lengthOf(call);
  const outputs = zeros + ((<usize>4 * <usize>length + 63) & ~63);
  const segments: usize = outputs + <usize>BLOCK_TILES * PLACES;
  const tiles = (pixelEnd - pixel + TILE_ROWS - 1) / TILE_ROWS;
  listPixels(call, zeros, pixel, pixelEnd, outputs, segments);
  const panelSize = PANEL_STEP * <usize>(1 + taps * depth);
  const panelCount = (columns + TILE_COLUMNS - 1) / TILE_COLUMNS;
  const end = partStart(panelCount, columnPiece + 1, int(call, 25), 1);
  const low = float(call, 0);
  const high = float(call, 1);
  for (let index = partStart(panelCount, columnPiece, int(call, 25), 1); index < end; index += 1) {
    const panel = pointer(call, 1) + panelSize * <usize>index;
    const wanted = min(TILE_COLUMNS, columns - index * TILE_COLUMNS);
    const to = PANEL_STEP * <usize>index;
    multiplyTiles(
      segments,
      count,
      length,
      0,
      panel + PANEL_STEP,
      PANEL_STEP,
      panel,
      outputs,
      tiles,
      to,
      wanted,
      low,
      high,
    );
  }
}

/** Addresses of the outputs of a block, and of what they meet; the last pixel is repeated until its tile is full. */
function listPixels(call: usize, zeros: usize, pixel: i32, pixelEnd: i32, outputs: usize, segments: usize): void {
  const rowCount = int(call, ROWS + COUNT);
  const columnCount = int(call, COLUMNS + COUNT);
  const width = int(call, COLUMNS + SOURCE_SIZE);
  const firstSource = int(call, COLUMNS + FIRST_SOURCE);
  const sourceStep = int(call, COLUMNS + SOURCE_STEP);
  const count = segmentsOf(call);
  const tileBytes = PLACES * <usize>count;
  const patchBytes = <usize>4 * <usize>(int(call, ROWS + TAPS) * int(call, COLUMNS + TAPS) * int(call, 4));
  const reach = (TILE_ROWS - 1) * sourceStep + (int(call, COLUMNS + TAPS) - 1) * int(call, COLUMNS + TAP_STEP);
  let patch = segments + <usize>4 * <usize>(BLOCK_PIXELS * count);
  for (; pixel < pixelEnd; pixel += TILE_ROWS) {
    const column = pixel % columnCount;
    const left = column * sourceStep + firstSource;
    const isInside = column + TILE_ROWS <= columnCount && left >= 0 && left + reach < width;
    if (isInside && pixel + TILE_ROWS <= pixelEnd) {
      const row = pixel / columnCount;
      listTile(call, zeros, row / rowCount, row % rowCount, column, outputs, segments);
      patch += <usize>TILE_ROWS * patchBytes;
    } else {
      for (let index = 0; index < TILE_ROWS; index += 1) {
        listPixel(call, zeros, min(pixel + index, pixelEnd - 1), outputs + 4 * index, segments + 4 * index, patch);
        patch += patchBytes;
      }
    }
    outputs += PLACES;
    segments += tileBytes;
  }
}

/** 4 neighbours of a row, all of whose taps lie within the columns of the source. */
@inline
function listTile(
  call: usize,
  zeros: usize,
  image: i32,
  row: i32,
  column: i32,
  outputs: usize,
  places: usize,
): void {
  const height = int(call, ROWS + SOURCE_SIZE);
  const bytes = <usize>4 * <usize>int(call, 4);
  const tapStep = int(call, ROWS + TAP_STEP);
  const perRow = int(call, 26) != 0 ? 1 : int(call, COLUMNS + TAPS);
  const tapBytes = <usize>int(call, COLUMNS + TAP_STEP) * bytes;
  const width = int(call, COLUMNS + SOURCE_SIZE);
  const lineStep = <usize>(tapStep * width) * bytes;
  const lanes = i32x4(0, 1, 2, 3);
  const apart = i32x4.mul(lanes, i32x4.splat(int(call, COLUMNS + SOURCE_STEP) * <i32>bytes));
  const outputsApart = i32x4.mul(lanes, i32x4.splat(int(call, COLUMNS + OUTPUT_STEP) * 4 * int(call, 5)));
  v128.store(outputs, i32x4.add(outputsApart, i32x4.splat(<i32>outputOf(call, image, row, column))));
  const left = column * int(call, COLUMNS + SOURCE_STEP) + int(call, COLUMNS + FIRST_SOURCE);
  let y = row * int(call, ROWS + SOURCE_STEP) + int(call, ROWS + FIRST_SOURCE);
  let line = pointer(call, 0) + <usize>((image * height + y) * width + left) * bytes;
  for (let rowTap = int(call, ROWS + TAPS); rowTap > 0; rowTap -= 1) {
    const isRow = <u32>y < <u32>height;
    let tap = line;
    for (let index = perRow; index > 0; index -= 1) {
      const there = i32x4.add(apart, i32x4.splat(<i32>tap));
      v128.store(places, isRow ? there : i32x4.splat(<i32>zeros));
      places += PLACES;
      tap += tapBytes;
    }
    line += lineStep;
    y += tapStep;
  }
}

function listPixel(call: usize, zeros: usize, pixel: i32, output: usize, places: usize, patch: usize): void {
  const rowCount = int(call, ROWS + COUNT);
  const columnCount = int(call, COLUMNS + COUNT);
  const column = pixel % columnCount;
  const row = (pixel / columnCount) % rowCount;
  const image = pixel / columnCount / rowCount;
  store<usize>(output, outputOf(call, image, row, column));
  if (int(call, 26) != 0) listTapRows(call, zeros, image, row, column, places, patch);
  else listTaps(call, zeros, image, row, column, places);
}

@inline
function outputOf(call: usize, image: i32, row: i32, column: i32): usize {
  const y = int(call, ROWS + FIRST_OUTPUT) + row * int(call, ROWS + OUTPUT_STEP);
  const x = int(call, COLUMNS + FIRST_OUTPUT) + column * int(call, COLUMNS + OUTPUT_STEP);
  const pixel = (image * int(call, ROWS + OUTPUT_SIZE) + y) * int(call, COLUMNS + OUTPUT_SIZE) + x;
  return pointer(call, 2) + <usize>4 * <usize>(pixel * int(call, 5));
}

/** What each row of taps meets, which is copied to `patch` where it is partly beyond the image. */
@inline
function listTapRows(
  call: usize,
  zeros: usize,
  image: i32,
  row: i32,
  column: i32,
  places: usize,
  patch: usize,
): void {
  const height = int(call, ROWS + SOURCE_SIZE);
  const width = int(call, COLUMNS + SOURCE_SIZE);
  const rowTaps = int(call, ROWS + TAPS);
  const taps = int(call, COLUMNS + TAPS);
  const tapStep = int(call, ROWS + TAP_STEP);
  const bytes = <usize>4 * <usize>int(call, 4);
  const left = column * int(call, COLUMNS + SOURCE_STEP) + int(call, COLUMNS + FIRST_SOURCE);
  const isWhole = left >= 0 && left + taps <= width;
  const lineStep = <usize>(tapStep * width) * bytes;
  let y = row * int(call, ROWS + SOURCE_STEP) + int(call, ROWS + FIRST_SOURCE);
  let line = pointer(call, 0) + <usize>((image * height + y) * width) * bytes;
  for (let rowTap = 0; rowTap < rowTaps; rowTap += 1) {
    if (<u32>y >= <u32>height) {
      store<usize>(places, zeros);
    } else if (isWhole) {
      store<usize>(places, line + <usize>left * bytes);
    } else {
      store<usize>(places, patch);
      copyPixels(line, left, taps, width, bytes, patch);
      patch += <usize>taps * bytes;
    }
    places += PLACES;
    line += lineStep;
    y += tapStep;
  }
}

/** What each tap meets. */
function listTaps(call: usize, zeros: usize, image: i32, row: i32, column: i32, places: usize): void {
  const height = int(call, ROWS + SOURCE_SIZE);
  const width = int(call, COLUMNS + SOURCE_SIZE);
  const rowTaps = int(call, ROWS + TAPS);
  const columnTaps = int(call, COLUMNS + TAPS);
  const tapStep = int(call, COLUMNS + TAP_STEP);
  const bytes = <usize>4 * <usize>int(call, 4);
  const left = column * int(call, COLUMNS + SOURCE_STEP) + int(call, COLUMNS + FIRST_SOURCE);
  let y = row * int(call, ROWS + SOURCE_STEP) + int(call, ROWS + FIRST_SOURCE);
  for (let rowTap = 0; rowTap < rowTaps; rowTap += 1) {
    const line = pointer(call, 0) + <usize>((image * height + y) * width) * bytes;
    const isRow = <u32>y < <u32>height;
    let x = left;
    for (let columnTap = 0; columnTap < columnTaps; columnTap += 1) {
      store<usize>(places, isRow && <u32>x < <u32>width ? line + <usize>x * bytes : zeros);
      places += PLACES;
      x += tapStep;
    }
    y += int(call, ROWS + TAP_STEP);
  }
}
