import { float, int, partStart, pointer } from './call';
import { packPlain, packStart, packTransposed, storeTransposed } from './pack';
import { PANEL_STEP, PLACES, TILE_COLUMNS, TILE_ROWS, multiplyTiles } from './product-tile';

/** Rows and steps of the left factor that are worked on at a time: with a panel they fit the caches. */
const BLOCK_ROWS = 64;
const BLOCK_DEPTH = 512;
const BLOCK_TILES = BLOCK_ROWS / TILE_ROWS;

/** Up to so many rows b is read where it lies: it is not worth while to pack it. */
const ROWS_IN_PLACE = 8;

/*
 * Scratch: for each tile of a block the places of its rows in a and in the output; the start values and steps of a
 * panel that is packed here; the rows of the block where a is transposed.
 */
const PLACES_OF_A: usize = 0;
const PLACES_OF_OUT: usize = <usize>BLOCK_TILES * PLACES;
const START: usize = 2 * BLOCK_TILES * PLACES;
const PANEL: usize = START + 64;
const BLOCK_OF_A: usize = PANEL + <usize>BLOCK_DEPTH * PANEL_STEP;
/** Bytes of a row of it; an odd number of cache lines, or rows would fall to the same few. */
const BLOCK_ROW: usize = 4 * BLOCK_DEPTH + 64;

/** How b is given. */
const IN_PANELS = 0;
const PLAIN = 1;

/**
 * Products of stacks of matrices, a [rows, depth] · b [depth, columns]. A stack of one goes with each matrix of the
 * other. Where rows are few, and no panel is met twice, b need not be packed before (packPanels).
 *
 *   args: a, b, output, rows, columns, depth, a is transposed, stack, stack of a, stack of b,
 *         pieces of the rows, pieces of the columns, parts, b is 0 in panels 1 plain 2 transposed,
 *         start values [columns] or 0 where b is not in panels
 *   floats: bounds of the results
 *   scratch: 16960 bytes, 135168 more if a is transposed
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
  const a = pointer(call, 0) + <usize>4 * <usize>indexOfA * <usize>rows * <usize>depth;
  const out = pointer(call, 2) + <usize>4 * <usize>matrix * <usize>rows * <usize>columns;
  const panelCount = (columns + TILE_COLUMNS - 1) / TILE_COLUMNS;
  const panelEnd = partStart(panelCount, columnPiece + 1, int(call, 11), 1);
  const firstPanel = partStart(panelCount, columnPiece, int(call, 11), 1);
  if (isTransposed) listRows(scratch + PLACES_OF_A, 0, rowEnd - row, <i32>BLOCK_ROW);
  else listRows(scratch + PLACES_OF_A, row, rowEnd, 4 * depth);
  listRows(scratch + PLACES_OF_OUT, row, rowEnd, 4 * columns);
  for (let step = 0; step < depth; step += BLOCK_DEPTH) {
    const steps = min(BLOCK_DEPTH, depth - step);
    let source = a + <usize>4 * <usize>step;
    if (isTransposed) {
      source = scratch + BLOCK_OF_A;
      transpose(a + <usize>4 * (<usize>step * <usize>rows + <usize>row), rows, steps, rowEnd - row, source);
    }
    for (let panel = firstPanel; panel < panelEnd; panel += 1) {
      multiplyPanel(call, scratch, source, step, steps, rowEnd - row, matrix, panel, out + PANEL_STEP * <usize>panel);
    }
  }
}

/** Steps `step` to `step + steps` of the sums of a block and a panel. */
function multiplyPanel(
  call: usize,
  scratch: usize,
  source: usize,
  step: i32,
  steps: i32,
  rows: i32,
  matrix: i32,
  panel: i32,
  out: usize,
): void {
  const columns = int(call, 4);
  const depth = int(call, 5);
  const indexOfB = int(call, 9) == 1 ? 0 : matrix;
  const wanted = min(TILE_COLUMNS, columns - panel * TILE_COLUMNS);
  const isLast = step + steps == depth;
  const low: f32 = isLast ? float(call, 0) : -Infinity;
  const high: f32 = isLast ? float(call, 1) : Infinity;
  let start: usize;
  let from: usize;
  let panelStep = PANEL_STEP;
  if (int(call, 13) == IN_PANELS) {
    const panelCount = (columns + TILE_COLUMNS - 1) / TILE_COLUMNS;
    start = pointer(call, 1) + PANEL_STEP * <usize>(1 + depth) * <usize>(indexOfB * panelCount + panel);
    from = start + PANEL_STEP * <usize>(1 + step);
  } else {
    const b = pointer(call, 1) + <usize>4 * <usize>indexOfB * <usize>depth * <usize>columns;
    const inPlace = int(call, 13) == PLAIN && rows <= ROWS_IN_PLACE && wanted == TILE_COLUMNS;
    start = scratch + START;
    packStart(pointer(call, 14), panel * TILE_COLUMNS, wanted, start);
    if (inPlace) {
      panelStep = <usize>4 * <usize>columns;
      from = b + <usize>step * panelStep + PANEL_STEP * <usize>panel;
    } else {
      from = scratch + PANEL;
      packPart(call, b, step, steps, panel * TILE_COLUMNS, wanted, from);
    }
  }
  if (step > 0) start = 0;
  multiplyTiles(
    scratch + PLACES_OF_A,
    1,
    steps,
    source,
    from,
    panelStep,
    start,
    scratch + PLACES_OF_OUT,
    (rows + TILE_ROWS - 1) / TILE_ROWS,
    out,
    wanted,
    low,
    high,
  );
}

/** Steps `step` to `step + steps` of a panel. */
@inline
function packPart(call: usize, b: usize, step: i32, steps: i32, first: i32, wanted: i32, panel: usize): void {
  const columns = int(call, 4);
  const depth = int(call, 5);
  if (int(call, 13) == PLAIN) {
    const from = b + <usize>4 * (<usize>step * <usize>columns + <usize>first);
    packPlain(from, <usize>4 * <usize>columns, steps, wanted, panel);
  } else {
    const from = b + <usize>4 * (<usize>first * <usize>depth + <usize>step);
    packTransposed(from, <usize>4 * <usize>depth, steps, wanted, panel);
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
