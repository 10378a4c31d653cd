import { int, partStart, pointer } from './call';

/*
 * Exchange of axes. Neighbours that stay neighbours count as one axis; axes outside those that a kernel works on
 * have a size and a distance between neighbours in x and y. Sizes and distances count numbers of 4 bytes.
 */

/** Places along the innermost axis of x that are moved at a time: a cache line. */
const WIDTH: i32 = 16;

/**
 * y[i, j, a, b] = x[i, j, b, a] by squares of 4 × 4.
 *
 *   args: x, y, size of i, of j, distance of i in x, of j in x, of i in y, of j in y, size of a, of b,
 *         distance of b in x, of a in y, parts
 */
export function exchange(call: usize, part: i32, scratch: usize): void {
  const inner = int(call, 3);
  const width = int(call, 8);
  const height = int(call, 9);
  const strips = (width + WIDTH - 1) / WIDTH;
  const all = int(call, 2) * inner * strips;
  const end = partStart(all, part + 1, int(call, 12), 1);
  for (let item = partStart(all, part, int(call, 12), 1); item < end; item += 1) {
    const i = item / strips / inner;
    const j = (item / strips) % inner;
    const a = (item % strips) * WIDTH;
    const across = <usize>int(call, 10) << 2;
    const down = <usize>int(call, 11) << 2;
    const x = pointer(call, 0) + (<usize>(i * int(call, 4) + j * int(call, 5) + a) << 2);
    const y = pointer(call, 1) + (<usize>(i * int(call, 6) + j * int(call, 7)) << 2) + <usize>a * down;
    exchangeStrip(x, y, min(WIDTH, width - a), height, across, down);
  }
}

/** Blocks of 16 × 16: rows of y may lie a power of two apart, so that few of them have room in the first cache. */
function exchangeStrip(x: usize, y: usize, width: i32, height: i32, across: usize, down: usize): void {
  const wide = width & ~3;
  const squares = height & ~3;
  for (let b = 0; b < squares; b += WIDTH) {
    const count = min(WIDTH, squares - b);
    for (let a = 0; a < wide; a += 4) {
      let from = x + (<usize>a << 2) + <usize>b * across;
      let to = y + <usize>a * down + (<usize>b << 2);
      for (let left = count; left > 0; left -= 4) {
        square(from, to, across, down);
        from += 4 * across;
        to += 16;
      }
    }
  }
  for (let a = wide; a < width; a += 1) {
    exchangeLine(x + (<usize>a << 2), y + <usize>a * down, squares, across);
  }
  for (let a = 0; a < width; a += 1) {
    const from = x + (<usize>a << 2) + <usize>squares * across;
    exchangeLine(from, y + <usize>a * down + (<usize>squares << 2), height - squares, across);
  }
}

@inline
function exchangeLine(x: usize, y: usize, length: i32, across: usize): void {
  for (; length > 0; length -= 1) {
    store<u32>(y, load<u32>(x));
    x += across;
    y += 4;
  }
}

@inline
function square(x: usize, y: usize, across: usize, down: usize): void {
  const a = v128.load(x);
  const b = v128.load(x + across);
  const c = v128.load(x + 2 * across);
  const d = v128.load(x + 3 * across);
  const ab = i32x4.shuffle(a, b, 0, 4, 1, 5);
  const cd = i32x4.shuffle(c, d, 0, 4, 1, 5);
  const ab2 = i32x4.shuffle(a, b, 2, 6, 3, 7);
  const cd2 = i32x4.shuffle(c, d, 2, 6, 3, 7);
  v128.store(y, i64x2.shuffle(ab, cd, 0, 2));
  v128.store(y + down, i64x2.shuffle(ab, cd, 1, 3));
  v128.store(y + 2 * down, i64x2.shuffle(ab2, cd2, 0, 2));
  v128.store(y + 3 * down, i64x2.shuffle(ab2, cd2, 1, 3));
}

/**
 * y[i, j, k] = x[i, j, k], rows of numbers that stay next to each other. Distances may be negative: an axis then runs
 * backwards, and x or y is the address of its last place.
 *
 *   args: x, y, size of i, of j, of k, distance of i in x, of j in x, of k in x, of i in y, of j in y, of k in y,
 *         length of a row, parts
 */
export function moveRows(call: usize, part: i32, scratch: usize): void {
  const middle = int(call, 3);
  const inner = int(call, 4);
  const bytes = <usize>int(call, 11) << 2;
  const stepOfX = <usize>(int(call, 7) << 2);
  const stepOfY = <usize>(int(call, 10) << 2);
  const all = int(call, 2) * middle * inner;
  const end = partStart(all, part + 1, int(call, 12), 1);
  let row = partStart(all, part, int(call, 12), 1);
  while (row < end) {
    const i = row / inner / middle;
    const j = (row / inner) % middle;
    const k = row % inner;
    let x = pointer(call, 0) + <usize>((i * int(call, 5) + j * int(call, 6) + k * int(call, 7)) << 2);
    let y = pointer(call, 1) + <usize>((i * int(call, 8) + j * int(call, 9) + k * int(call, 10)) << 2);
    const last = min(end, row - k + inner);
    for (; row < last; row += 1) {
      moveRow(x, y, bytes);
      x += stepOfX;
      y += stepOfY;
    }
  }
}

@inline
function moveRow(x: usize, y: usize, bytes: usize): void {
  let at: usize = 0;
  for (; at + 64 <= bytes; at += 64) {
    v128.store(y + at, v128.load(x + at));
    v128.store(y + at, v128.load(x + at, 16), 16);
    v128.store(y + at, v128.load(x + at, 32), 32);
    v128.store(y + at, v128.load(x + at, 48), 48);
  }
  for (; at + 16 <= bytes; at += 16) v128.store(y + at, v128.load(x + at));
  for (; at < bytes; at += 4) store<u32>(y + at, load<u32>(x + at));
}
