import { multiplyAdd } from './arithmetic';

/*
 * The product of a strip of x and a strip of dy, added to a tile of sums that stays in registers:
 *
 *   sums[row, column] += Σ_p x[p, row] · dy[p, column]        row < 4, column < 8
 *
 * A strip holds four rows or eight columns of a block of pixels, one pixel after the other, so that both are read
 * from end to end; the number of pixels is even.
 */

/** Bytes of a pixel in a strip of x, of one in a strip of dy, and of a tile. */
export const X_PIXEL: usize = 16;
export const DY_PIXEL: usize = 32;
export const TILE: usize = 128;

/** @param columns  of the tile that are used; the others of the strip are zeros */
export function addTile(x: usize, dy: usize, pixels: i32, sums: usize, rows: i32, columns: i32): void {
  if (columns > 4) {
    if (rows == 4) addProduct(4, true, x, dy, pixels, sums);
    else if (rows == 3) addProduct(3, true, x, dy, pixels, sums);
    else if (rows == 2) addProduct(2, true, x, dy, pixels, sums);
    else addProduct(1, true, x, dy, pixels, sums);
  } else {
    if (rows == 4) addProduct(4, false, x, dy, pixels, sums);
    else if (rows == 3) addProduct(3, false, x, dy, pixels, sums);
    else if (rows == 2) addProduct(2, false, x, dy, pixels, sums);
    else addProduct(1, false, x, dy, pixels, sums);
  }
}

@inline
function addProduct(rows: i32, wide: bool, x: usize, dy: usize, pixels: i32, sums: usize): void {
  let a = v128.load(sums),
    b = v128.load(sums, 16),
    c = a,
    d = a,
    e = a,
    f = a,
    g = a,
    h = a;
  if (rows > 1) {
    c = v128.load(sums, 32);
    d = v128.load(sums, 48);
  }
  if (rows > 2) {
    e = v128.load(sums, 64);
    f = v128.load(sums, 80);
  }
  if (rows > 3) {
    g = v128.load(sums, 96);
    h = v128.load(sums, 112);
  }
  for (; pixels > 0; pixels -= 2) {
    const p = v128.load(dy);
    const q = v128.load(dy, 16);
    const r = v128.load32_splat(x);
    a = multiplyAdd(r, p, a);
    if (wide) b = multiplyAdd(r, q, b);
    if (rows > 1) {
      const s = v128.load32_splat(x, 4);
      c = multiplyAdd(s, p, c);
      if (wide) d = multiplyAdd(s, q, d);
    }
    if (rows > 2) {
      const s = v128.load32_splat(x, 8);
      e = multiplyAdd(s, p, e);
      if (wide) f = multiplyAdd(s, q, f);
    }
    if (rows > 3) {
      const s = v128.load32_splat(x, 12);
      g = multiplyAdd(s, p, g);
      if (wide) h = multiplyAdd(s, q, h);
    }
    const t = v128.load(dy, 32);
    const u = v128.load(dy, 48);
    const v = v128.load32_splat(x, 16);
    a = multiplyAdd(v, t, a);
    if (wide) b = multiplyAdd(v, u, b);
    if (rows > 1) {
      const s = v128.load32_splat(x, 20);
      c = multiplyAdd(s, t, c);
      if (wide) d = multiplyAdd(s, u, d);
    }
    if (rows > 2) {
      const s = v128.load32_splat(x, 24);
      e = multiplyAdd(s, t, e);
      if (wide) f = multiplyAdd(s, u, f);
    }
    if (rows > 3) {
      const s = v128.load32_splat(x, 28);
      g = multiplyAdd(s, t, g);
      if (wide) h = multiplyAdd(s, u, h);
    }
    x += 2 * X_PIXEL;
    dy += 2 * DY_PIXEL;
  }
  v128.store(sums, a);
  if (wide) v128.store(sums, b, 16);
  if (rows > 1) {
    v128.store(sums, c, 32);
    if (wide) v128.store(sums, d, 48);
  }
  if (rows > 2) {
    v128.store(sums, e, 64);
    if (wide) v128.store(sums, f, 80);
  }
  if (rows > 3) {
    v128.store(sums, g, 96);
    if (wide) v128.store(sums, h, 112);
  }
}
