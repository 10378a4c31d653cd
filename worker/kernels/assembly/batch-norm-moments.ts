import { multiplyAdd } from './arithmetic';
import { int, partStart, pointer } from './call';
import { blockOf, gather, high, low } from './reduction';

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
  const wide = bytes & ~31;
  const block = blockOf(bytes, 1);
  for (let at: usize = 0; at < wide; at += 16) {
    v128.store(scratch + at, meanOfRows(x + at, min(block, count), bytes));
  }
  for (let row = 0; row < count; row += block) {
    const size = min(block, count - row);
    for (let at: usize = 0; at < wide; at += 32) {
      deviations8(x + <usize>row * bytes + at, scratch + at, moments + 2 * at, size, bytes);
    }
  }
  for (let at: usize = 0; at < wide; at += 16) settle(moments + 2 * at, v128.load(scratch + at), count, bytes);
  for (let at = wide; at < bytes; at += 4) moments1(x + at, moments + 2 * at, count, bytes);
}

function meanOfRows(x: usize, rows: i32, bytes: usize): v128 {
  let sum = f32x4.splat(0);
  for (let row = rows; row > 0; row -= 1) {
    sum = f32x4.add(sum, v128.load(x));
    x += bytes;
  }
  return f32x4.div(sum, f32x4.splat(<f32>rows));
}

/** Adds d = x − p and d² of eight channels up. */
@inline
function deviations8(x: usize, pivots: usize, moments: usize, rows: i32, bytes: usize): void {
  const squares = moments + 2 * bytes;
  const pivot = v128.load(pivots);
  const pivot2 = v128.load(pivots, 16);
  let sum = f32x4.splat(0),
    sum2 = sum,
    square = sum,
    square2 = sum;
  for (let row = rows; row > 0; row -= 1) {
    const d = f32x4.sub(v128.load(x), pivot);
    const d2 = f32x4.sub(v128.load(x, 16), pivot2);
    sum = f32x4.add(sum, d);
    sum2 = f32x4.add(sum2, d2);
    square = multiplyAdd(d, d, square);
    square2 = multiplyAdd(d2, d2, square2);
    x += bytes;
  }
  gather(moments, sum);
  gather(moments + 32, sum2);
  gather(squares, square);
  gather(squares + 32, square2);
}

/** From Σd and Σd² to mean and Σ(x − mean)² of four channels. */
function settle(moments: usize, pivot: v128, rows: i32, bytes: usize): void {
  const n = f64x2.splat(<f64>rows);
  settlePair(moments, moments + 2 * bytes, low(pivot), n);
  settlePair(moments + 16, moments + 2 * bytes + 16, high(pivot), n);
}

@inline
function settlePair(moments: usize, squares: usize, pivot: v128, n: v128): void {
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
