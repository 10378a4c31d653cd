import { int, partStart, pointer } from './call';
import { loadUpTo, PANEL_STEP, TILE_COLUMNS } from './product-tile';

/**
 * Lays matrices out in panels of 8 columns: first the 8 values that their sums begin with, then for each step of
 * the sum 8 neighbours. Columns that a last panel has too many are 0.
 *
 * A filter is as many matrices under each other as it has taps, those at rows `first`, `first + step`, … and
 * columns likewise.
 *
 *   args: source, panels, start values [columns] or 0, depth, columns, is transposed, parts,
 *         stack (matrices that are packed apart), rows of taps, first row, step, columns of taps, first column, step,
 *         columns of taps in the source
 */
export function packPanels(call: usize, part: i32, scratch: usize): void {
  const columns = int(call, 4);
  const perMatrix = (columns + TILE_COLUMNS - 1) / TILE_COLUMNS;
  const total = int(call, 7) * perMatrix;
  const parts = int(call, 6);
  const size = PANEL_STEP * <usize>(1 + int(call, 3) * int(call, 8) * int(call, 11));
  const end = partStart(total, part + 1, parts, 1);
  for (let panel = partStart(total, part, parts, 1); panel < end; panel += 1) {
    packPanel(call, panel / perMatrix, (panel % perMatrix) * TILE_COLUMNS, pointer(call, 1) + size * <usize>panel);
  }
}

function packPanel(call: usize, matrix: i32, first: i32, panel: usize): void {
  const start = pointer(call, 2);
  const depth = int(call, 3);
  const columns = int(call, 4);
  const isTransposed = int(call, 5) != 0;
  const wanted = min(TILE_COLUMNS, columns - first);
  const bytes = <usize>4 * <usize>depth * <usize>columns;
  const source = pointer(call, 0) + <usize>matrix * bytes;
  packStart(start, first, wanted, panel);
  panel += PANEL_STEP;
  for (let row = 0; row < int(call, 8); row += 1) {
    const line = (int(call, 9) + row * int(call, 10)) * int(call, 14);
    for (let column = 0; column < int(call, 11); column += 1) {
      const tap = line + int(call, 12) + column * int(call, 13);
      const from = source + <usize>tap * bytes;
      if (isTransposed) {
        const firstRow = from + <usize>4 * <usize>first * <usize>depth;
        packTransposed(firstRow, 4 * depth, depth, wanted, panel);
      } else {
        packPlain(from + <usize>4 * <usize>first, 4 * columns, depth, wanted, panel);
      }
      panel += PANEL_STEP * <usize>depth;
    }
  }
}

/** The values that up to 8 columns begin with, 0 where there are none. */
export function packStart(start: usize, first: i32, wanted: i32, panel: usize): void {
  const from = start + <usize>4 * <usize>first;
  v128.store(panel, start == 0 ? f32x4.splat(0) : loadUpTo(from, wanted), 0);
  v128.store(panel, start == 0 ? f32x4.splat(0) : loadUpTo(from + 16, wanted - 4), 16);
}

/** Up to 8 columns of `depth` rows, `step` bytes apart → a panel. */
export function packPlain(source: usize, step: usize, depth: i32, wanted: i32, panel: usize): void {
  for (; depth > 0; depth -= 1) {
    v128.store(panel, loadUpTo(source, wanted), 0);
    v128.store(panel, loadUpTo(source + 16, wanted - 4), 16);
    source += step;
    panel += PANEL_STEP;
  }
}

/** Up to 8 rows of `depth` values, `step` bytes apart → the columns of a panel. */
export function packTransposed(source: usize, step: usize, depth: i32, wanted: i32, panel: usize): void {
  packRows(source, step, depth, wanted, panel);
  packRows(source + 4 * step, step, depth, wanted - 4, panel + 16);
}

/** Up to 4 of them. */
function packRows(source: usize, step: usize, depth: i32, rows: i32, panel: usize): void {
  if (rows < 4) {
    for (; depth > 0; depth -= 1) {
      v128.store(panel, f32x4.splat(0));
      for (let row = 0; row < rows; row += 1) {
        store<f32>(panel + <usize>4 * <usize>row, load<f32>(source + <usize>row * step));
      }
      source += 4;
      panel += PANEL_STEP;
    }
    return;
  }
  const a = source;
  const b = a + step;
  const c = b + step;
  const d = c + step;
  let at: usize = 0;
  for (; depth >= 4; depth -= 4) {
    storeTransposed(panel, PANEL_STEP, v128.load(a + at), v128.load(b + at), v128.load(c + at), v128.load(d + at));
    at += 16;
    panel += 4 * PANEL_STEP;
  }
  for (; depth > 0; depth -= 1) {
    store<f32>(panel, load<f32>(a + at), 0);
    store<f32>(panel, load<f32>(b + at), 4);
    store<f32>(panel, load<f32>(c + at), 8);
    store<f32>(panel, load<f32>(d + at), 12);
    at += 4;
    panel += PANEL_STEP;
  }
}

/** Rows a to d of a 4 × 4 matrix → its columns, `step` bytes apart. */
@inline
export function storeTransposed(to: usize, step: usize, a: v128, b: v128, c: v128, d: v128): void {
  const ab01 = v128.shuffle<f32>(a, b, 0, 4, 1, 5);
  const cd01 = v128.shuffle<f32>(c, d, 0, 4, 1, 5);
  const ab23 = v128.shuffle<f32>(a, b, 2, 6, 3, 7);
  const cd23 = v128.shuffle<f32>(c, d, 2, 6, 3, 7);
  v128.store(to, v128.shuffle<f64>(ab01, cd01, 0, 2));
  v128.store(to + step, v128.shuffle<f64>(ab01, cd01, 1, 3));
  v128.store(to + 2 * step, v128.shuffle<f64>(ab23, cd23, 0, 2));
  v128.store(to + 3 * step, v128.shuffle<f64>(ab23, cd23, 1, 3));
}
