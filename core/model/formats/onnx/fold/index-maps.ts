import { stridesOf } from '../shapes.ts';
import type { Constant } from '../values.ts';
import { makeConstant } from '../values.ts';

/** Calls `use` for each place of a shape, rows first; `place` is reused between calls. */
export function eachPlace(
  shape: readonly number[],
  use: (place: readonly number[], index: number) => void,
): void {
  const size = shape.reduce((product, extent) => product * extent, 1);
  const place = new Array<number>(shape.length).fill(0);
  for (let index = 0; index < size; index += 1) {
    use(place, index);
    for (let axis = shape.length - 1; axis >= 0; axis -= 1) {
      place[axis]! += 1;
      if (place[axis]! < shape[axis]!) break;
      place[axis] = 0;
    }
  }
}

/** A constant of another shape whose entries are entries of the first; `from` gives the place of each there. */
export function picked(
  source: Constant,
  shape: readonly number[],
  from: (place: readonly number[]) => readonly number[],
): Constant {
  const strides = stridesOf(source.shape);
  const entries = new Float64Array(shape.reduce((product, extent) => product * extent, 1));
  eachPlace(shape, (place, index) => {
    let offset = 0;
    const at = from(place);
    for (let axis = 0; axis < strides.length; axis += 1) offset += at[axis]! * strides[axis]!;
    entries[index] = source.entries[offset]!;
  });
  return makeConstant(source.kind, shape, entries);
}

/** Entries in another order of axes. */
export function permuted(source: Constant, order: readonly number[]): Constant {
  const place = new Array<number>(order.length);
  return picked(
    source,
    order.map((axis) => source.shape[axis]!),
    (at) => {
      for (let axis = 0; axis < order.length; axis += 1) place[order[axis]!] = at[axis]!;
      return place;
    },
  );
}

/** Repeats axes of extent 1 until the shape is reached. */
export function broadcast(source: Constant, shape: readonly number[]): Constant {
  const lead = shape.length - source.shape.length;
  const place = new Array<number>(source.shape.length);
  return picked(source, shape, (at) => {
    for (let axis = 0; axis < place.length; axis += 1) {
      place[axis] = source.shape[axis] === 1 ? 0 : at[axis + lead]!;
    }
    return place;
  });
}
