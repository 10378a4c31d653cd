import { float, int, partStart, pointer } from './call';
import { clearFloats, copyPixels } from './copy';
import { listRows } from './matrix-product';
import { PANEL_STEP, TILE_COLUMNS, TILE_ROWS, multiplyTiles } from './product-tile';
import { inputLine, outputLine, POINTS, SIDE, SPAN } from './winograd-transforms';

/**
 * Convolution 3 × 3 at stride 1, without dilation, by Winograd's minimal filtering: squares of the input and the
 * filter are transformed, multiplied point by point as matrices [squares, depth] · [depth, columns], and their
 * products transformed back. Depth and columns are multiples of 4.
 *
 *   args: source, panels of the filter (for the start values), transformed filter (transformFilter), output,
 *         images, depth, columns, source rows, source columns, output rows, output columns,
 *         first source row, first source column, squares of a block, parts
 *   floats: bounds of the results
 *   scratch: see layoutOf
 */
export function winograd(call: usize, part: i32, scratch: usize): void {
  const total = int(call, 4) * squaresOf(int(call, 9)) * squaresOf(int(call, 10));
  const block = int(call, 13);
  const parts = int(call, 14);
  clearFloats(scratch, 64);
  const end = partStart(total, part + 1, parts, 1);
  for (let square = partStart(total, part, parts, 1); square < end; square += block) {
    const count = min(block, end - square);
    transformSquares(call, scratch, square, count);
    multiplyPoints(call, scratch, count);
    transformBack(call, scratch, square, count);
  }
}

/** Squares along an axis. */
@inline
function squaresOf(size: i32): i32 {
  return (size + SIDE - 1) / SIDE;
}

/*
 * Scratch: 8 zeros and place for one line of a square (1024 bytes), places of the rows of squares and of products
 * (4 bytes a square each), a copy of a square at the border, transformed squares, products. Points lie an odd
 * number of cache lines apart, or they would all fall to the same few.
 */
const LINES: usize = 64;
const LISTS: usize = 1024;

@inline
function pointBytes(squares: i32, width: i32): usize {
  return ((<usize>(4 * squares * width) + 63) & ~63) | 64;
}

@inline
function productWidth(call: usize): i32 {
  return (int(call, 6) + TILE_COLUMNS - 1) & ~(TILE_COLUMNS - 1);
}

@inline
function borderOf(call: usize, scratch: usize): usize {
  return scratch + LISTS + <usize>8 * <usize>int(call, 13);
}

@inline
function squaresAt(call: usize, scratch: usize): usize {
  return borderOf(call, scratch) + <usize>4 * <usize>(POINTS * int(call, 5));
}

@inline
function productsAt(call: usize, scratch: usize): usize {
  return squaresAt(call, scratch) + <usize>POINTS * pointBytes(int(call, 13), int(call, 5));
}

function transformSquares(call: usize, scratch: usize, square: i32, count: i32): void {
  const depth = int(call, 5);
  const height = int(call, 7);
  const width = int(call, 8);
  const across = squaresOf(int(call, 10));
  const down = squaresOf(int(call, 9));
  const pixel = <usize>4 * <usize>depth;
  const border = borderOf(call, scratch);
  const step = pointBytes(int(call, 13), depth);
  let to = squaresAt(call, scratch);
  for (const end = square + count; square < end; square += 1) {
    const y = ((square / across) % down) * SIDE + int(call, 11);
    const x = (square % across) * SIDE + int(call, 12);
    const image = pointer(call, 0) + <usize>(square / across / down) * <usize>(height * width) * pixel;
    const isInside = y >= 0 && x >= 0 && y + SPAN <= height && x + SPAN <= width;
    if (isInside) {
      const from = image + <usize>(y * width + x) * pixel;
      transformSquare(from, <usize>width * pixel, depth, to, step, scratch + LINES);
    } else {
      copySquare(image, height, width, y, x, pixel, border);
      transformSquare(border, <usize>SPAN * pixel, depth, to, step, scratch + LINES);
    }
    to += pixel;
  }
}

/** 6 × 6 pixels that may lie beyond the image, where they are 0. */
function copySquare(image: usize, height: i32, width: i32, y: i32, x: i32, pixel: usize, to: usize): void {
  for (let row = y; row < y + SPAN; row += 1) {
    if (<u32>row < <u32>height) copyPixels(image + <usize>(row * width) * pixel, x, SPAN, width, pixel, to);
    else clearFloats(to, <usize>SPAN * pixel);
    to += <usize>SPAN * pixel;
  }
}

function transformSquare(from: usize, line: usize, depth: i32, to: usize, step: usize, lines: usize): void {
  const pixel = <usize>4 * <usize>depth;
  for (const end = from + pixel; from != end; from += 16) {
    let row = from;
    for (let index: usize = 0; index < 16 * SPAN; index += 16) {
      inputLine(row, pixel, lines + index, 16 * SPAN);
      row += line;
    }
    let point = to;
    for (let index: usize = 0; index < 16 * POINTS; index += 16 * SPAN) {
      inputLine(lines + index, 16, point, <usize>SPAN * step);
      point += step;
    }
    to += 16;
  }
}

function multiplyPoints(call: usize, scratch: usize, count: i32): void {
  const depth = int(call, 5);
  const width = productWidth(call);
  const ofSquares = scratch + LISTS;
  const ofProducts = ofSquares + <usize>4 * <usize>int(call, 13);
  listRows(ofSquares, 0, count, 4 * depth);
  listRows(ofProducts, 0, count, 4 * width);
  const tiles = (count + TILE_ROWS - 1) / TILE_ROWS;
  const panelBytes = PANEL_STEP * <usize>depth;
  let panel = pointer(call, 2);
  let squares = squaresAt(call, scratch);
  let products = productsAt(call, scratch);
  for (let point = 0; point < POINTS; point += 1) {
    for (let column: usize = 0; column < <usize>4 * <usize>width; column += PANEL_STEP) {
      multiplyTiles(
        ofSquares,
        1,
        depth,
        squares,
        panel,
        PANEL_STEP,
        scratch,
        ofProducts,
        tiles,
        products + column,
        TILE_COLUMNS,
        -Infinity,
        Infinity,
      );
      panel += panelBytes;
    }
    squares += pointBytes(int(call, 13), depth);
    products += pointBytes(int(call, 13), width);
  }
}

function transformBack(call: usize, scratch: usize, square: i32, count: i32): void {
  const columns = int(call, 6);
  const height = int(call, 9);
  const width = int(call, 10);
  const across = squaresOf(width);
  const down = squaresOf(height);
  const productBytes = <usize>4 * <usize>productWidth(call);
  const step = pointBytes(int(call, 13), productWidth(call));
  const start = PANEL_STEP * <usize>(1 + 9 * int(call, 5));
  const pixel = <usize>4 * <usize>columns;
  const low = f32x4.splat(float(call, 0));
  const high = f32x4.splat(float(call, 1));
  let from = productsAt(call, scratch);
  for (const end = square + count; square < end; square += 1) {
    const row = ((square / across) % down) * SIDE;
    const column = (square % across) * SIDE;
    const rows = min(SIDE, height - row);
    const wanted = min(SIDE, width - column);
    const image = square / across / down;
    const out = pointer(call, 3) + <usize>((image * height + row) * width + column) * pixel;
    for (let channel: usize = 0; channel < pixel; channel += 16) {
      const bias = v128.load(pointer(call, 1) + (channel / PANEL_STEP) * start + channel % PANEL_STEP);
      backSquare(from + channel, step, scratch + LINES);
      let to = out + channel;
      for (let line = 0; line < rows; line += 1) {
        finishLine(scratch + LINES + 16 * SPAN * <usize>line, to, pixel, wanted, bias, low, high);
        to += <usize>width * pixel;
      }
    }
    from += productBytes;
  }
}

/** Products of 6 × 6 points → 4 lines of 6. */
@inline
function backSquare(from: usize, step: usize, lines: usize): void {
  for (let index: usize = 0; index < 16 * SPAN; index += 16) {
    outputLine(from, <usize>SPAN * step, lines + index, 16 * SPAN);
    from += step;
  }
}

/** A line of 6 → up to 4 pixels of the output. */
@inline
function finishLine(line: usize, to: usize, pixel: usize, wanted: i32, bias: v128, low: v128, high: v128): void {
  outputLine(line, 16, line, 16);
  for (const end = line + <usize>16 * <usize>wanted; line != end; line += 16) {
    const value = f32x4.add(v128.load(line), bias);
    v128.store(to, f32x4.pmin(f32x4.pmax(value, low), high));
    to += pixel;
  }
}
