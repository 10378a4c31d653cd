import { float, int, partStart, pointer } from './call';

/*
 * Sums over the rows of groups of rows, [groups, rows, channels] → [groups, channels]. The rows of a group are cut
 * into pieces, as many as the shape alone decides; each piece is summed in float32 over 64 rows at a time and in
 * float64 beyond, so the order of a sum never changes and its error hardly grows with its length.
 */

/** Floats in a row that are summed before the sum goes on in float64. */
const BLOCK: i32 = 64;

/**
 * Rows that are read again and again, once for each strip of channels, and summed in float32 before the sum goes on
 * in float64: few enough that those of all `tensors` stay in the first cache.
 */
export function blockOf(bytes: usize, tensors: i32): i32 {
  return max(16, min(64, 24576 / tensors / <i32>bytes));
}

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
  const bytes = <usize>channels << 2;
  const block = blockOf(bytes, 1);
  const sixteens = bytes & ~63;
  const fours = bytes & ~15;
  for (let left = rows; left > 0; left -= block) {
    const count = min(left, block);
    let at: usize = 0;
    for (; at < sixteens; at += 64) sumStrip16(x + at, sums + 2 * at, count, bytes);
    for (; at < fours; at += 16) sumStrip4(x + at, sums + 2 * at, count, bytes);
    for (; at < bytes; at += 4) {
      store<f64>(sums + 2 * at, load<f64>(sums + 2 * at) + sumOfChannel(x + at, count, bytes));
    }
    x += <usize>count * bytes;
  }
}

@inline
function sumStrip16(x: usize, sums: usize, rows: i32, bytes: usize): void {
  let a = f32x4.splat(0),
    b = a,
    c = a,
    d = a;
  for (let row = rows; row > 0; row -= 1) {
    a = f32x4.add(a, v128.load(x));
    b = f32x4.add(b, v128.load(x, 16));
    c = f32x4.add(c, v128.load(x, 32));
    d = f32x4.add(d, v128.load(x, 48));
    x += bytes;
  }
  gather(sums, a);
  gather(sums + 32, b);
  gather(sums + 64, c);
  gather(sums + 96, d);
}

/** Four rows at a time, so that an addition need not await the one before. */
@inline
function sumStrip4(x: usize, sums: usize, rows: i32, bytes: usize): void {
  let a = f32x4.splat(0),
    b = a,
    c = a,
    d = a;
  let row = rows;
  for (; row >= 4; row -= 4) {
    a = f32x4.add(a, v128.load(x));
    b = f32x4.add(b, v128.load(x + bytes));
    c = f32x4.add(c, v128.load(x + 2 * bytes));
    d = f32x4.add(d, v128.load(x + 3 * bytes));
    x += 4 * bytes;
  }
  for (; row > 0; row -= 1) {
    a = f32x4.add(a, v128.load(x));
    x += bytes;
  }
  gather(sums, f32x4.add(f32x4.add(a, b), f32x4.add(c, d)));
}

function sumOfChannel(x: usize, rows: i32, bytes: usize): f64 {
  let sum: f64 = 0;
  for (let row = rows; row > 0; row -= 1) {
    sum += load<f32>(x);
    x += bytes;
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
 * y[group, column] = sums[group, piece 0, column] · factor, rounded.
 *
 *   args: sums [groups, pieces, columns] float64, y [groups, columns], groups, pieces, columns;  floats: factor
 */
export function roundSums(call: usize, part: i32, scratch: usize): void {
  const pieces = int(call, 3);
  const columns = int(call, 4);
  const factor = <f64>float(call, 0);
  let sums = pointer(call, 0);
  let y = pointer(call, 1);
  for (let group = int(call, 2); group > 0; group -= 1) {
    for (let column = 0; column < columns; column += 1) {
      store<f32>(y, <f32>(load<f64>(sums) * factor));
      sums += 8;
      y += 4;
    }
    sums += <usize>(pieces - 1) * columns << 3;
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
  const factor = float(call, 0);
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
