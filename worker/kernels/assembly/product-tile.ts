import { multiplyAdd } from './arithmetic';

/*
 * What every product here is made of: a tile of 4 rows × 8 columns of sums that stay in registers.
 *
 * The right factor lies in panels of 8 columns, for each step of the sum 8 neighbours. The left one is read where
 * it lies. One step of the sum is one round of the loop: engines order what they unroll themselves well, and what
 * is unrolled here badly.
 */
export const TILE_ROWS = 4;
export const TILE_COLUMNS = 8;
/** Bytes of one step of a panel. */
export const PANEL_STEP: usize = 32;
/** Bytes of the places of a tile's 4 rows. */
export const PLACES: usize = 16;

/**
 * Tile by tile the sum over segments s and steps k of row r of s, element k, times 8 values of the panel. The values
 * of a row follow each other.
 *
 *   segments   for each tile and segment the places of its 4 rows, relative to `a`
 *   panelStep  bytes from one step of the panel to the next, PANEL_STEP if it is packed
 *   start      address of the 8 values that sums begin with, or 0: sums go on from what is in the output
 *   rows       for each tile the places of the 4 output rows, relative to `out`; a row may be named more than once
 *   columns    of the tile that are wanted, 1 to 8
 *   low, high  bounds of the results
 */
export function multiplyTiles(
  segments: usize,
  count: i32,
  depth: i32,
  a: usize,
  panel: usize,
  panelStep: usize,
  start: usize,
  rows: usize,
  tiles: i32,
  out: usize,
  columns: i32,
  low: f32,
  high: f32,
): void {
  const length = <usize>depth * panelStep;
  for (const lastRows = rows + <usize>tiles * PLACES; rows != lastRows; rows += PLACES) {
    let c00: v128, c01: v128, c10: v128, c11: v128, c20: v128, c21: v128, c30: v128, c31: v128;
    if (start != 0) {
      c00 = c10 = c20 = c30 = v128.load(start, 0);
      c01 = c11 = c21 = c31 = v128.load(start, 16);
    } else {
      c00 = loadUpTo(<usize>load<u32>(rows, 0) + out, columns);
      c01 = loadUpTo(<usize>load<u32>(rows, 0) + out + 16, columns - 4);
      c10 = loadUpTo(<usize>load<u32>(rows, 4) + out, columns);
      c11 = loadUpTo(<usize>load<u32>(rows, 4) + out + 16, columns - 4);
      c20 = loadUpTo(<usize>load<u32>(rows, 8) + out, columns);
      c21 = loadUpTo(<usize>load<u32>(rows, 8) + out + 16, columns - 4);
      c30 = loadUpTo(<usize>load<u32>(rows, 12) + out, columns);
      c31 = loadUpTo(<usize>load<u32>(rows, 12) + out + 16, columns - 4);
    }
    let from = panel;
    const last = segments + <usize>count * PLACES;
    for (; segments != last; segments += PLACES) {
      let a0 = a + <usize>load<u32>(segments, 0);
      let a1 = a + <usize>load<u32>(segments, 4);
      let a2 = a + <usize>load<u32>(segments, 8);
      let a3 = a + <usize>load<u32>(segments, 12);
      const end = from + length;
      do {
        const b0 = v128.load(from, 0);
        const b1 = v128.load(from, 16);
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
        from += panelStep;
      } while (from != end);
    }
    if (low > -Infinity || high < Infinity) {
      c00 = bounded(c00, low, high);
      c01 = bounded(c01, low, high);
      c10 = bounded(c10, low, high);
      c11 = bounded(c11, low, high);
      c20 = bounded(c20, low, high);
      c21 = bounded(c21, low, high);
      c30 = bounded(c30, low, high);
      c31 = bounded(c31, low, high);
    }
    storeRow(<usize>load<u32>(rows, 0) + out, c00, c01, columns);
    storeRow(<usize>load<u32>(rows, 4) + out, c10, c11, columns);
    storeRow(<usize>load<u32>(rows, 8) + out, c20, c21, columns);
    storeRow(<usize>load<u32>(rows, 12) + out, c30, c31, columns);
  }
}

@inline
function storeRow(place: usize, left: v128, right: v128, columns: i32): void {
  if (columns == TILE_COLUMNS) {
    v128.store(place, left, 0);
    v128.store(place, right, 16);
  } else {
    storeSome(place, left, right, columns);
  }
}

@inline
function bounded(values: v128, low: f32, high: f32): v128 {
  return f32x4.pmin(f32x4.pmax(values, f32x4.splat(low)), f32x4.splat(high));
}

/** 4 values, or the first `length` and zeros. */
export function loadUpTo(place: usize, length: i32): v128 {
  if (length >= 4) return v128.load(place);
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
