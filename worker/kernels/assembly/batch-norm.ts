import { multiplyAdd } from './arithmetic';
import { float, int, partStart, pointer } from './call';
import { blockOf, gather } from './reduction';

/*
 * Batch norm over [rows, channels]. Wherever a mean is subtracted it is subtracted first, (x − mean) · factor + shift
 * and not x · factor + (shift − mean · factor): for a mean far above the deviation the second loses the digits.
 *
 * A relu that follows is done in the same pass. Its gradient is 0 where y, computed once more, lies outside a range.
 */

@inline
function within(y: v128, lowest: v128, highest: v128): v128 {
  return f32x4.pmin(f32x4.pmax(y, lowest), highest);
}

@inline
function isWithin(y: v128, lowest: v128, highest: v128): v128 {
  return v128.and(f32x4.ge(y, lowest), f32x4.le(y, highest));
}

/**
 * y = (x − mean) · factor + shift within a range, each of the three by channel.
 *
 *   args: x [rows, channels], mean, factor, shift, y [rows, channels], rows, channels, parts;  floats: lowest, highest
 */
export function normalize(call: usize, part: i32, scratch: usize): void {
  const bytes = <usize>int(call, 6) << 2;
  const first = partStart(int(call, 5), part, int(call, 7), 1);
  const rows = partStart(int(call, 5), part + 1, int(call, 7), 1) - first;
  const x = pointer(call, 0) + <usize>first * bytes;
  const mean = pointer(call, 1);
  const factor = pointer(call, 2);
  const shift = pointer(call, 3);
  const y = pointer(call, 4) + <usize>first * bytes;
  const lowest = f32x4.splat(float(call, 0));
  const highest = f32x4.splat(float(call, 1));
  const wide = bytes & ~31;
  const block = blockOf(bytes, 2);
  for (let row = 0; row < rows; row += block) {
    const count = min(block, rows - row);
    const start = <usize>row * bytes;
    for (let at: usize = 0; at < wide; at += 32) {
      normalize8(x + start + at, mean + at, factor + at, shift + at, y + start + at, count, bytes, lowest, highest);
    }
  }
  for (let at = wide; at < bytes; at += 4) {
    const m = load<f32>(mean + at);
    const f = load<f32>(factor + at);
    const s = load<f32>(shift + at);
    for (let row = at; row < <usize>rows * bytes; row += bytes) {
      const value = (load<f32>(x + row) - m) * f + s;
      v128.store_lane<f32>(y + row, within(f32x4.splat(value), lowest, highest), 0);
    }
  }
}

@inline
function normalize8(x: usize, mean: usize, factor: usize, shift: usize, y: usize, rows: i32, bytes: usize, lowest: v128, highest: v128): void {
  const m = v128.load(mean);
  const m2 = v128.load(mean, 16);
  const f = v128.load(factor);
  const f2 = v128.load(factor, 16);
  const s = v128.load(shift);
  const s2 = v128.load(shift, 16);
  for (let row = rows; row > 0; row -= 1) {
    v128.store(y, within(multiplyAdd(f32x4.sub(v128.load(x), m), f, s), lowest, highest));
    v128.store(y, within(multiplyAdd(f32x4.sub(v128.load(x, 16), m2), f2, s2), lowest, highest), 16);
    x += bytes;
    y += bytes;
  }
}

/**
 * dx = dy · factor − ((x − mean) · slope + shift): the gradient of training mode, whose mean and variance depend on x.
 *
 *   args: dy [rows, channels], x, mean, factor, slope, shift, dx [rows, channels], rows, channels, parts,
 *         shift of y where a relu follows, else 0;  floats: lowest and highest y that let dy through
 */
export function normalizeGradient(call: usize, part: i32, scratch: usize): void {
  const bytes = <usize>int(call, 8) << 2;
  const first = partStart(int(call, 7), part, int(call, 9), 1);
  const rows = partStart(int(call, 7), part + 1, int(call, 9), 1) - first;
  const start = <usize>first * bytes;
  const isClipped = int(call, 10) !== 0;
  const wide = bytes & ~31;
  const block = blockOf(bytes, 3);
  for (let row = 0; row < rows; row += block) {
    const count = min(block, rows - row);
    for (let at: usize = 0; at < wide; at += 32) {
      if (isClipped) gradient8(call, start + <usize>row * bytes, at, count, bytes, true);
      else gradient8(call, start + <usize>row * bytes, at, count, bytes, false);
    }
  }
  for (let at = wide; at < bytes; at += 4) {
    const mean = load<f32>(pointer(call, 2) + at);
    const factor = load<f32>(pointer(call, 3) + at);
    const slope = load<f32>(pointer(call, 4) + at);
    const shift = load<f32>(pointer(call, 5) + at);
    const shiftOfY = isClipped ? load<f32>(pointer(call, 10) + at) : 0;
    for (let row = start + at; row < start + <usize>rows * bytes; row += bytes) {
      const centred = load<f32>(pointer(call, 1) + row) - mean;
      const own = isClipped ? letThrough(call, pointer(call, 0) + row, centred * factor + shiftOfY) : load<f32>(pointer(call, 0) + row);
      store<f32>(pointer(call, 6) + row, own * factor - (centred * slope + shift));
    }
  }
}

/** dy where y lies in the range. */
@inline
function letThrough(call: usize, dy: usize, y: f32): f32 {
  return y >= float(call, 0) && y <= float(call, 1) ? load<f32>(dy) : 0;
}

/** Eight channels from `at` bytes on. */
@inline
function gradient8(call: usize, start: usize, at: usize, rows: i32, bytes: usize, isClipped: bool): void {
  let dy = pointer(call, 0) + start + at;
  let x = pointer(call, 1) + start + at;
  let dx = pointer(call, 6) + start + at;
  const mean = v128.load(pointer(call, 2) + at);
  const mean2 = v128.load(pointer(call, 2) + at, 16);
  const factor = v128.load(pointer(call, 3) + at);
  const factor2 = v128.load(pointer(call, 3) + at, 16);
  const slope = v128.load(pointer(call, 4) + at);
  const slope2 = v128.load(pointer(call, 4) + at, 16);
  const shift = v128.load(pointer(call, 5) + at);
  const shift2 = v128.load(pointer(call, 5) + at, 16);
  const shiftOfY = isClipped ? v128.load(pointer(call, 10) + at) : mean;
  const shiftOfY2 = isClipped ? v128.load(pointer(call, 10) + at, 16) : mean;
  const lowest = f32x4.splat(float(call, 0));
  const highest = f32x4.splat(float(call, 1));
  for (let row = rows; row > 0; row -= 1) {
    const centred = f32x4.sub(v128.load(x), mean);
    const centred2 = f32x4.sub(v128.load(x, 16), mean2);
    let own = v128.load(dy);
    let own2 = v128.load(dy, 16);
    if (isClipped) {
      own = v128.and(own, isWithin(multiplyAdd(centred, factor, shiftOfY), lowest, highest));
      own2 = v128.and(own2, isWithin(multiplyAdd(centred2, factor2, shiftOfY2), lowest, highest));
    }
    v128.store(dx, f32x4.sub(f32x4.mul(own, factor), multiplyAdd(centred, slope, shift)));
    v128.store(dx, f32x4.sub(f32x4.mul(own2, factor2), multiplyAdd(centred2, slope2, shift2)), 16);
    dy += bytes;
    x += bytes;
    dx += bytes;
  }
}

/**
 * Of each piece Σ dy and Σ dy · (x − mean), and where `dx` is not 0 also dx = dy · factor.
 *
 *   args: dy [rows, channels], x, mean, factor, dx, sums [pieces, 2, channels] float64, rows, channels, pieces,
 *         shift of y where a relu follows, else 0;  floats: lowest and highest y that let dy through
 */
export function normalizeSums(call: usize, part: i32, scratch: usize): void {
  const rows = int(call, 6);
  const channels = int(call, 7);
  const pieces = int(call, 8);
  const first = partStart(rows, part, pieces, 1);
  const count = partStart(rows, part + 1, pieces, 1) - first;
  const start = <usize>first * channels << 2;
  const isWritten = int(call, 4) !== 0;
  const isClipped = int(call, 9) !== 0;
  const bytes = <usize>channels << 2;
  const sums = pointer(call, 5) + 4 * <usize>part * bytes;
  memory.fill(sums, 0, 4 * bytes);
  const wide = bytes & ~31;
  const block = blockOf(bytes, 3);
  for (let row = 0; row < count; row += block) {
    const size = min(block, count - row);
    const from = start + <usize>row * bytes;
    if (isWritten && isClipped) sumBlock(call, from, sums, size, bytes, true, true);
    else if (isWritten) sumBlock(call, from, sums, size, bytes, true, false);
    else if (isClipped) sumBlock(call, from, sums, size, bytes, false, true);
    else sumBlock(call, from, sums, size, bytes, false, false);
  }
  for (let at = wide; at < bytes; at += 4) channelSums(call, start + at, at, sums + 2 * at, count, bytes);
}

@inline
function sumBlock(call: usize, from: usize, sums: usize, rows: i32, bytes: usize, isWritten: bool, isClipped: bool): void {
  const wide = bytes & ~31;
  for (let at: usize = 0; at < wide; at += 32) strip8(call, from, at, sums + 2 * at, rows, bytes, isWritten, isClipped);
}

/** Eight channels from `at` bytes on: their sums lie at `sums`, their products 2 · bytes beyond. */
@inline
function strip8(call: usize, from: usize, at: usize, sums: usize, rows: i32, bytes: usize, isWritten: bool, isClipped: bool): void {
  const products = sums + 2 * bytes;
  let dy = pointer(call, 0) + from + at;
  let x = pointer(call, 1) + from + at;
  let dx = pointer(call, 4) + from + at;
  const mean = v128.load(pointer(call, 2) + at);
  const mean2 = v128.load(pointer(call, 2) + at, 16);
  const factor = v128.load(pointer(call, 3) + at);
  const factor2 = v128.load(pointer(call, 3) + at, 16);
  const shift = isClipped ? v128.load(pointer(call, 9) + at) : mean;
  const shift2 = isClipped ? v128.load(pointer(call, 9) + at, 16) : mean;
  const lowest = f32x4.splat(float(call, 0));
  const highest = f32x4.splat(float(call, 1));
  let sum = f32x4.splat(0),
    sum2 = sum,
    product = sum,
    product2 = sum;
  for (let row = rows; row > 0; row -= 1) {
    const centred = f32x4.sub(v128.load(x), mean);
    const centred2 = f32x4.sub(v128.load(x, 16), mean2);
    let slope = v128.load(dy);
    let slope2 = v128.load(dy, 16);
    if (isClipped) {
      slope = v128.and(slope, isWithin(multiplyAdd(centred, factor, shift), lowest, highest));
      slope2 = v128.and(slope2, isWithin(multiplyAdd(centred2, factor2, shift2), lowest, highest));
    }
    sum = f32x4.add(sum, slope);
    sum2 = f32x4.add(sum2, slope2);
    product = multiplyAdd(slope, centred, product);
    product2 = multiplyAdd(slope2, centred2, product2);
    if (isWritten) {
      v128.store(dx, f32x4.mul(slope, factor));
      v128.store(dx, f32x4.mul(slope2, factor2), 16);
      dx += bytes;
    }
    dy += bytes;
    x += bytes;
  }
  gather(sums, sum);
  gather(sums + 32, sum2);
  gather(products, product);
  gather(products + 32, product2);
}

/** One channel, `at` bytes from the first; `from` is its first number. */
function channelSums(call: usize, from: usize, at: usize, sums: usize, rows: i32, bytes: usize): void {
  const mean = load<f32>(pointer(call, 2) + at);
  const factor = load<f32>(pointer(call, 3) + at);
  const isWritten = int(call, 4) !== 0;
  const isClipped = int(call, 9) !== 0;
  const shift = isClipped ? load<f32>(pointer(call, 9) + at) : 0;
  let sum: f64 = 0;
  let product: f64 = 0;
  for (let row = 0; row < rows; row += 1) {
    const dy = pointer(call, 0) + from;
    const centred = load<f32>(pointer(call, 1) + from) - mean;
    const slope = isClipped ? letThrough(call, dy, centred * factor + shift) : load<f32>(dy);
    sum += slope;
    product += <f64>slope * centred;
    if (isWritten) store<f32>(pointer(call, 4) + from, slope * factor);
    from += bytes;
  }
  store<f64>(sums, sum);
  store<f64>(sums + 2 * bytes, product);
}
