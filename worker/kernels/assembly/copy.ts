/*
 * memory.copy and memory.fill are calls out of the module, some twenty nanoseconds each: too much for a few pixels.
 * Bytes are a multiple of 4.
 */

@inline
export function copyFloats(to: usize, from: usize, bytes: usize): void {
  let left = bytes;
  for (; left >= 16; left -= 16) {
    v128.store(to, v128.load(from));
    from += 16;
    to += 16;
  }
  for (; left > 0; left -= 4) {
    store<u32>(to, load<u32>(from));
    from += 4;
    to += 4;
  }
}

@inline
export function clearFloats(to: usize, bytes: usize): void {
  let left = bytes;
  for (; left >= 16; left -= 16) {
    v128.store(to, f32x4.splat(0));
    to += 16;
  }
  for (; left > 0; left -= 4) {
    store<u32>(to, 0);
    to += 4;
  }
}

/** `count` pixels of a line of `width` from `first`, 0 where they lie beyond its ends. */
export function copyPixels(line: usize, first: i32, count: i32, width: i32, bytes: usize, to: usize): void {
  const start = min(count, max(0, -first));
  const end = max(start, min(count, width - first));
  clearFloats(to, <usize>start * bytes);
  copyFloats(to + <usize>start * bytes, line + <usize>(first + start) * bytes, <usize>(end - start) * bytes);
  clearFloats(to + <usize>end * bytes, <usize>(count - end) * bytes);
}
