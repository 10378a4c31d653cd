import { int, partStart, pointer } from './call';

/** First byte of the last whole vector of a row, or of what there is. */
@inline
function vectorAt(at: usize, bytes: usize): usize {
  return min(at, bytes - 16);
}

/**
 * y[group, channel] = largest x[group, row, channel]; NaN where there is one.
 *
 *   args: x [groups, rows, channels], y [groups, channels], groups, rows, channels >= 4, parts
 */
export function columnMaxima(call: usize, part: i32, scratch: usize): void {
  const rows = int(call, 3);
  const bytes = <usize>int(call, 4) << 2;
  const end = partStart(int(call, 2), part + 1, int(call, 5), 1);
  for (let group = partStart(int(call, 2), part, int(call, 5), 1); group < end; group += 1) {
    const x = pointer(call, 0) + <usize>group * rows * bytes;
    const y = pointer(call, 1) + <usize>group * bytes;
    for (let at: usize = 0; at < bytes; at += 16) {
      const place = vectorAt(at, bytes);
      v128.store(y + place, largestOf(x + place, rows, bytes));
    }
  }
}

@inline
function largestOf(x: usize, rows: i32, bytes: usize): v128 {
  let largest = v128.load(x);
  for (let row = rows; row > 1; row -= 1) {
    x += bytes;
    largest = f32x4.max(largest, v128.load(x));
  }
  return largest;
}

/**
 * dx = dy where x is the largest of its group and channel, else 0.
 *
 *   args: x [groups, rows, channels], y [groups, channels], dy [groups, channels], dx [groups, rows, channels],
 *         groups, rows, channels >= 4, parts
 */
export function columnMaximaGradient(call: usize, part: i32, scratch: usize): void {
  const rows = int(call, 5);
  const bytes = <usize>int(call, 6) << 2;
  const lines = int(call, 4) * rows;
  const end = partStart(lines, part + 1, int(call, 7), 1);
  for (let line = partStart(lines, part, int(call, 7), 1); line < end; line += 1) {
    const x = pointer(call, 0) + <usize>line * bytes;
    const dx = pointer(call, 3) + <usize>line * bytes;
    const y = pointer(call, 1) + <usize>(line / rows) * bytes;
    const dy = pointer(call, 2) + <usize>(line / rows) * bytes;
    for (let at: usize = 0; at < bytes; at += 16) {
      const place = vectorAt(at, bytes);
      const isLargest = f32x4.eq(v128.load(x + place), v128.load(y + place));
      v128.store(dx + place, v128.and(v128.load(dy + place), isLargest));
    }
  }
}
