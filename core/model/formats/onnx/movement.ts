import type { Call } from './call.ts';
import { axisAt, constantAt, integersOf, malformed } from './call.ts';
import { range, sizeOf } from './shapes.ts';

/** Shapes and ranges that an operator's arguments name, the same for constants and for tensors of a plan. */

/** Shape of a Reshape: 0 keeps an extent, −1 is what is left. */
export function reshapeTarget(call: Call, from: readonly number[]): number[] {
  const wanted = Array.from(constantAt(call, 1)?.entries ?? []);
  const keepsZero = call.node.attributes.int('allowzero', 0) === 1;
  const shape = wanted.map((extent, axis) => (extent === 0 && !keepsZero ? (from[axis] ?? 0) : extent));
  const open = shape.indexOf(-1);
  const size = sizeOf(from);
  if (open >= 0) shape[open] = size / sizeOf(shape.filter((_, axis) => axis !== open));
  if (sizeOf(shape) === size && shape.every((extent) => Number.isInteger(extent) && extent >= 0))
    return shape;
  throw malformed(
    call,
    `expected a shape of as many entries as [${from.join(', ')}], received [${wanted.slice(0, 16).join(', ')}]`,
  );
}

/** Axes of a Squeeze or a reduction as they count from the front; null for all. */
export function axesAt(call: Call, rank: number): number[] | null {
  return integersOf(call, 'axes', 1)?.map((axis) => axisAt(call, axis, rank)) ?? null;
}

export function squeezedShape(call: Call, from: readonly number[]): number[] {
  const axes = axesAt(call, from.length);
  const goes = (extent: number, axis: number) => (axes === null ? extent === 1 : axes.includes(axis));
  if (from.some((extent, axis) => goes(extent, axis) && extent !== 1)) {
    throw malformed(call, `expected axes of extent 1, received those of [${from.join(', ')}]`);
  }
  return from.filter((extent, axis) => !goes(extent, axis));
}

export function unsqueezedShape(call: Call, from: readonly number[]): number[] {
  const given = integersOf(call, 'axes', 1) ?? [];
  const rank = from.length + given.length;
  const axes = new Set(given.map((axis) => axisAt(call, axis, rank)));
  if (axes.size !== given.length) throw malformed(call, 'expected distinct axes, received one twice');
  const rest = from[Symbol.iterator]();
  return Array.from({ length: rank }, (_, axis) => (axes.has(axis) ? 1 : (rest.next().value as number)));
}

/** Extents of the parts of a Split, along an axis of `extent`. */
export function splitSizes(call: Call, extent: number): number[] {
  const count = call.node.outputs.length;
  const sizes = integersOf(call, 'split', 1) ?? evenParts(extent, count);
  if (sizes.length === count && sizes.reduce((sum, size) => sum + size, 0) === extent) return sizes;
  throw malformed(call, `expected ${count} parts of ${extent}, received [${sizes.slice(0, 16).join(', ')}]`);
}

/** The last part is smaller where they cannot all be the same. */
function evenParts(extent: number, count: number): number[] {
  const size = Math.ceil(extent / count);
  return range(count).map((part) => Math.min(size, extent - part * size));
}

/** What a Slice takes of one axis. */
export interface AxisRange {
  readonly start: number;
  readonly step: number;
  readonly length: number;
}

/** One range for each axis. */
export function sliceRanges(call: Call, shape: readonly number[]): AxisRange[] {
  const [starts, ends] = [1, 2].map((place) => Array.from(constantAt(call, place)?.entries ?? []));
  const axes = Array.from(constantAt(call, 3)?.entries ?? starts!.keys(), (axis) =>
    axisAt(call, axis, shape.length),
  );
  const steps = Array.from(constantAt(call, 4)?.entries ?? axes.map(() => 1));
  const ranges = shape.map((length): AxisRange => ({ start: 0, step: 1, length }));
  axes.forEach((axis, place) => {
    const [start, end, step] = [starts![place], ends![place], steps[place]];
    if (start === undefined || end === undefined || !step) {
      throw malformed(call, 'expected a start, an end and a step for each axis');
    }
    ranges[axis] = rangeOf(shape[axis]!, { start, end, step });
  });
  return ranges;
}

/** Ends beyond the axis are cut off, as in numpy. */
function rangeOf(
  extent: number,
  { start, end, step }: { start: number; end: number; step: number },
): AxisRange {
  const [lowest, highest] = step > 0 ? [0, extent] : [-1, extent - 1];
  const clamp = (place: number) => Math.min(Math.max(place < 0 ? place + extent : place, lowest), highest);
  const first = clamp(start);
  return { start: first, step, length: Math.max(Math.ceil((clamp(end) - first) / step), 0) };
}
