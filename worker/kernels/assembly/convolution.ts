import { float, int, partStart, pointer } from './call';
import { PANEL_STEP, PLACES, TILE_COLUMNS, TILE_ROWS, tileOfRows } from './product-tile';

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
 * A tile of the product reads 4 pixels where they lie. Pixels of few channels are copied to patches instead,
 * [pixels, taps · depth].
 *
 *   args: source, panels, output, images, depth, columns,
 *         of the rows: source size, output size, count, first output, output step, source step, first source,
 *         tap step, taps; of the columns likewise; pieces of the pixels, pieces of the columns, has patches
 *   floats: bounds of the results
 *   scratch: zeros [depth], 64 bytes aligned; then 256 bytes; then for each pixel of a block its patch and 4 bytes,
 *            or 4 bytes a tap
 */
export function convolve(call: usize, part: i32, scratch: usize): void {
  const columnPieces = int(call, 25);
  const pieces = int(call, 24);
  const piece = part / columnPieces;
  const total = int(call, 3) * int(call, ROWS + COUNT) * int(call, COLUMNS + COUNT);
  const end = partStart(total, piece + 1, pieces, TILE_ROWS);
  memory.fill(scratch, 0, <usize>4 * <usize>int(call, 4));
  for (let pixel = partStart(total, piece, pieces, TILE_ROWS); pixel < end; pixel += BLOCK_PIXELS) {
    convolveBlock(call, scratch, pixel, min(pixel + BLOCK_PIXELS, end), part % columnPieces);
  }
}

function convolveBlock(call: usize, zeros: usize, pixel: i32, pixelEnd: i32, columnPiece: i32): void {
  const columns = int(call, 5);
  const taps = int(call, ROWS + TAPS) * int(call, COLUMNS + TAPS);
  const depth = int(call, 4);
  const hasPatches = int(call, 26) != 0;
  const outputs = zeros + ((<usize>4 * <usize>depth + 63) & ~63);
  const segments: usize = outputs + BLOCK_TILES * PLACES;
  const tiles = <usize>((pixelEnd - pixel + TILE_ROWS - 1) / TILE_ROWS);
  listPixels(call, zeros, pixel, pixelEnd, outputs, segments);
  const count = hasPatches ? 1 : taps;
  const length = hasPatches ? taps * depth : depth;
  const panelSize = PANEL_STEP * <usize>(1 + taps * depth);
  const panelCount = (columns + TILE_COLUMNS - 1) / TILE_COLUMNS;
  const end = partStart(panelCount, columnPiece + 1, int(call, 25), 1);
  const low = float(call, 0);
  const high = float(call, 1);
  for (let index = partStart(panelCount, columnPiece, int(call, 25), 1); index < end; index += 1) {
    const panel = pointer(call, 1) + panelSize * <usize>index;
    const wanted = min(TILE_COLUMNS, columns - index * TILE_COLUMNS);
    const to = PANEL_STEP * <usize>index;
    for (let tile: usize = 0; tile < tiles; tile += 1) {
      tileOfRows(
        segments + tile * PLACES * <usize>count,
        count,
        length,
        0,
        panel + PANEL_STEP,
        panel,
        outputs + tile * PLACES,
        to,
        wanted,
        low,
        high,
      );
    }
  }
}

/** Addresses of the outputs of a block, and of what each tap of them meets; the last pixel fills the last tile. */
function listPixels(call: usize, zeros: usize, pixel: i32, pixelEnd: i32, outputs: usize, segments: usize): void {
  const rowCount = int(call, ROWS + COUNT);
  const columnCount = int(call, COLUMNS + COUNT);
  const outputRows = int(call, ROWS + OUTPUT_SIZE);
  const outputColumns = int(call, COLUMNS + OUTPUT_SIZE);
  const taps = int(call, ROWS + TAPS) * int(call, COLUMNS + TAPS);
  const hasPatches = int(call, 26) != 0;
  const patchBytes = 4 * taps * int(call, 4);
  const patches = segments + 4 * BLOCK_PIXELS;
  const out = pointer(call, 2);
  const outBytes = 4 * int(call, 5);
  const size = pixelEnd - pixel;
  const all = ((size + TILE_ROWS - 1) / TILE_ROWS) * TILE_ROWS;
  let column = pixel % columnCount;
  let row = (pixel / columnCount) % rowCount;
  let image = pixel / columnCount / rowCount;
  for (let index = 0; index < all; index += 1) {
    const outputRow = image * outputRows + int(call, ROWS + FIRST_OUTPUT) + row * int(call, ROWS + OUTPUT_STEP);
    const outputColumn = int(call, COLUMNS + FIRST_OUTPUT) + column * int(call, COLUMNS + OUTPUT_STEP);
    store<usize>(outputs + 4 * index, out + <usize>(outputRow * outputColumns + outputColumn) * outBytes);
    if (hasPatches) {
      const patch = patches + <usize>index * patchBytes;
      store<usize>(segments + 4 * index, patch);
      copyPatch(call, image, row, column, patch);
    } else {
      const tile = segments + <usize>(index / TILE_ROWS) * PLACES * <usize>taps;
      listTaps(call, zeros, image, row, column, tile + <usize>4 * <usize>(index % TILE_ROWS));
    }
    if (index + 1 >= size) continue;
    column += 1;
    if (column < columnCount) continue;
    column = 0;
    row += 1;
    if (row < rowCount) continue;
    row = 0;
    image += 1;
  }
}

function listTaps(call: usize, zeros: usize, image: i32, row: i32, column: i32, places: usize): void {
  const height = int(call, ROWS + SOURCE_SIZE);
  const width = int(call, COLUMNS + SOURCE_SIZE);
  const rowTaps = int(call, ROWS + TAPS);
  const columnTaps = int(call, COLUMNS + TAPS);
  const tapStep = int(call, COLUMNS + TAP_STEP);
  const bytes = 4 * int(call, 4);
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

/** What all taps of a pixel meet, [taps, depth]. */
function copyPatch(call: usize, image: i32, row: i32, column: i32, to: usize): void {
  const height = int(call, ROWS + SOURCE_SIZE);
  const width = int(call, COLUMNS + SOURCE_SIZE);
  const rowTaps = int(call, ROWS + TAPS);
  const columnTaps = int(call, COLUMNS + TAPS);
  const tapStep = int(call, COLUMNS + TAP_STEP);
  const depth = int(call, 4);
  const left = column * int(call, COLUMNS + SOURCE_STEP) + int(call, COLUMNS + FIRST_SOURCE);
  const isWhole = tapStep == 1 && left >= 0 && left + columnTaps <= width;
  let y = row * int(call, ROWS + SOURCE_STEP) + int(call, ROWS + FIRST_SOURCE);
  for (let rowTap = 0; rowTap < rowTaps; rowTap += 1) {
    const line = pointer(call, 0) + <usize>4 * <usize>((image * height + y) * width * depth);
    if (<u32>y >= <u32>height) {
      fillZeros(to, columnTaps * depth);
      to += 4 * columnTaps * depth;
    } else if (isWhole) {
      copyValues(line + <usize>4 * <usize>(left * depth), to, columnTaps * depth);
      to += 4 * columnTaps * depth;
    } else {
      let x = left;
      for (let columnTap = 0; columnTap < columnTaps; columnTap += 1) {
        if (<u32>x < <u32>width) copyValues(line + <usize>4 * <usize>(x * depth), to, depth);
        else fillZeros(to, depth);
        to += 4 * depth;
        x += tapStep;
      }
    }
    y += int(call, ROWS + TAP_STEP);
  }
}

/** Copies by fours; the last four overlap those before. */
@inline
function copyValues(from: usize, to: usize, length: i32): void {
  if (length < 4) {
    for (; length > 0; length -= 1) {
      store<f32>(to, load<f32>(from));
      from += 4;
      to += 4;
    }
    return;
  }
  const last: usize = <usize>4 * <usize>(length - 4);
  for (let at: usize = 0; at < last; at += 16) v128.store(to + at, v128.load(from + at));
  v128.store(to + last, v128.load(from + last));
}

@inline
function fillZeros(to: usize, length: i32): void {
  memory.fill(to, 0, <usize>4 * <usize>length);
}
