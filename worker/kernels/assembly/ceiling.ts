import { multiplyAdd } from './arithmetic';
import { float, int, pointer } from './call';

/**
 * The most that one thread can multiply and add: 12 chains in registers, no memory.
 * 96 floating-point operations a round.
 *
 *   args: rounds, result [1];  floats: start
 */
export function ceiling(call: usize, part: i32, scratch: usize): void {
  const factor = f32x4.splat(float(call, 0));
  let a = factor,
    b = factor,
    c = factor,
    d = factor,
    e = factor,
    f = factor;
  let g = factor,
    h = factor,
    i = factor,
    j = factor,
    k = factor,
    l = factor;
  for (let round = int(call, 0); round > 0; round -= 1) {
    a = multiplyAdd(a, factor, factor);
    b = multiplyAdd(b, factor, factor);
    c = multiplyAdd(c, factor, factor);
    d = multiplyAdd(d, factor, factor);
    e = multiplyAdd(e, factor, factor);
    f = multiplyAdd(f, factor, factor);
    g = multiplyAdd(g, factor, factor);
    h = multiplyAdd(h, factor, factor);
    i = multiplyAdd(i, factor, factor);
    j = multiplyAdd(j, factor, factor);
    k = multiplyAdd(k, factor, factor);
    l = multiplyAdd(l, factor, factor);
  }
  const sum = f32x4.add(
    f32x4.add(f32x4.add(f32x4.add(a, b), f32x4.add(c, d)), f32x4.add(e, f)),
    f32x4.add(f32x4.add(f32x4.add(g, h), f32x4.add(i, j)), f32x4.add(k, l)),
  );
  store<f32>(pointer(call, 1), f32x4.extract_lane(sum, 0));
}
