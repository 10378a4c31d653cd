/*
 * How a kernel is called: `kernel(call, part, scratch)`.
 *
 *   call     address of the arguments: 64 whole numbers, then 64 float32
 *   part     which part of the work, from 0; parts write apart from each other, in any order, on any thread
 *   scratch  address of this thread's own scratch memory, aligned to 64 bytes
 */

const FLOATS: usize = 256;

/** Whole-number argument `place`; also the address of a tensor's first element. */
@inline
export function int(call: usize, place: i32): i32 {
  return load<i32>(call + (<usize>place << 2));
}

@inline
export function pointer(call: usize, place: i32): usize {
  return <usize>load<u32>(call + (<usize>place << 2));
}

@inline
export function float(call: usize, place: i32): f32 {
  return load<f32>(call + FLOATS + (<usize>place << 2));
}

/** First of `length` items that fall to `part` of `parts`, in steps of `step`. */
@inline
export function partStart(length: i32, part: i32, parts: i32, step: i32): i32 {
  const steps = (length + step - 1) / step;
  return min(<i32>((<i64>steps * part) / parts) * step, length);
}
