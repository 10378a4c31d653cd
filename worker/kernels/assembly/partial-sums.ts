import { int, partStart, pointer } from './call';

/**
 * Adds the results of parts in their order: target[i] = Σ_p source[p, i].
 *
 *   args: source [parts, length], parts, length, target [length], pieces of the work
 */
export function addPartialSums(call: usize, part: i32, scratch: usize): void {
  const source = pointer(call, 0);
  const parts = int(call, 1);
  const length = int(call, 2);
  const target = pointer(call, 3);
  const end = partStart(length, part + 1, int(call, 4), 4);
  const step = (<usize>length) << 2;
  let at = partStart(length, part, int(call, 4), 4);
  for (; at + 4 <= end; at += 4) {
    let from = source + ((<usize>at) << 2);
    let sum = v128.load(from);
    for (let other = 1; other < parts; other += 1) {
      from += step;
      sum = f32x4.add(sum, v128.load(from));
    }
    v128.store(target + ((<usize>at) << 2), sum);
  }
  for (; at < end; at += 1) {
    let from = source + ((<usize>at) << 2);
    let sum = load<f32>(from);
    for (let other = 1; other < parts; other += 1) {
      from += step;
      sum += load<f32>(from);
    }
    store<f32>(target + ((<usize>at) << 2), sum);
  }
}
