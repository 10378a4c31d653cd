import { DY_PIXEL, X_PIXEL } from './filter-gradient-tile';

/*
 * Minimal filtering after Winograd, F(3 × 3, 2 × 2): nine taps over four pixels of dy by 16 products instead of 36.
 * In one dimension, with four numbers d of x and two numbers g of dy,
 *
 *   d0·g0 + d1·g1 = m0 + (m1 + m2) / 2         m0 = (d0 − d2) · g0
 *   d1·g0 + d2·g1 =      (m1 − m2) / 2         m1 = (d1 + d2) · (g0 + g1)
 *   d2·g0 + d3·g1 = m3 + (m1 + m2) / 2         m2 = (d2 − d1) · (g0 − g1)
 *                                              m3 = (d3 − d1) · g1
 *
 * and in two dimensions the same of the same. The sums over pixels are taken of the 16 products, so the way back to
 * nine taps is gone once at the end.
 */

/** Squares of four pixels that are multiplied at once. */
export const SQUARES = 128;
export const PRODUCTS: usize = 16;
/** Bytes of a strip; the cache line more keeps strips out of each other's place in cache. */
export const X_STRIP: usize = SQUARES * X_PIXEL + 64;
export const DY_STRIP: usize = SQUARES * DY_PIXEL + 64;

/** Four channels of 4 × 4 pixels of x → their place in 16 strips. */
@inline
export function transformPatch(from: usize, rowStep: usize, pixelStep: usize, to: usize): void {
  patchColumn(from, from + 2 * pixelStep, false, rowStep, to);
  patchColumn(from + pixelStep, from + 2 * pixelStep, true, rowStep, to + X_STRIP);
  patchColumn(from + 2 * pixelStep, from + pixelStep, false, rowStep, to + 2 * X_STRIP);
  patchColumn(from + 3 * pixelStep, from + pixelStep, false, rowStep, to + 3 * X_STRIP);
}

/** Sum or difference of two columns of pixels, transformed along the column. */
@inline
function patchColumn(first: usize, second: usize, isSum: bool, rowStep: usize, to: usize): void {
  const a = combined(first, second, isSum);
  const b = combined(first + rowStep, second + rowStep, isSum);
  const c = combined(first + 2 * rowStep, second + 2 * rowStep, isSum);
  const d = combined(first + 3 * rowStep, second + 3 * rowStep, isSum);
  v128.store(to, f32x4.sub(a, c));
  v128.store(to, f32x4.add(b, c), 4 * X_STRIP);
  v128.store(to, f32x4.sub(c, b), 8 * X_STRIP);
  v128.store(to, f32x4.sub(d, b), 12 * X_STRIP);
}

@inline
function combined(first: usize, second: usize, isSum: bool): v128 {
  if (isSum) return f32x4.add(v128.load(first), v128.load(second));
  return f32x4.sub(v128.load(first), v128.load(second));
}

/** Four channels of 2 × 2 pixels of dy → their place in 16 strips. */
@inline
export function transformSquare(from: usize, rowStep: usize, pixelStep: usize, to: usize): void {
  const a = v128.load(from);
  const b = v128.load(from + pixelStep);
  const c = v128.load(from + rowStep);
  const d = v128.load(from + rowStep + pixelStep);
  squareRow(a, b, to);
  squareRow(f32x4.add(a, c), f32x4.add(b, d), to + 4 * DY_STRIP);
  squareRow(f32x4.sub(a, c), f32x4.sub(b, d), to + 8 * DY_STRIP);
  squareRow(c, d, to + 12 * DY_STRIP);
}

@inline
function squareRow(a: v128, b: v128, to: usize): void {
  v128.store(to, a);
  v128.store(to, f32x4.add(a, b), DY_STRIP);
  v128.store(to, f32x4.sub(a, b), 2 * DY_STRIP);
  v128.store(to, b, 3 * DY_STRIP);
}

/**
 * Four sums of each of the 16 products, `step` bytes apart → the same numbers of nine taps, one after the other.
 */
@inline
export function sumsOfTaps(from: usize, step: usize, to: usize): void {
  tapColumn(from, step, 4 * step, to, 0);
  tapColumn(from, step, 4 * step, to, 1);
  tapColumn(from, step, 4 * step, to, 2);
}

@inline
function tapColumn(from: usize, step: usize, rowStep: usize, to: usize, column: i32): void {
  const half = f32x4.splat(0.5);
  const a = tapRow(from, step, column);
  const b = f32x4.mul(tapRow(from + rowStep, step, column), half);
  const c = f32x4.mul(tapRow(from + 2 * rowStep, step, column), half);
  const d = tapRow(from + 3 * rowStep, step, column);
  const sum = f32x4.add(b, c);
  to += <usize>column * 16;
  v128.store(to, f32x4.add(a, sum));
  v128.store(to, f32x4.sub(b, c), 48);
  v128.store(to, f32x4.add(d, sum), 96);
}

/** One of three taps, of four products of a row. */
@inline
function tapRow(from: usize, step: usize, column: i32): v128 {
  const half = f32x4.splat(0.5);
  const b = v128.load(from + step);
  const c = v128.load(from + 2 * step);
  if (column == 1) return f32x4.mul(f32x4.sub(b, c), half);
  const sum = f32x4.mul(f32x4.add(b, c), half);
  return f32x4.add(sum, v128.load(column == 0 ? from : from + 3 * step));
}
