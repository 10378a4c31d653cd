import { float, int, partStart, pointer } from './call';
import { PANEL_STEP, PLACES, TILE_COLUMNS, TILE_ROWS, tileOfColumns, tileOfRows } from './product-tile';

/** Rows and steps of the left factor that are worked on at a time: with a panel they fit the caches. */
const BLOCK_ROWS = 64;
const BLOCK_DEPTH = 512;
const BLOCK_TILES = BLOCK_ROWS / TILE_ROWS;

/*
 * Scratch: for each tile of a block the places of its rows in a and in the output, then the block of a where a is
 * transposed.
 */
const PLACES_OF_A: usize = 0;
const PLACES_OF_OUT: usize = BLOCK_TILES * PLACES;
const BLOCK_OF_A: usize = 2 * BLOCK_TILES * PLACES;

/**
 * Products of stacks of matrices, a [rows, depth] · panels of b [depth, columns], see packPanels. A stack of one
 * goes with each matrix of the other.
 *
 *   args: a, panels, output, rows, columns, depth, a is transposed, stack, stack of a, stack of b,
 *         pieces of the rows, pieces of the columns, parts
 *   floats: bounds of the results
 *   scratch: 512 bytes, then 131072 if a is transposed
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
  const ofA = int(call, 8) == 1 ? 0 : matrix;
  const ofB = int(call, 9) == 1 ? 0 : matrix;
  const a = pointer(call, 0) + <usize>4 * <usize>ofA * <usize>rows * <usize>depth;
  const out = pointer(call, 2) + <usize>4 * <usize>matrix * <usize>rows * <usize>columns;
  const panelSize = PANEL_STEP * <usize>(1 + depth);
  const panelCount = (columns + TILE_COLUMNS - 1) / TILE_COLUMNS;
  const panels = pointer(call, 1) + panelSize * <usize>ofB * <usize>panelCount;
  const panelEnd = partStart(panelCount, columnPiece + 1, int(call, 11), 1);
  const firstPanel = partStart(panelCount, columnPiece, int(call, 11), 1);
  listRows(scratch + PLACES_OF_A, row, rowEnd, 4 * depth);
  listRows(scratch + PLACES_OF_OUT, row, rowEnd, 4 * columns);
  const tiles = <usize>((rowEnd - row + TILE_ROWS - 1) / TILE_ROWS);
  for (let step = 0; step < depth; step += BLOCK_DEPTH) {
    const steps = min(BLOCK_DEPTH, depth - step);
    const isLast = step + steps == depth;
    const low: f32 = isLast ? float(call, 0) : -Infinity;
    const high: f32 = isLast ? float(call, 1) : Infinity;
    if (isTransposed) {
      packColumns(a + 4 * (<usize>step * <usize>rows), rows, steps, row, rowEnd, scratch + BLOCK_OF_A);
    }
    for (let index = firstPanel; index < panelEnd; index += 1) {
      const panel = panels + panelSize * <usize>index;
      const from = panel + PANEL_STEP * <usize>(1 + step);
      const start = step == 0 ? panel : 0;
      const wanted = min(TILE_COLUMNS, columns - index * TILE_COLUMNS);
      const to = out + PANEL_STEP * <usize>index;
      for (let tile: usize = 0; tile < tiles; tile += 1) {
        const places = scratch + PLACES_OF_OUT + tile * PLACES;
        if (isTransposed) {
          const block = scratch + BLOCK_OF_A + tile * PLACES * <usize>steps;
          tileOfColumns(block, PLACES, steps, from, PANEL_STEP, start, places, to, wanted, low, high);
        } else {
          const ofTile = scratch + PLACES_OF_A + tile * PLACES;
          tileOfRows(ofTile, 1, steps, a + <usize>4 * <usize>step, from, start, places, to, wanted, low, high);
        }
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

/**
 * Columns `column` to `columnEnd` of a matrix of `columns` columns, in strips of 4. The last is repeated until its
 * strip is full, as listRows repeats its place.
 */
function packColumns(source: usize, columns: i32, depth: i32, column: i32, columnEnd: i32, strips: usize): void {
  const bytes = <usize>4 * <usize>columns;
  const strip = PLACES * <usize>depth;
  for (let step = 0; step < depth; step += 1) {
    let from = source + <usize>4 * <usize>column;
    let to = strips + PLACES * <usize>step;
    let left = columnEnd - column;
    for (; left >= 4; left -= 4) {
      v128.store(to, v128.load(from));
      from += 16;
      to += strip;
    }
    for (let lane = 0; left > 0 && lane < 4; lane += 1) {
      store<f32>(to + <usize>4 * <usize>lane, load<f32>(from + <usize>4 * <usize>min(lane, left - 1)));
    }
    source += bytes;
  }
}
