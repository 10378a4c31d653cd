import { int, partStart, pointer } from './call';

/*
 * Pooling of [images, height, width, channels] by windows that are cut off at the border of the image. All kernels
 * begin with the same arguments:
 *
 *   0 source   1 target   2 other   3 height   4 width   5 channels   6 output height   7 output width
 *   8 window height   9 window width   10 stride down   11 stride across   12 pad above   13 pad left
 *
 * Four channels are computed at once; what is left of them one by one, in the first place of a vector.
 */

const SOURCE: i32 = 0;
const TARGET: i32 = 1;
const OTHER: i32 = 2;
const CHANNELS: i32 = 5;

/** Inputs of the window of an output along one axis; the axis across is one place further in the arguments. */
@inline
function firstOf(call: usize, axis: i32, output: i32): i32 {
  return max(0, output * int(call, 10 + axis) - int(call, 12 + axis));
}

@inline
function lastOf(call: usize, axis: i32, output: i32): i32 {
  return min(int(call, 3 + axis), output * int(call, 10 + axis) - int(call, 12 + axis) + int(call, 8 + axis));
}

@inline
function read(at: usize, isOne: bool): v128 {
  return isOne ? v128.load32_zero(at) : v128.load(at);
}

@inline
function write(at: usize, value: v128, isOne: bool): void {
  if (isOne) v128.store_lane<f32>(at, value, 0);
  else v128.store(at, value);
}

/** Largest of each window; 14 images, 15 parts. */
export function maxPool(call: usize, part: i32, scratch: usize): void {
  pool(call, part, true);
}

/** Mean of what of each window lies on the image; 14 images, 15 parts. */
export function averagePool(call: usize, part: i32, scratch: usize): void {
  pool(call, part, false);
}

@inline
function pool(call: usize, part: i32, isMax: bool): void {
  const height = int(call, 3);
  const outputHeight = int(call, 6);
  const outputWidth = int(call, 7);
  const bytes = <usize>int(call, CHANNELS) << 2;
  const line = <usize>int(call, 4) * bytes;
  const lines = int(call, 14) * outputHeight;
  const end = partStart(lines, part + 1, int(call, 15), 1);
  let index = partStart(lines, part, int(call, 15), 1);
  let y = pointer(call, TARGET) + <usize>index * outputWidth * bytes;
  for (; index < end; index += 1) {
    const first = firstOf(call, 0, index % outputHeight);
    const rows = lastOf(call, 0, index % outputHeight) - first;
    const start = pointer(call, SOURCE) + <usize>(index / outputHeight * height + first) * line;
    for (let output = 0; output < outputWidth; output += 1) {
      const left = firstOf(call, 1, output);
      const columns = lastOf(call, 1, output) - left;
      const x = start + <usize>left * bytes;
      let at: usize = 0;
      for (; at + 64 <= bytes; at += 64) poolWindow16(x + at, y + at, rows, columns, line, bytes, isMax);
      for (; at + 16 <= bytes; at += 16) poolWindow(x + at, y + at, rows, columns, line, bytes, isMax, false);
      if (at < bytes && bytes > 16) { // the last four once more, with what is left
        at = bytes - 16;
        poolWindow(x + at, y + at, rows, columns, line, bytes, isMax, false);
      } else {
        for (; at < bytes; at += 4) poolWindow(x + at, y + at, rows, columns, line, bytes, isMax, true);
      }
      y += bytes;
    }
  }
}

@inline
function poolWindow16(x: usize, y: usize, rows: i32, columns: i32, line: usize, bytes: usize, isMax: bool): void {
  let a = isMax ? f32x4.splat(-Infinity) : f32x4.splat(0),
    b = a,
    c = a,
    d = a;
  for (let row = 0; row < rows; row += 1) {
    let at = x;
    for (let column = columns; column > 0; column -= 1) {
      a = isMax ? f32x4.pmax(v128.load(at), a) : f32x4.add(a, v128.load(at));
      b = isMax ? f32x4.pmax(v128.load(at, 16), b) : f32x4.add(b, v128.load(at, 16));
      c = isMax ? f32x4.pmax(v128.load(at, 32), c) : f32x4.add(c, v128.load(at, 32));
      d = isMax ? f32x4.pmax(v128.load(at, 48), d) : f32x4.add(d, v128.load(at, 48));
      at += bytes;
    }
    x += line;
  }
  if (!isMax) {
    const count = f32x4.splat(<f32>(rows * columns));
    a = f32x4.div(a, count);
    b = f32x4.div(b, count);
    c = f32x4.div(c, count);
    d = f32x4.div(d, count);
  }
  v128.store(y, a);
  v128.store(y, b, 16);
  v128.store(y, c, 32);
  v128.store(y, d, 48);
}

/** The usual window, without a loop. */
@inline
function ofSquare(x: usize, line: usize, bytes: usize, isMax: bool, isOne: bool): v128 {
  const a = read(x, isOne);
  const b = read(x + bytes, isOne);
  const c = read(x + line, isOne);
  const d = read(x + line + bytes, isOne);
  if (isMax) return f32x4.pmax(f32x4.pmax(d, c), f32x4.pmax(b, a));
  return f32x4.mul(f32x4.add(f32x4.add(a, b), f32x4.add(c, d)), f32x4.splat(0.25));
}

@inline
function poolWindow(x: usize, y: usize, rows: i32, columns: i32, line: usize, bytes: usize, isMax: bool, isOne: bool): void {
  if (rows === 2 && columns === 2) {
    write(y, ofSquare(x, line, bytes, isMax, isOne), isOne);
    return;
  }
  let result = isMax ? f32x4.splat(-Infinity) : f32x4.splat(0);
  for (let row = 0; row < rows; row += 1) {
    let at = x;
    for (let column = columns; column > 0; column -= 1) {
      const value = read(at, isOne);
      result = isMax ? f32x4.pmax(value, result) : f32x4.add(result, value);
      at += bytes;
    }
    x += line;
  }
  if (!isMax) result = f32x4.div(result, f32x4.splat(<f32>(rows * columns)));
  write(y, result, isOne);
}

/**
 * Each dy to the first largest of its window; a leading NaN counts as largest. A part is an image, or some of its
 * channels.
 *
 *   source dy, target dx, other x;  14 groups of channels
 */
export function maxPoolGradient(call: usize, part: i32, scratch: usize): void {
  poolGradient(call, part, true);
}

/** Each dy in equal shares to what of its window lies on the image; arguments as of maxPoolGradient. */
export function averagePoolGradient(call: usize, part: i32, scratch: usize): void {
  poolGradient(call, part, false);
}

@inline
function poolGradient(call: usize, part: i32, isMax: bool): void {
  const channels = int(call, CHANNELS);
  const groups = int(call, 14);
  const begin = <usize>partStart(channels, part % groups, groups, 4) << 2;
  const end = <usize>partStart(channels, (part % groups) + 1, groups, 4) << 2;
  const bytes = <usize>channels << 2;
  const line = <usize>int(call, 4) * bytes;
  const outputHeight = int(call, 6);
  const outputWidth = int(call, 7);
  const image = <usize>(part / groups * int(call, 3)) * line;
  const wide = begin + ((end - begin) & ~15);
  const isFresh = covers(call, 0) && covers(call, 1);
  if (!isFresh) clear(pointer(call, TARGET) + image, int(call, 3) * int(call, 4), bytes, begin, end);
  let dy = pointer(call, SOURCE) + <usize>(part / groups * outputHeight * outputWidth) * bytes;
  for (let index = 0; index < outputHeight; index += 1) {
    const first = firstOf(call, 0, index);
    const rows = lastOf(call, 0, index) - first;
    for (let output = 0; output < outputWidth; output += 1) {
      const left = firstOf(call, 1, output);
      const columns = lastOf(call, 1, output) - left;
      const corner = image + <usize>first * line + <usize>left * bytes;
      const x = pointer(call, OTHER) + corner;
      const dx = pointer(call, TARGET) + corner;
      let at = begin;
      for (; at < wide; at += 16) share(dy + at, x + at, dx + at, rows, columns, line, bytes, isFresh, isMax, false);
      for (; at < end; at += 4) share(dy + at, x + at, dx + at, rows, columns, line, bytes, isFresh, isMax, true);
      dy += bytes;
    }
  }
}

/** Does each input of an axis lie in one window, and one only? Then nothing has to be cleared or added to. */
function covers(call: usize, axis: i32): bool {
  const stride = int(call, 10 + axis);
  const isApart = int(call, 8 + axis) === stride && int(call, 12 + axis) === 0;
  return isApart && int(call, 3 + axis) === int(call, 6 + axis) * stride;
}

/** Zeros for some bytes of each pixel. */
function clear(x: usize, pixels: i32, bytes: usize, begin: usize, end: usize): void {
  if (end - begin === bytes) {
    memory.fill(x, 0, <usize>pixels * bytes);
    return;
  }
  for (; pixels > 0; pixels -= 1) {
    for (let at = begin; at < end; at += 4) store<f32>(x + at, 0);
    x += bytes;
  }
}

@inline
function share(dy: usize, x: usize, dx: usize, rows: i32, columns: i32, line: usize, bytes: usize, isFresh: bool, isMax: bool, isOne: bool): void {
  if (isMax) shareMax(dy, x, dx, rows, columns, line, bytes, isFresh, isOne);
  else shareEvenly(dy, dx, rows, columns, line, bytes, isFresh, isOne);
}

@inline
function shareMax(dy: usize, x: usize, dx: usize, rows: i32, columns: i32, line: usize, bytes: usize, isFresh: bool, isOne: bool): void {
  if (rows <= 0 || columns <= 0) return;
  if (rows === 2 && columns === 2) {
    shareSquare(dy, x, dx, line, bytes, isFresh, isOne);
    return;
  }
  let largest = read(x, isOne);
  let best = i32x4.splat(0);
  let tap = 0;
  for (let row = 0; row < rows; row += 1) {
    let at = x;
    for (let column = columns; column > 0; column -= 1) {
      const value = read(at, isOne);
      const isLarger = f32x4.gt(value, largest);
      largest = v128.bitselect(value, largest, isLarger);
      best = v128.bitselect(i32x4.splat(tap), best, isLarger);
      tap += 1;
      at += bytes;
    }
    x += line;
  }
  const slope = read(dy, isOne);
  tap = 0;
  for (let row = 0; row < rows; row += 1) {
    let at = dx;
    for (let column = columns; column > 0; column -= 1) {
      addTo(at, v128.and(slope, i32x4.eq(best, i32x4.splat(tap))), isFresh, isOne);
      tap += 1;
      at += bytes;
    }
    dx += line;
  }
}

/** The usual window, without a loop: the larger of each row, and the larger of both, the first of equal ones. */
@inline
function shareSquare(dy: usize, x: usize, dx: usize, line: usize, bytes: usize, isFresh: bool, isOne: bool): void {
  const a = read(x, isOne);
  const b = read(x + bytes, isOne);
  const c = read(x + line, isOne);
  const d = read(x + line + bytes, isOne);
  const isSecond = f32x4.gt(b, a);
  const isFourth = f32x4.gt(d, c);
  const isBelow = f32x4.gt(v128.bitselect(d, c, isFourth), v128.bitselect(b, a, isSecond));
  const slope = read(dy, isOne);
  const above = v128.andnot(slope, isBelow);
  const below = v128.and(slope, isBelow);
  addTo(dx, v128.andnot(above, isSecond), isFresh, isOne);
  addTo(dx + bytes, v128.and(above, isSecond), isFresh, isOne);
  addTo(dx + line, v128.andnot(below, isFourth), isFresh, isOne);
  addTo(dx + line + bytes, v128.and(below, isFourth), isFresh, isOne);
}

@inline
function addTo(at: usize, value: v128, isFresh: bool, isOne: bool): void {
  write(at, isFresh ? value : f32x4.add(read(at, isOne), value), isOne);
}

@inline
function shareEvenly(dy: usize, dx: usize, rows: i32, columns: i32, line: usize, bytes: usize, isFresh: bool, isOne: bool): void {
  const own = f32x4.mul(read(dy, isOne), f32x4.splat(<f32>1 / <f32>(rows * columns)));
  for (let row = 0; row < rows; row += 1) {
    let at = dx;
    for (let column = columns; column > 0; column -= 1) {
      addTo(at, own, isFresh, isOne);
      at += bytes;
    }
    dx += line;
  }
}
