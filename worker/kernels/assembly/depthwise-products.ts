import { multiplyAdd } from './arithmetic';
import { PIXEL } from './depthwise-block';

/** Rows of a block of dy and the rows of a block of x that meet them under one row of taps. */
@unmanaged
export class Run {
  dy: usize;
  x: usize;
  rows: i32;
  /** Of a row of dy. */
  pixels: i32;
  /** In x from one pixel, one row and one tap to the next. */
  xStep: usize;
  rowStep: usize;
  tapStep: usize;
  /** Do taps lie side by side? */
  isNeighbour: bool;
}

/** Adds the products under a row of taps to its sums [taps, 16]. */
export function addRows(run: Run, taps: i32, sums: usize, lanes: i32): void {
  const canShare = run.isNeighbour && run.xStep <= 2 * PIXEL;
  for (let lane = 0; lane < lanes; lane += 4) {
    const at = (<usize>lane) << 2;
    for (let tap = 0; tap < taps; ) {
      const count = canShare ? min(taps - tap, 3) : 1;
      addTaps(run, tap, count, at, sums + <usize>tap * PIXEL + at);
      tap += count;
    }
  }
}

function addTaps(run: Run, tap: i32, count: i32, at: usize, sums: usize): void {
  const x = run.x + <usize>tap * run.tapStep + at;
  if (count == 3) {
    if (run.xStep == PIXEL) addShared(3, 1, run, x, at, sums);
    else addShared(3, 2, run, x, at, sums);
  } else if (count == 2) {
    if (run.xStep == PIXEL) addShared(2, 1, run, x, at, sums);
    else addShared(2, 2, run, x, at, sums);
  } else {
    addSingle(run, x, at, sums);
  }
}

/**
 * Two or three taps side by side, of four channels. Two pixels at a time, each with sums of its own, so that an
 * addition need not await the one before; what both read of x is loaded once.
 */
@inline
function addShared(taps: i32, step: i32, run: Run, x: usize, at: usize, sums: usize): void {
  const zero = f32x4.splat(0);
  let a = v128.load(sums),
    b = v128.load(sums, PIXEL),
    c = zero;
  if (taps > 2) c = v128.load(sums, 2 * PIXEL);
  let d = zero,
    e = zero,
    f = zero;
  let dy = run.dy + at;
  for (let row = run.rows; row > 0; row -= 1) {
    let from = x;
    let pixel = run.pixels;
    for (; pixel > 1; pixel -= 2) {
      const g = v128.load(dy);
      const h = v128.load(dy, PIXEL);
      const x0 = v128.load(from);
      const x1 = v128.load(from, PIXEL);
      const x2 = v128.load(from, 2 * PIXEL);
      a = multiplyAdd(x0, g, a);
      b = multiplyAdd(x1, g, b);
      d = multiplyAdd(step == 1 ? x1 : x2, h, d);
      if (taps > 2) c = multiplyAdd(x2, g, c);
      if (step == 1) {
        e = multiplyAdd(x2, h, e);
        if (taps > 2) f = multiplyAdd(v128.load(from, 3 * PIXEL), h, f);
      } else {
        e = multiplyAdd(v128.load(from, 3 * PIXEL), h, e);
        if (taps > 2) f = multiplyAdd(v128.load(from, 4 * PIXEL), h, f);
      }
      from += <usize>(2 * step) * PIXEL;
      dy += 2 * PIXEL;
    }
    if (pixel > 0) {
      const g = v128.load(dy);
      a = multiplyAdd(v128.load(from), g, a);
      b = multiplyAdd(v128.load(from, PIXEL), g, b);
      if (taps > 2) c = multiplyAdd(v128.load(from, 2 * PIXEL), g, c);
      dy += PIXEL;
    }
    x += run.rowStep;
  }
  v128.store(sums, f32x4.add(a, d));
  v128.store(sums, f32x4.add(b, e), PIXEL);
  if (taps > 2) v128.store(sums, f32x4.add(c, f), 2 * PIXEL);
}

/** One tap of four channels, at any distance between pixels. */
@inline
function addSingle(run: Run, x: usize, at: usize, sums: usize): void {
  const xStep = run.xStep;
  let sum = v128.load(sums);
  let other = f32x4.splat(0);
  let dy = run.dy + at;
  for (let row = run.rows; row > 0; row -= 1) {
    let from = x;
    let pixel = run.pixels;
    for (; pixel > 1; pixel -= 2) {
      sum = multiplyAdd(v128.load(from), v128.load(dy), sum);
      other = multiplyAdd(v128.load(from + xStep), v128.load(dy, PIXEL), other);
      from += 2 * xStep;
      dy += 2 * PIXEL;
    }
    if (pixel > 0) {
      sum = multiplyAdd(v128.load(from), v128.load(dy), sum);
      dy += PIXEL;
    }
    x += run.rowStep;
  }
  v128.store(sums, f32x4.add(sum, other));
}
