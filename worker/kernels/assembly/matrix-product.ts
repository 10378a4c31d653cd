import { float, int, partStart, pointer } from './call';
import { storeTransposed } from './pack';
import { PANEL_STEP, PLACES, TILE_COLUMNS, TILE_ROWS, tileOfRows } from './product-tile';

/** Rows and steps of the left factor that are worked on at a time: with a panel they fit the caches. */
const BLOCK_ROWS = 64;
const BLOCK_DEPTH = 512;
const BLOCK_TILES = BLOCK_ROWS / TILE_ROWS;

/*
 * Scratch: for each tile of a block the places of its rows in a and in the output, then the rows of the block where
 * a is transposed.
 */
const PLACES_OF_A: usize = 0;
const PLACES_OF_OUT: usize = BLOCK_TILES * PLACES;
const BLOCK_OF_A: usize = 2 * BLOCK_TILES * PLACES;
/** Bytes of a row of it; an odd number of cache lines, or rows would fall to the same few. */
const BLOCK_ROW: usize = 4 * BLOCK_DEPTH + 64;

/**
 * Products of stacks of matrices, a [rows, depth] · panels of b [depth, columns], see packPanels. A stack of one
 * goes with each matrix of the other.
 *
 *   args: a, panels, output, rows, columns, depth, a is transposed, stack, stack of a, stack of b,
 *         pieces of the rows, pieces of the columns, parts
 *   floats: bounds of the results
 *   scratch: 512 bytes, then 135168 if a is transposed
 */
export function matrixProduct(call: usize, part: i32, scratch: usize): void {
  const rowPieces = int(call, 10);
  const columnPieces = int(call, 11);
  const pieces = rowPieces * columnPieces;
  const parts = int(call, 12);
  const total = int(call, 7) * pieces;
  const end = partStart(total, part + 1, parts, 1);
  for (let item = partStart(total, part, parts, 1); item < end; item += 1) {
    const matrix = item / pieces;
    const rowPiece = (item % pieces) / columnPieces;
    const columnPiece = item % columnPieces;
    const rowEnd = partStart(int(call, 3), rowPiece + 1, rowPieces, TILE_ROWS);
    let row = partStart(int(call, 3), rowPiece, rowPieces, TILE_ROWS);
    for (; row < rowEnd; row += BLOCK_ROWS) {
      multiplyBlock(call, scratch, matrix, row, min(row + BLOCK_ROWS, rowEnd), columnPiece);
    }
  }
}

function multiplyBlock(call: usize, scratch: usize, matrix: i32, row: i32, rowEnd: i32, columnPiece: i32): void {
  const rows = int(call, 3);
  const columns = int(call, 4);
  const depth = int(call, 5);
  const isTransposed = int(call, 6) != 0;
  const indexOfA = int(call, 8) == 1 ? 0 : matrix;
  const indexOfB = int(call, 9) == 1 ? 0 : matrix;
  const a = pointer(call, 0) + <usize>4 * <usize>indexOfA * <usize>rows * <usize>depth;
  const out = pointer(call, 2) + <usize>4 * <usize>matrix * <usize>rows * <usize>columns;
  const panelSize = PANEL_STEP * <usize>(1 + depth);
  const panelCount = (columns + TILE_COLUMNS - 1) / TILE_COLUMNS;
  const panels = pointer(call, 1) + panelSize * <usize>indexOfB * <usize>panelCount;
  const panelEnd = partStart(panelCount, columnPiece + 1, int(call, 11), 1);
  const firstPanel = partStart(panelCount, columnPiece, int(call, 11), 1);
  if (isTransposed) listRows(scratch + PLACES_OF_A, 0, rowEnd - row, <i32>BLOCK_ROW);
  else listRows(scratch + PLACES_OF_A, row, rowEnd, 4 * depth);
  listRows(scratch + PLACES_OF_OUT, row, rowEnd, 4 * columns);
  const tiles = <usize>((rowEnd - row + TILE_ROWS - 1) / TILE_ROWS);
  for (let step = 0; step < depth; step += BLOCK_DEPTH) {
    const steps = min(BLOCK_DEPTH, depth - step);
    const isLast = step + steps == depth;
    const low: f32 = isLast ? float(call, 0) : -Infinity;
    const high: f32 = isLast ? float(call, 1) : Infinity;
    let source = a + <usize>4 * <usize>step;
    if (isTransposed) {
      source = scratch + BLOCK_OF_A;
      transpose(a + <usize>4 * (<usize>step * <usize>rows + <usize>row), rows, steps, rowEnd - row, source);
    }
    for (let index = firstPanel; index < panelEnd; index += 1) {
      const panel = panels + panelSize * <usize>index;
      const from = panel + PANEL_STEP * <usize>(1 + step);
      const start = step == 0 ? panel : 0;
      const wanted = min(TILE_COLUMNS, columns - index * TILE_COLUMNS);
      const to = out + PANEL_STEP * <usize>index;
      for (let tile: usize = 0; tile < tiles; tile += 1) {
        const ofA = scratch + PLACES_OF_A + tile * PLACES;
        const places = scratch + PLACES_OF_OUT + tile * PLACES;
        tileOfRows(ofA, 1, steps, source, from, start, places, to, wanted, low, high);
      }
    }
  }
}

/** Places of rows that follow each other, whole tiles of them: rows beyond the last are the last. */
export function listRows(places: usize, row: i32, rowEnd: i32, bytes: i32): void {
  const end = row + ((rowEnd - row + TILE_ROWS - 1) / TILE_ROWS) * TILE_ROWS;
  for (; row < end; row += 1) {
    store<i32>(places, min(row, rowEnd - 1) * bytes);
    places += 4;
  }
}

/** The first `wanted` columns of a matrix of `columns` columns → rows, BLOCK_ROW apart. */
function transpose(source: usize, columns: i32, depth: i32, wanted: i32, to: usize): void {
  const line = <usize>4 * <usize>columns;
  let step = 0;
  for (; step + 4 <= depth; step += 4) {
    let row = 0;
    for (; row + 4 <= wanted; row += 4) {
      const from = source + <usize>4 * <usize>row;
      storeTransposed(
        to + <usize>row * BLOCK_ROW,
        BLOCK_ROW,
        v128.load(from),
        v128.load(from + line),
        v128.load(from + 2 * line),
        v128.load(from + 3 * line),
      );
    }
    for (; row < wanted; row += 1) copyColumn(source + <usize>4 * <usize>row, line, 4, to + <usize>row * BLOCK_ROW);
    source += 4 * line;
    to += 16;
  }
  for (let row = 0; row < wanted; row += 1) {
    copyColumn(source + <usize>4 * <usize>row, line, depth - step, to + <usize>row * BLOCK_ROW);
  }
}

@inline
function copyColumn(from: usize, line: usize, length: i32, to: usize): void {
  for (; length > 0; length -= 1) {
    store<f32>(to, load<f32>(from));
    from += line;
    to += 4;
  }
}
