type Numbers = Float64Array | Int32Array | Uint8Array | Uint32Array;

/** A typed array of at least `length`, with room to grow; the given one where it is long enough. */
export function grown<T extends Numbers>(array: T, length: number): T {
  if (length <= array.length) return array;
  const Type = array.constructor as new (length: number) => T;
  const larger = new Type(Math.max(length, Math.ceil(array.length * 1.5)));
  larger.set(array);
  return larger;
}

/** Adds entry by entry, the first array grown where the second is longer. */
export function added(sums: Float64Array, more: ArrayLike<number>): Float64Array {
  const result = grown(sums, more.length);
  for (let at = 0; at < more.length; at += 1) result[at]! += more[at]!;
  return result;
}
