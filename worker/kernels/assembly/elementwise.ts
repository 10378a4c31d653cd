import { float, int, partStart, pointer } from './call';

/*
 * One number from each place of one or two tensors of the same shape. The last place of a part is found from the
 * length alone; parts begin at multiples of 16 numbers.
 */

const ADD: i32 = 0;
const MULTIPLY: i32 = 1;

@inline
function join(how: i32, a: v128, b: v128): v128 {
  return how === ADD ? f32x4.add(a, b) : f32x4.mul(a, b);
}

@inline
function joinOne(how: i32, a: f32, b: f32): f32 {
  return how === ADD ? a + b : a * b;
}

@inline
function pairs(call: usize, part: i32, how: i32): void {
  const first = partStart(int(call, 3), part, int(call, 4), 16);
  let left = partStart(int(call, 3), part + 1, int(call, 4), 16) - first;
  let a = pointer(call, 0) + (<usize>first << 2);
  let b = pointer(call, 1) + (<usize>first << 2);
  let y = pointer(call, 2) + (<usize>first << 2);
  for (; left >= 16; left -= 16) {
    const first = join(how, v128.load(a), v128.load(b));
    const second = join(how, v128.load(a, 16), v128.load(b, 16));
    const third = join(how, v128.load(a, 32), v128.load(b, 32));
    const fourth = join(how, v128.load(a, 48), v128.load(b, 48));
    v128.store(y, first);
    v128.store(y, second, 16);
    v128.store(y, third, 32);
    v128.store(y, fourth, 48);
    a += 64;
    b += 64;
    y += 64;
  }
  for (; left > 0; left -= 1) {
    store<f32>(y, joinOne(how, load<f32>(a), load<f32>(b)));
    a += 4;
    b += 4;
    y += 4;
  }
}

/** args: a, b, y, length, parts */
export function addPairs(call: usize, part: i32, scratch: usize): void {
  pairs(call, part, ADD);
}

/** args: a, b, y, length, parts */
export function multiplyPairs(call: usize, part: i32, scratch: usize): void {
  pairs(call, part, MULTIPLY);
}

@inline
function rows(call: usize, part: i32, how: i32): void {
  const length = int(call, 4);
  const bytes = <usize>int(call, 5) << 2;
  const wide = bytes & ~15;
  const lines = int(call, 3) * length;
  let row = partStart(lines, part, int(call, 6), 1);
  const end = partStart(lines, part + 1, int(call, 6), 1);
  let a = pointer(call, 0) + <usize>row * bytes;
  let y = pointer(call, 2) + <usize>row * bytes;
  while (row < end) {
    const b = pointer(call, 1) + <usize>(row / length) * bytes;
    const last = min(end, (row / length + 1) * length);
    for (; row < last; row += 1) {
      let at: usize = 0;
      for (; at < wide; at += 16) v128.store(y + at, join(how, v128.load(a + at), v128.load(b + at)));
      for (; at < bytes; at += 4) store<f32>(y + at, joinOne(how, load<f32>(a + at), load<f32>(b + at)));
      a += bytes;
      y += bytes;
    }
  }
}

/**
 * y[group, row, channel] = a[group, row, channel] + b[group, channel]
 *
 *   args: a, b, y, groups, rows, channels, parts
 */
export function addToRows(call: usize, part: i32, scratch: usize): void {
  rows(call, part, ADD);
}

/** y[group, row, channel] = a[group, row, channel] · b[group, channel]; args as of addToRows */
export function multiplyRows(call: usize, part: i32, scratch: usize): void {
  rows(call, part, MULTIPLY);
}

/** y = x · factor;  args: x, y, length, parts;  floats: factor */
export function scale(call: usize, part: i32, scratch: usize): void {
  const factor = float(call, 0);
  const factors = f32x4.splat(factor);
  const first = partStart(int(call, 2), part, int(call, 3), 16);
  let left = partStart(int(call, 2), part + 1, int(call, 3), 16) - first;
  let x = pointer(call, 0) + (<usize>first << 2);
  let y = pointer(call, 1) + (<usize>first << 2);
  for (; left >= 8; left -= 8) {
    v128.store(y, f32x4.mul(v128.load(x), factors));
    v128.store(y, f32x4.mul(v128.load(x, 16), factors), 16);
    x += 32;
    y += 32;
  }
  for (; left > 0; left -= 1) {
    store<f32>(y, load<f32>(x) * factor);
    x += 4;
    y += 4;
  }
}

/**
 * y = x within [lowest, highest], NaN for NaN.
 *
 *   args: x, y, length, parts;  floats: lowest, highest
 */
export function clip(call: usize, part: i32, scratch: usize): void {
  const lowest = f32x4.splat(float(call, 0));
  const highest = f32x4.splat(float(call, 1));
  const first = partStart(int(call, 2), part, int(call, 3), 16);
  let left = partStart(int(call, 2), part + 1, int(call, 3), 16) - first;
  let x = pointer(call, 0) + (<usize>first << 2);
  let y = pointer(call, 1) + (<usize>first << 2);
  for (; left >= 16; left -= 16) {
    const first = within(v128.load(x), lowest, highest);
    const second = within(v128.load(x, 16), lowest, highest);
    const third = within(v128.load(x, 32), lowest, highest);
    const fourth = within(v128.load(x, 48), lowest, highest);
    v128.store(y, first);
    v128.store(y, second, 16);
    v128.store(y, third, 32);
    v128.store(y, fourth, 48);
    x += 64;
    y += 64;
  }
  for (; left > 0; left -= 1) {
    v128.store_lane<f32>(y, within(v128.load32_zero(x), lowest, highest), 0);
    x += 4;
    y += 4;
  }
}

/** In this order pmax and pmin are one instruction each and pass NaN on. */
@inline
function within(x: v128, lowest: v128, highest: v128): v128 {
  return f32x4.pmin(f32x4.pmax(x, lowest), highest);
}

/**
 * dx = dy where x lies in [lowest, highest], else 0.
 *
 *   args: dy, x, dx, length, parts;  floats: lowest, highest
 */
export function clipGradient(call: usize, part: i32, scratch: usize): void {
  const lowest = f32x4.splat(float(call, 0));
  const highest = f32x4.splat(float(call, 1));
  const first = partStart(int(call, 3), part, int(call, 4), 16);
  let left = partStart(int(call, 3), part + 1, int(call, 4), 16) - first;
  let dy = pointer(call, 0) + (<usize>first << 2);
  let x = pointer(call, 1) + (<usize>first << 2);
  let dx = pointer(call, 2) + (<usize>first << 2);
  for (; left >= 8; left -= 8) {
    v128.store(dx, v128.and(v128.load(dy), isWithin(v128.load(x), lowest, highest)));
    v128.store(dx, v128.and(v128.load(dy, 16), isWithin(v128.load(x, 16), lowest, highest)), 16);
    dy += 32;
    x += 32;
    dx += 32;
  }
  for (; left > 0; left -= 1) {
    const slope = v128.and(v128.load32_zero(dy), isWithin(v128.load32_zero(x), lowest, highest));
    v128.store_lane<f32>(dx, slope, 0);
    dy += 4;
    x += 4;
    dx += 4;
  }
}

@inline
function isWithin(x: v128, lowest: v128, highest: v128): v128 {
  return v128.and(f32x4.ge(x, lowest), f32x4.le(x, highest));
}

/**
 * y = x where x > 0, else x · slope.
 *
 *   args: x, y, length, parts;  floats: slope
 */
export function leak(call: usize, part: i32, scratch: usize): void {
  leakBy(call, part, int(call, 2), int(call, 3), pointer(call, 0), pointer(call, 0), pointer(call, 1));
}

/**
 * dx = dy where x > 0, else dy · slope.
 *
 *   args: dy, x, dx, length, parts;  floats: slope
 */
export function leakGradient(call: usize, part: i32, scratch: usize): void {
  leakBy(call, part, int(call, 3), int(call, 4), pointer(call, 0), pointer(call, 1), pointer(call, 2));
}

@inline
function leakBy(call: usize, part: i32, length: i32, parts: i32, value: usize, x: usize, y: usize): void {
  const slope = f32x4.splat(float(call, 0));
  const zero = f32x4.splat(0);
  let at = <usize>partStart(length, part, parts, 16) << 2;
  const end = <usize>partStart(length, part + 1, parts, 16) << 2;
  for (; at + 16 <= end; at += 16) {
    const own = v128.load(value + at);
    v128.store(y + at, v128.bitselect(own, f32x4.mul(own, slope), f32x4.gt(v128.load(x + at), zero)));
  }
  for (; at < end; at += 4) {
    const own = v128.load32_zero(value + at);
    const result = v128.bitselect(own, f32x4.mul(own, slope), f32x4.gt(v128.load32_zero(x + at), zero));
    v128.store_lane<f32>(y + at, result, 0);
  }
}
