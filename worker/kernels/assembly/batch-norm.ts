import { multiplyAdd } from './arithmetic';
import { int, partStart, pointer } from './call';
import { blockOf, gather } from './reduction';

/*
 * Batch norm over [rows, channels]. Wherever a mean is subtracted it is subtracted first, (x − mean) · factor + shift
 * and not x · factor + (shift − mean · factor): for a mean far above the deviation the second loses the digits.
 */

/**
 * y = (x − mean) · factor + shift, each of the three by channel.
 *
 *   args: x [rows, channels], mean, factor, shift, y [rows, channels], rows, channels, parts
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
  const wide = bytes & ~31;
  const block = blockOf(bytes, 2);
  for (let row = 0; row < rows; row += block) {
    const count = min(block, rows - row);
    const start = <usize>row * bytes;
    for (let at: usize = 0; at < wide; at += 32) {
      normalize8(x + start + at, mean + at, factor + at, shift + at, y + start + at, count, bytes);
    }
  }
  for (let at = wide; at < bytes; at += 4) {
    const m = load<f32>(mean + at);
    const f = load<f32>(factor + at);
    const s = load<f32>(shift + at);
    for (let row = at; row < <usize>rows * bytes; row += bytes) {
      store<f32>(y + row, (load<f32>(x + row) - m) * f + s);
    }
  }
}

@inline
function normalize8(x: usize, mean: usize, factor: usize, shift: usize, y: usize, rows: i32, bytes: usize): void {
  const m = v128.load(mean);
  const m2 = v128.load(mean, 16);
  const f = v128.load(factor);
  const f2 = v128.load(factor, 16);
  const s = v128.load(shift);
  const s2 = v128.load(shift, 16);
  for (let row = rows; row > 0; row -= 1) {
    v128.store(y, multiplyAdd(f32x4.sub(v128.load(x), m), f, s));
    v128.store(y, multiplyAdd(f32x4.sub(v128.load(x, 16), m2), f2, s2), 16);
    x += bytes;
    y += bytes;
  }
}

/**
 * dx = dy · factor − ((x − mean) · slope + shift): the gradient of training mode, whose mean and variance depend on x.
 *
 *   args: dy [rows, channels], x, mean, factor, slope, shift, dx [rows, channels], rows, channels, parts
 */
export function normalizeGradient(call: usize, part: i32, scratch: usize): void {
  const bytes = <usize>int(call, 8) << 2;
  const first = partStart(int(call, 7), part, int(call, 9), 1);
  const rows = partStart(int(call, 7), part + 1, int(call, 9), 1) - first;
  const start = <usize>first * bytes;
  const wide = bytes & ~31;
  const block = blockOf(bytes, 3);
  for (let row = 0; row < rows; row += block) {
    const count = min(block, rows - row);
    for (let at: usize = 0; at < wide; at += 32) gradient8(call, start + <usize>row * bytes, at, count, bytes);
  }
  for (let at = wide; at < bytes; at += 4) {
    const mean = load<f32>(pointer(call, 2) + at);
    const factor = load<f32>(pointer(call, 3) + at);
    const slope = load<f32>(pointer(call, 4) + at);
    const shift = load<f32>(pointer(call, 5) + at);
    for (let row = start + at; row < start + <usize>rows * bytes; row += bytes) {
      const back = (load<f32>(pointer(call, 1) + row) - mean) * slope + shift;
      store<f32>(pointer(call, 6) + row, load<f32>(pointer(call, 0) + row) * factor - back);
    }
  }
}

/** Eight channels from `at` bytes on. */
function gradient8(call: usize, start: usize, at: usize, rows: i32, bytes: usize): void {
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
  for (let row = rows; row > 0; row -= 1) {
    const back = multiplyAdd(f32x4.sub(v128.load(x), mean), slope, shift);
    const back2 = multiplyAdd(f32x4.sub(v128.load(x, 16), mean2), slope2, shift2);
    v128.store(dx, f32x4.sub(f32x4.mul(v128.load(dy), factor), back));
    v128.store(dx, f32x4.sub(f32x4.mul(v128.load(dy, 16), factor2), back2), 16);
    dy += bytes;
    x += bytes;
    dx += bytes;
  }
}

/**
 * Of each piece Σ dy and Σ dy · (x − mean), and where `dx` is not 0 also dx = dy · factor.
 *
 *   args: dy [rows, channels], x, mean, factor, dx, sums [pieces, 2, channels] float64, rows, channels, pieces
 */
export function normalizeSums(call: usize, part: i32, scratch: usize): void {
  const rows = int(call, 6);
  const channels = int(call, 7);
  const pieces = int(call, 8);
  const first = partStart(rows, part, pieces, 1);
  const count = partStart(rows, part + 1, pieces, 1) - first;
  const start = <usize>first * channels << 2;
  const isWritten = int(call, 4) !== 0;
  const bytes = <usize>channels << 2;
  const sums = pointer(call, 5) + 4 * <usize>part * bytes;
  memory.fill(sums, 0, 4 * bytes);
  const wide = bytes & ~31;
  const block = blockOf(bytes, 3);
  for (let row = 0; row < count; row += block) {
    const size = min(block, count - row);
    const from = start + <usize>row * bytes;
    if (isWritten) sumBlock(call, from, sums, size, bytes, true);
    else sumBlock(call, from, sums, size, bytes, false);
  }
  for (let at = wide; at < bytes; at += 4) {
    const dx = isWritten ? pointer(call, 4) + start + at : 0;
    const factor = isWritten ? load<f32>(pointer(call, 3) + at) : 0;
    const dy = pointer(call, 0) + start + at;
    const x = pointer(call, 1) + start + at;
    channelSums(dy, x, load<f32>(pointer(call, 2) + at), factor, dx, sums + 2 * at, count, bytes);
  }
}

@inline
function sumBlock(call: usize, from: usize, sums: usize, rows: i32, bytes: usize, isWritten: bool): void {
  const wide = bytes & ~31;
  const dy = pointer(call, 0) + from;
  const x = pointer(call, 1) + from;
  const mean = pointer(call, 2);
  const factor = pointer(call, 3);
  const dx = pointer(call, 4) + from;
  for (let at: usize = 0; at < wide; at += 32) {
    strip8(dy + at, x + at, mean + at, factor + at, dx + at, sums + 2 * at, rows, bytes, isWritten);
  }
}

/** Eight channels: their sums lie at `sums`, their products 2 · bytes beyond. */
@inline
function strip8(dy: usize, x: usize, means: usize, factors: usize, dx: usize, sums: usize, rows: i32, bytes: usize, isWritten: bool): void {
  const products = sums + 2 * bytes;
  const mean = v128.load(means);
  const mean2 = v128.load(means, 16);
  const factor = isWritten ? v128.load(factors) : mean;
  const factor2 = isWritten ? v128.load(factors, 16) : mean;
  let sum = f32x4.splat(0),
    sum2 = sum,
    product = sum,
    product2 = sum;
  for (let row = rows; row > 0; row -= 1) {
    const slope = v128.load(dy);
    const slope2 = v128.load(dy, 16);
    sum = f32x4.add(sum, slope);
    sum2 = f32x4.add(sum2, slope2);
    product = multiplyAdd(slope, f32x4.sub(v128.load(x), mean), product);
    product2 = multiplyAdd(slope2, f32x4.sub(v128.load(x, 16), mean2), product2);
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

function channelSums(dy: usize, x: usize, mean: f32, factor: f32, dx: usize, sums: usize, rows: i32, bytes: usize): void {
  let sum: f64 = 0;
  let product: f64 = 0;
  for (let row = 0; row < rows; row += 1) {
    const slope = load<f32>(dy);
    sum += slope;
    product += <f64>slope * (load<f32>(x) - mean);
    if (dx !== 0) {
      store<f32>(dx, slope * factor);
      dx += bytes;
    }
    dy += bytes;
    x += bytes;
  }
  store<f64>(sums, sum);
  store<f64>(sums + 2 * bytes, product);
}
