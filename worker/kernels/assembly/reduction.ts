import { int, partStart, pointer } from './call';

/*
 * Sums over the rows of groups of rows, [groups, rows, channels] → [groups, channels]. The rows of a group are cut
 * into pieces, as many as the shape alone decides; each piece is summed in float32 over 64 rows at a time and in
 * float64 beyond, so the order of a sum never changes and its error hardly grows with its length.
 */

/** Rows that are summed in float32 before the sum goes on in float64. */
const BLOCK: i32 = 64;

@inline
export function low(values: v128): v128 {
  return f64x2.promote_low_f32x4(values);
}

@inline
export function high(values: v128): v128 {
  return f64x2.promote_low_f32x4(i32x4.shuffle(values, values, 2, 3, 0, 1));
}

/** Adds four float32 at `values` to four float64 at `sums`. */
@inline
export function gather(sums: usize, values: v128): void {
  v128.store(sums, f64x2.add(v128.load(sums), low(values)));
  v128.store(sums, f64x2.add(v128.load(sums, 16), high(values)), 16);
}

/**
 * Sum of each piece.
 *
 *   args: x [groups, rows, channels], sums [groups · pieces, channels] float64, groups, rows, channels, pieces, parts
 */
export function columnSums(call: usize, part: i32, scratch: usize): void {
  const rows = int(call, 3);
  const channels = int(call, 4);
  const pieces = int(call, 5);
  const all = int(call, 2) * pieces;
  const parts = int(call, 6);
  const end = partStart(all, part + 1, parts, 1);
  for (let piece = partStart(all, part, parts, 1); piece < end; piece += 1) {
    const first = partStart(rows, piece % pieces, pieces, 1);
    const last = partStart(rows, (piece % pieces) + 1, pieces, 1);
    const x = pointer(call, 0) + ((<usize>(piece / pieces) * rows + first) * channels << 2);
    const sums = pointer(call, 1) + (<usize>piece * channels << 3);
    sumPiece(x, sums, last - first, channels);
  }
}

function sumPiece(x: usize, sums: usize, rows: i32, channels: i32): void {
  if (channels === 1) return store<f64>(sums, sumOfLine(x, rows));
  memory.fill(sums, 0, <usize>channels << 3);
  let channel = 0;
  for (; channel + 16 <= channels; channel += 16) {
    sumStrip16(x + (channel << 2), sums + (channel << 3), rows, channels);
  }
  for (; channel + 4 <= channels; channel += 4) {
    sumStrip4(x + (channel << 2), sums + (channel << 3), rows, channels);
  }
  for (; channel < channels; channel += 1) {
    store<f64>(sums + (channel << 3), sumOfChannel(x + (channel << 2), rows, channels));
  }
}

function sumStrip16(x: usize, sums: usize, rows: i32, channels: i32): void {
  const step = <usize>channels << 2;
  for (let left = rows; left > 0; left -= BLOCK) {
    let a = f32x4.splat(0),
      b = a,
      c = a,
      d = a;
    for (let row = min(left, BLOCK); row > 0; row -= 1) {
      a = f32x4.add(a, v128.load(x));
      b = f32x4.add(b, v128.load(x, 16));
      c = f32x4.add(c, v128.load(x, 32));
      d = f32x4.add(d, v128.load(x, 48));
      x += step;
    }
    gather(sums, a);
    gather(sums + 32, b);
    gather(sums + 64, c);
    gather(sums + 96, d);
  }
}

/** Four rows at a time, so that an addition need not await the one before. */
function sumStrip4(x: usize, sums: usize, rows: i32, channels: i32): void {
  const step = <usize>channels << 2;
  for (let left = rows; left > 0; left -= BLOCK) {
    let a = f32x4.splat(0),
      b = a,
      c = a,
      d = a;
    let row = min(left, BLOCK);
    for (; row >= 4; row -= 4) {
      a = f32x4.add(a, v128.load(x));
      b = f32x4.add(b, v128.load(x + step));
      c = f32x4.add(c, v128.load(x + 2 * step));
      d = f32x4.add(d, v128.load(x + 3 * step));
      x += 4 * step;
    }
    for (; row > 0; row -= 1) {
      a = f32x4.add(a, v128.load(x));
      x += step;
    }
    gather(sums, f32x4.add(f32x4.add(a, b), f32x4.add(c, d)));
  }
}

function sumOfChannel(x: usize, rows: i32, channels: i32): f64 {
  const step = <usize>channels << 2;
  let sum: f64 = 0;
  for (let row = rows; row > 0; row -= 1) {
    sum += load<f32>(x);
    x += step;
  }
  return sum;
}

/** Numbers that lie one after the other. */
function sumOfLine(x: usize, length: i32): f64 {
  const floats = 16 * BLOCK;
  let even = f64x2.splat(0);
  let odd = even;
  let left = length;
  while (left >= 16) {
    let a = f32x4.splat(0),
      b = a,
      c = a,
      d = a;
    const block = min(left, floats) & ~15;
    left -= block;
    for (let at = block; at > 0; at -= 16) {
      a = f32x4.add(a, v128.load(x));
      b = f32x4.add(b, v128.load(x, 16));
      c = f32x4.add(c, v128.load(x, 32));
      d = f32x4.add(d, v128.load(x, 48));
      x += 64;
    }
    const sum = f32x4.add(f32x4.add(a, b), f32x4.add(c, d));
    even = f64x2.add(even, low(sum));
    odd = f64x2.add(odd, high(sum));
  }
  const both = f64x2.add(even, odd);
  let sum = f64x2.extract_lane(both, 0) + f64x2.extract_lane(both, 1);
  for (; left > 0; left -= 1) {
    sum += load<f32>(x);
    x += 4;
  }
  return sum;
}

/**
 * Adds the sums of the pieces of each group up, in their order, into those of its first piece.
 *
 *   args: sums [groups, pieces, columns] float64, groups, pieces, columns
 */
export function addPieces(call: usize, part: i32, scratch: usize): void {
  const groups = int(call, 1);
  const pieces = int(call, 2);
  const columns = int(call, 3);
  let piece = pointer(call, 0);
  for (let group = 0; group < groups; group += 1) {
    const sums = piece;
    piece += <usize>columns << 3;
    for (let other = 1; other < pieces; other += 1) {
      for (let column = 0; column < columns; column += 1) {
        const sum = sums + (<usize>column << 3);
        store<f64>(sum, load<f64>(sum) + load<f64>(piece));
        piece += 8;
      }
    }
  }
}

/**
 * Repeats each row: y[group, row, channel] = x[group, channel] · factor.
 *
 *   args: x [groups, channels], y [groups, rows, channels], groups, rows, channels, parts;  floats: factor
 */
export function spreadRows(call: usize, part: i32, scratch: usize): void {
  const groups = int(call, 2);
  const rows = int(call, 3);
  const channels = int(call, 4);
  const parts = int(call, 5);
  const bytes = <usize>channels << 2;
  const factor = load<f32>(call + 256);
  let line = partStart(groups * rows, part, parts, 1);
  const end = partStart(groups * rows, part + 1, parts, 1);
  let y = pointer(call, 1) + <usize>line * bytes;
  while (line < end) {
    const x = pointer(call, 0) + <usize>(line / rows) * bytes;
    const last = min(end, (line / rows + 1) * rows);
    const first = y;
    for (let at: usize = 0; at < bytes; at += 4) store<f32>(y + at, load<f32>(x + at) * factor);
    y += bytes;
    for (line += 1; line < last; line += 1) {
      copyRow(first, y, bytes);
      y += bytes;
    }
  }
}

@inline
function copyRow(x: usize, y: usize, bytes: usize): void {
  let at: usize = 0;
  for (; at + 16 <= bytes; at += 16) v128.store(y + at, v128.load(x + at));
  for (; at < bytes; at += 4) store<f32>(y + at, load<f32>(x + at));
}
