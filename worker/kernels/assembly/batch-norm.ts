import { int, partStart, pointer } from './call';
import { gather, high, low } from './reduction';

/*
 * Batch norm over [rows, channels]. Wherever a mean is subtracted it is subtracted first, (x − mean) · factor + shift
 * and not x · factor + (shift − mean · factor): for a mean far above the deviation the second loses the digits.
 */

const BLOCK: i32 = 64;

/**
 * y = (x − mean) · factor + shift, each of the three by channel.
 *
 *   args: x [rows, channels], mean, factor, shift, y [rows, channels], rows, channels, parts
 */
export function normalize(call: usize, part: i32, scratch: usize): void {
  const channels = int(call, 6);
  const first = partStart(int(call, 5), part, int(call, 7), 1);
  const rows = partStart(int(call, 5), part + 1, int(call, 7), 1) - first;
  const start = <usize>first * channels << 2;
  const mean = pointer(call, 1);
  const factor = pointer(call, 2);
  const shift = pointer(call, 3);
  let x = pointer(call, 0) + start;
  let y = pointer(call, 4) + start;
  const wide: usize = <usize>(channels & ~3) << 2;
  const bytes = <usize>channels << 2;
  for (let row = 0; row < rows; row += 1) {
    let at: usize = 0;
    for (; at < wide; at += 16) {
      const centred = f32x4.sub(v128.load(x + at), v128.load(mean + at));
      v128.store(y + at, f32x4.add(f32x4.mul(centred, v128.load(factor + at)), v128.load(shift + at)));
    }
    for (; at < bytes; at += 4) {
      store<f32>(y + at, (load<f32>(x + at) - load<f32>(mean + at)) * load<f32>(factor + at) + load<f32>(shift + at));
    }
    x += bytes;
    y += bytes;
  }
}

/**
 * dx = dy · factor − (x − mean) · slope − shift: the gradient of training mode, whose mean and variance depend on x.
 *
 *   args: dy [rows, channels], x, mean, factor, slope, shift, dx [rows, channels], rows, channels, parts
 */
export function normalizeGradient(call: usize, part: i32, scratch: usize): void {
  const channels = int(call, 8);
  const first = partStart(int(call, 7), part, int(call, 9), 1);
  const rows = partStart(int(call, 7), part + 1, int(call, 9), 1) - first;
  const start = <usize>first * channels << 2;
  const mean = pointer(call, 2);
  const factor = pointer(call, 3);
  const slope = pointer(call, 4);
  const shift = pointer(call, 5);
  let dy = pointer(call, 0) + start;
  let x = pointer(call, 1) + start;
  let dx = pointer(call, 6) + start;
  const wide: usize = <usize>(channels & ~3) << 2;
  const bytes = <usize>channels << 2;
  for (let row = 0; row < rows; row += 1) {
    let at: usize = 0;
    for (; at < wide; at += 16) {
      const centred = f32x4.sub(v128.load(x + at), v128.load(mean + at));
      const back = f32x4.add(f32x4.mul(centred, v128.load(slope + at)), v128.load(shift + at));
      v128.store(dx + at, f32x4.sub(f32x4.mul(v128.load(dy + at), v128.load(factor + at)), back));
    }
    for (; at < bytes; at += 4) {
      const centred = load<f32>(x + at) - load<f32>(mean + at);
      const back = centred * load<f32>(slope + at) + load<f32>(shift + at);
      store<f32>(dx + at, load<f32>(dy + at) * load<f32>(factor + at) - back);
    }
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
  let at: usize = 0;
  for (; at + 32 <= bytes; at += 32) {
    const dy = pointer(call, 0) + start + at;
    const x = pointer(call, 1) + start + at;
    if (isWritten) {
      strip8(dy, x, pointer(call, 2) + at, pointer(call, 3) + at, pointer(call, 4) + start + at, sums + 2 * at, count, bytes, true);
    } else {
      strip8(dy, x, pointer(call, 2) + at, 0, 0, sums + 2 * at, count, bytes, false);
    }
  }
  for (; at < bytes; at += 4) {
    const dx = isWritten ? pointer(call, 4) + start + at : 0;
    const factor = isWritten ? load<f32>(pointer(call, 3) + at) : 0;
    const dy = pointer(call, 0) + start + at;
    const x = pointer(call, 1) + start + at;
    channelSums(dy, x, load<f32>(pointer(call, 2) + at), factor, dx, sums + 2 * at, count, bytes);
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
  for (let left = rows; left > 0; left -= BLOCK) {
    let sum = f32x4.splat(0),
      sum2 = sum,
      product = sum,
      product2 = sum;
    for (let row = min(left, BLOCK); row > 0; row -= 1) {
      const slope = v128.load(dy);
      const slope2 = v128.load(dy, 16);
      sum = f32x4.add(sum, slope);
      sum2 = f32x4.add(sum2, slope2);
      product = f32x4.add(product, f32x4.mul(slope, f32x4.sub(v128.load(x), mean)));
      product2 = f32x4.add(product2, f32x4.mul(slope2, f32x4.sub(v128.load(x, 16), mean2)));
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

/**
 * Mean of each piece and its sum of squared deviations from that mean.
 *
 * With p near the mean, here the mean of the first rows, and d = x − p:
 *
 *   mean = p + Σd / n,   Σ(x − mean)² = Σd² − (Σd)² / n
 *
 * p is the mean of b of n rows, so (p − mean)² is at most n / b times the variance: little is lost to the difference.
 *
 *   args: x [rows, channels], moments [pieces, 2, channels] float64, rows, channels, pieces
 */
export function momentsOfPieces(call: usize, part: i32, scratch: usize): void {
  const rows = int(call, 2);
  const channels = int(call, 3);
  const pieces = int(call, 4);
  const first = partStart(rows, part, pieces, 1);
  const count = partStart(rows, part + 1, pieces, 1) - first;
  const bytes = <usize>channels << 2;
  const x = pointer(call, 0) + <usize>first * bytes;
  const moments = pointer(call, 1) + 4 * <usize>part * bytes;
  memory.fill(moments, 0, 4 * bytes);
  let at: usize = 0;
  for (; at + 32 <= bytes; at += 32) moments8(x + at, moments + 2 * at, count, bytes);
  for (; at < bytes; at += 4) moments1(x + at, moments + 2 * at, count, bytes);
}

function moments8(x: usize, moments: usize, rows: i32, bytes: usize): void {
  const squares = moments + 2 * bytes;
  let pivot = f32x4.splat(0);
  let pivot2 = pivot;
  let row = x;
  const near = min(rows, BLOCK);
  for (let at = near; at > 0; at -= 1) {
    pivot = f32x4.add(pivot, v128.load(row));
    pivot2 = f32x4.add(pivot2, v128.load(row, 16));
    row += bytes;
  }
  const count = f32x4.splat(<f32>near);
  pivot = f32x4.div(pivot, count);
  pivot2 = f32x4.div(pivot2, count);
  for (let left = rows; left > 0; left -= BLOCK) {
    let sum = f32x4.splat(0),
      sum2 = sum,
      square = sum,
      square2 = sum;
    for (let at = min(left, BLOCK); at > 0; at -= 1) {
      const d = f32x4.sub(v128.load(x), pivot);
      const d2 = f32x4.sub(v128.load(x, 16), pivot2);
      sum = f32x4.add(sum, d);
      sum2 = f32x4.add(sum2, d2);
      square = f32x4.add(square, f32x4.mul(d, d));
      square2 = f32x4.add(square2, f32x4.mul(d2, d2));
      x += bytes;
    }
    gather(moments, sum);
    gather(moments + 32, sum2);
    gather(squares, square);
    gather(squares + 32, square2);
  }
  const n = f64x2.splat(<f64>rows);
  settle(moments, squares, low(pivot), n);
  settle(moments + 16, squares + 16, high(pivot), n);
  settle(moments + 32, squares + 32, low(pivot2), n);
  settle(moments + 48, squares + 48, high(pivot2), n);
}

/** From Σd and Σd² to mean and Σ(x − mean)². */
@inline
function settle(moments: usize, squares: usize, pivot: v128, n: v128): void {
  const sum = v128.load(moments);
  const mean = f64x2.div(sum, n);
  v128.store(squares, f64x2.sub(v128.load(squares), f64x2.mul(sum, mean)));
  v128.store(moments, f64x2.add(pivot, mean));
}

function moments1(x: usize, moments: usize, rows: i32, bytes: usize): void {
  let sum: f64 = 0;
  let at = x;
  for (let row = 0; row < rows; row += 1) {
    sum += load<f32>(at);
    at += bytes;
  }
  const mean = sum / <f64>rows;
  let squares: f64 = 0;
  for (let row = 0; row < rows; row += 1) {
    const d = <f64>load<f32>(x) - mean;
    squares += d * d;
    x += bytes;
  }
  store<f64>(moments, mean);
  store<f64>(moments + 2 * bytes, squares);
}

/**
 * Moments of all rows from those of the pieces, one after the other, into those of the first (Chan, Golub and LeVeque,
 * "Updating formulae and a pairwise algorithm for computing sample variances", 1979).
 *
 *   args: moments [pieces, 2, channels] float64, rows, channels, pieces
 */
export function joinMoments(call: usize, part: i32, scratch: usize): void {
  const rows = int(call, 1);
  const channels = int(call, 2);
  const pieces = int(call, 3);
  const line = <usize>channels << 3;
  const all = pointer(call, 0);
  for (let piece = 1; piece < pieces; piece += 1) {
    const before = <f64>partStart(rows, piece, pieces, 1);
    const after = <f64>partStart(rows, piece + 1, pieces, 1);
    const weight = (after - before) / after;
    let own = all + 2 * <usize>piece * line;
    let joint = all;
    for (let channel = 0; channel < channels; channel += 1) {
      const mean = load<f64>(joint);
      const apart = load<f64>(own) - mean;
      store<f64>(joint, mean + apart * weight);
      const squares = load<f64>(joint + line) + load<f64>(own + line);
      store<f64>(joint + line, squares + apart * apart * before * weight);
      own += 8;
      joint += 8;
    }
  }
}
