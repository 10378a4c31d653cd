import { multiplyAdd } from './arithmetic';

/*
 * What every product here is made of: a tile of 4 rows × 8 columns of sums that stay in registers.
 *
 * The right factor lies in panels of 8 columns, for each step of the sum 8 neighbours. The left one is read where
 * it lies. One step of the sum is one round of the loop: engines order what they unroll themselves well, and what
 * is unrolled here badly.
 *
 *   start    address of the 8 values that sums begin with, or 0: sums go on from what is in the output
 *   rows     address of the places of the 4 output rows, relative to `out`; the last row may be named more than once
 *   columns  of the tile that are wanted, 1 to 8
 *   low, high  bounds of the results
 */
export const TILE_ROWS = 4;
export const TILE_COLUMNS = 8;
/** Bytes of one step of a panel. */
export const PANEL_STEP: usize = 32;
/** Bytes of the places of a tile's 4 rows. */
export const PLACES: usize = 16;

/**
 * Sum over segments s and steps k of row r of s, element k, times panel. The values of a row follow each other.
 *
 *   segments  for each segment the places of its 4 rows, relative to `a`
 */
export function tileOfRows(
  segments: usize,
  count: i32,
  depth: i32,
  a: usize,
  panel: usize,
  start: usize,
  rows: usize,
  out: usize,
  columns: i32,
  low: f32,
  high: f32,
): void {
  let c00 = startOf(start, 0, rows, out, columns);
  let c01 = startOf(start, 4, rows, out, columns);
  let c10 = startOf(start, 0, rows + 4, out, columns);
  let c11 = startOf(start, 4, rows + 4, out, columns);
  let c20 = startOf(start, 0, rows + 8, out, columns);
  let c21 = startOf(start, 4, rows + 8, out, columns);
  let c30 = startOf(start, 0, rows + 12, out, columns);
  let c31 = startOf(start, 4, rows + 12, out, columns);
  const length = <usize>depth * PANEL_STEP;
  const last = segments + <usize>count * PLACES;
  for (; segments != last; segments += PLACES) {
    let a0 = a + <usize>load<u32>(segments, 0);
    let a1 = a + <usize>load<u32>(segments, 4);
    let a2 = a + <usize>load<u32>(segments, 8);
    let a3 = a + <usize>load<u32>(segments, 12);
    const end = panel + length;
    do {
      const b0 = v128.load(panel, 0);
      const b1 = v128.load(panel, 16);
      const x0 = v128.load32_splat(a0);
      const x1 = v128.load32_splat(a1);
      const x2 = v128.load32_splat(a2);
      const x3 = v128.load32_splat(a3);
      c00 = multiplyAdd(x0, b0, c00);
      c01 = multiplyAdd(x0, b1, c01);
      c10 = multiplyAdd(x1, b0, c10);
      c11 = multiplyAdd(x1, b1, c11);
      c20 = multiplyAdd(x2, b0, c20);
      c21 = multiplyAdd(x2, b1, c21);
      c30 = multiplyAdd(x3, b0, c30);
      c31 = multiplyAdd(x3, b1, c31);
      a0 += 4;
      a1 += 4;
      a2 += 4;
      a3 += 4;
      panel += PANEL_STEP;
    } while (panel != end);
  }
  storeRow(load<u32>(rows, 0) + out, c00, c01, columns, low, high);
  storeRow(load<u32>(rows, 4) + out, c10, c11, columns, low, high);
  storeRow(load<u32>(rows, 8) + out, c20, c21, columns, low, high);
  storeRow(load<u32>(rows, 12) + out, c30, c31, columns, low, high);
}

/**
 * Sum over steps k of the 4 neighbours at a + k · aStep, times the 8 at panel + k · panelStep: a left factor that
 * is transposed. Unlike above rows that are not wanted are sums of their own, and need a place of their own.
 *
 *   aStep, panelStep  in bytes
 */
export function tileOfColumns(
  a: usize,
  aStep: usize,
  depth: i32,
  panel: usize,
  panelStep: usize,
  start: usize,
  rows: usize,
  out: usize,
  columns: i32,
  low: f32,
  high: f32,
): void {
  let c00 = startOf(start, 0, rows, out, columns);
  let c01 = startOf(start, 4, rows, out, columns);
  let c10 = startOf(start, 0, rows + 4, out, columns);
  let c11 = startOf(start, 4, rows + 4, out, columns);
  let c20 = startOf(start, 0, rows + 8, out, columns);
  let c21 = startOf(start, 4, rows + 8, out, columns);
  let c30 = startOf(start, 0, rows + 12, out, columns);
  let c31 = startOf(start, 4, rows + 12, out, columns);
  for (; depth > 0; depth -= 1) {
    const b0 = v128.load(panel, 0);
    const b1 = v128.load(panel, 16);
    const x0 = v128.load32_splat(a, 0);
    const x1 = v128.load32_splat(a, 4);
    const x2 = v128.load32_splat(a, 8);
    const x3 = v128.load32_splat(a, 12);
    c00 = multiplyAdd(x0, b0, c00);
    c01 = multiplyAdd(x0, b1, c01);
    c10 = multiplyAdd(x1, b0, c10);
    c11 = multiplyAdd(x1, b1, c11);
    c20 = multiplyAdd(x2, b0, c20);
    c21 = multiplyAdd(x2, b1, c21);
    c30 = multiplyAdd(x3, b0, c30);
    c31 = multiplyAdd(x3, b1, c31);
    a += aStep;
    panel += panelStep;
  }
  storeRow(load<u32>(rows, 0) + out, c00, c01, columns, low, high);
  storeRow(load<u32>(rows, 4) + out, c10, c11, columns, low, high);
  storeRow(load<u32>(rows, 8) + out, c20, c21, columns, low, high);
  storeRow(load<u32>(rows, 12) + out, c30, c31, columns, low, high);
}

/** Values that columns `first` to `first` + 3 of a row begin with. */
@inline
function startOf(start: usize, first: i32, row: usize, out: usize, columns: i32): v128 {
  if (start != 0) return v128.load(start + (<usize>first << 2));
  const place = load<u32>(row) + out + (<usize>first << 2);
  return columns - first >= 4 ? v128.load(place) : loadSome(place, columns - first);
}

@inline
function storeRow(place: usize, left: v128, right: v128, columns: i32, low: f32, high: f32): void {
  if (low > -Infinity) {
    left = f32x4.pmax(left, f32x4.splat(low));
    right = f32x4.pmax(right, f32x4.splat(low));
  }
  if (high < Infinity) {
    left = f32x4.pmin(left, f32x4.splat(high));
    right = f32x4.pmin(right, f32x4.splat(high));
  }
  if (columns == TILE_COLUMNS) {
    v128.store(place, left, 0);
    v128.store(place, right, 16);
  } else {
    storeSome(place, left, right, columns);
  }
}

/** The first `length` of 4 values, the others 0. */
export function loadSome(place: usize, length: i32): v128 {
  if (length <= 0) return f32x4.splat(0);
  let values = v128.load32_zero(place);
  if (length > 1) values = v128.load_lane<f32>(place, values, 1, 4);
  if (length > 2) values = v128.load_lane<f32>(place, values, 2, 8);
  return values;
}

/** The first `columns` of 8 values, fewer than all. */
function storeSome(place: usize, left: v128, right: v128, columns: i32): void {
  if (columns >= 4) {
    v128.store(place, left);
    place += 16;
    columns -= 4;
    left = right;
  }
  if (columns > 0) v128.store_lane<f32>(place, left, 0);
  if (columns > 1) v128.store_lane<f32>(place, left, 1, 4);
  if (columns > 2) v128.store_lane<f32>(place, left, 2, 8);
}
