/** Arithmetic of shapes and axis orders. */

export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, extent) => product * extent, 1);
}

export function range(length: number): number[] {
  return Array.from({ length }, (_, place) => place);
}

/** Distance in memory of neighbours along each axis, rows first. */
export function stridesOf(shape: readonly number[]): number[] {
  const strides = new Array<number>(shape.length);
  let stride = 1;
  for (let axis = shape.length - 1; axis >= 0; axis -= 1) {
    strides[axis] = stride;
    stride *= shape[axis]!;
  }
  return strides;
}

/** Shape that both reach by repeating axes of extent 1; null when they do not fit. */
export function broadcastShapes(a: readonly number[], b: readonly number[]): number[] | null {
  const rank = Math.max(a.length, b.length);
  const shape: number[] = [];
  for (let axis = 0; axis < rank; axis += 1) {
    const [x, y] = [a[axis - rank + a.length] ?? 1, b[axis - rank + b.length] ?? 1];
    if (x !== y && x !== 1 && y !== 1) return null;
    shape.push(x === 1 ? y : x);
  }
  return shape;
}

/** The axis as it counts from the front; NaN when there is none. */
export function axisOf(axis: number, rank: number): number {
  const counted = axis < 0 ? axis + rank : axis;
  return Number.isInteger(counted) && counted >= 0 && counted < rank ? counted : Number.NaN;
}

export function isIdentity(order: readonly number[]): boolean {
  return order.every((axis, place) => axis === place);
}

/** [0, 2, 3, 1] for images: what convolutions of the backends read. */
export function channelsLast(rank: number): number[] {
  return [0, ...range(rank).slice(2), 1];
}

/** Do two orders of the same axes differ in axes of extent 1 only, so that memory is the same? */
export function isSameMemory(shape: readonly number[], a: readonly number[], b: readonly number[]): boolean {
  const long = (order: readonly number[]) => order.filter((axis) => shape[axis] !== 1);
  const other = long(b);
  return long(a).every((axis, place) => axis === other[place]);
}

/** The order that is left when axes go. */
export function withoutAxes(order: readonly number[], axes: readonly number[]): number[] {
  return order
    .filter((axis) => !axes.includes(axis))
    .map((axis) => axis - axes.filter((gone) => gone < axis).length);
}

/**
 * The order that a tensor must have to be reshaped without moving its memory, and the order it then has.
 *
 * Axes of both shapes fall into groups of equal extent, like C | (g, C/g). Memory can stay when the axes of each
 * group lie together and in their own order; the groups may lie in any.
 */
export function reshapeOrders(
  from: { readonly shape: readonly number[]; readonly order: readonly number[] },
  to: readonly number[],
): { readonly before: number[]; readonly after: number[] } {
  const groups = groupAxes(from.shape, to);
  const stored = from.order.filter((axis) => from.shape[axis] !== 1);
  const inPlace = [...new Set(stored.map((axis) => groups.find(({ inputs }) => inputs.includes(axis))!))];
  return {
    before: withShortAxes(
      inPlace.flatMap(({ inputs }) => inputs),
      from.shape,
    ),
    after: withShortAxes(
      inPlace.flatMap(({ outputs }) => outputs),
      to,
    ),
  };
}

interface AxisGroup {
  readonly inputs: number[];
  readonly outputs: number[];
}

/** Axes of extent 1 are in no group. Both shapes have as many entries, so the groups take up all others. */
function groupAxes(from: readonly number[], to: readonly number[]): AxisGroup[] {
  const long = (shape: readonly number[]) => range(shape.length).filter((axis) => shape[axis] !== 1);
  const [inputs, outputs] = [long(from), long(to)];
  const groups: AxisGroup[] = [];
  while (inputs.length > 0) {
    const group: AxisGroup = { inputs: [inputs.shift()!], outputs: [outputs.shift()!] };
    let [left, right] = [from[group.inputs[0]!]!, to[group.outputs[0]!]!];
    while (left !== right) {
      if (left < right) {
        const axis = inputs.shift()!;
        group.inputs.push(axis);
        left *= from[axis]!;
      } else {
        const axis = outputs.shift()!;
        group.outputs.push(axis);
        right *= to[axis]!;
      }
    }
    groups.push(group);
  }
  return groups;
}

/** Axes of extent 1 may lie anywhere: each goes before the axis that follows it. */
function withShortAxes(order: readonly number[], shape: readonly number[]): number[] {
  const full = [...order];
  for (let axis = shape.length - 1; axis >= 0; axis -= 1) {
    if (shape[axis] !== 1) continue;
    const next = full.indexOf(axis + 1);
    full.splice(next < 0 ? full.length : next, 0, axis);
  }
  return full;
}
