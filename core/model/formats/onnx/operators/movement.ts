import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { ownEntry } from '../../../own-entry.ts';
import type { Call, Operator } from '../call.ts';
import { axisAt, constantAt, knownAt, malformed, slotAt, unsupported, valueAt } from '../call.ts';
import { storedShape } from '../lowering.ts';
import type { AxisRange } from '../movement.ts';
import { reshapeTarget, sliceRanges, splitSizes, squeezedShape, unsqueezedShape } from '../movement.ts';
import {
  broadcastShapes,
  isIdentity,
  isSameMemory,
  range,
  reshapeOrders,
  sizeOf,
  withoutAxes,
} from '../shapes.ts';
import type { Slot, Value } from '../values.ts';

/** Operators that give entries other places. */
export const MOVEMENT: Readonly<Record<string, Operator>> = {
  Reshape: (call) => [reshape(call, reshapeTarget(call, slotAt(call, 0).shape))],
  Flatten: (call) => {
    const { shape } = slotAt(call, 0);
    const axis = call.node.attributes.int('axis', 1);
    const split = axis < 0 ? axis + shape.length : axis;
    return [reshape(call, [sizeOf(shape.slice(0, split)), sizeOf(shape.slice(split))])];
  },
  Squeeze: (call) => [reshape(call, squeezedShape(call, slotAt(call, 0).shape))],
  Unsqueeze: (call) => [reshape(call, unsqueezedShape(call, slotAt(call, 0).shape))],
  Transpose: (call) => {
    const slot = slotAt(call, 0);
    const axes = call.node.attributes.ints('perm') ?? range(slot.shape.length).reverse();
    if (axes.length !== slot.shape.length || !isIdentity(axes.toSorted((a, b) => a - b))) {
      throw malformed(call, `expected a permutation of axes, received [${axes.join(', ')}]`);
    }
    const shape = axes.map((axis) => slot.shape[axis]!);
    return [{ ...slot, shape, order: slot.order.map((axis) => axes.indexOf(axis)) }];
  },
  Expand: (call) => {
    const shape = broadcastShapes(slotAt(call, 0).shape, Array.from(knownAt(call, 1).entries));
    if (shape === null) throw malformed(call, 'expected a shape that the input broadcasts to');
    const slot = reshape(call, [
      ...range(shape.length - slotAt(call, 0).shape.length).map(() => 1),
      ...slotAt(call, 0).shape,
    ]);
    return [
      repeat(
        call,
        slot,
        shape.map((extent, axis) => extent / slot.shape[axis]!),
      ),
    ];
  },
  Tile: (call) => [repeat(call, slotAt(call, 0), Array.from(knownAt(call, 1).entries))],
  Concat: (call) => [concat(call)],
  Split: split,
  Slice: (call) => [slice(call, slotAt(call, 0), sliceRanges(call, slotAt(call, 0).shape))],
  Gather: (call) => [gather(call)],
  Pad: (call) => [pad(call)],
};

function reshape(call: Call, shape: readonly number[]): Slot {
  const { lowering } = call;
  const slot = slotAt(call, 0);
  const { before, after } = reshapeOrders(slot, shape);
  const from = isSameMemory(slot.shape, slot.order, before) ? slot : lowering.ordered(slot, before);
  const stored = after.map((axis) => shape[axis]!);
  if (storedShape(from).join() === stored.join()) return { ...from, shape, order: after };
  return lowering.emit(call.node.op, [from], { shape, order: after, run: ([x]) => tf.reshape(x!, stored) });
}

function repeat(call: Call, slot: Slot, repeats: readonly number[]): Slot {
  if (repeats.length !== slot.shape.length) throw malformed(call, 'expected one number for each axis');
  if (repeats.every((times) => times === 1)) return slot;
  const { order } = slot;
  const stored = order.map((axis) => repeats[axis]!);
  const shape = slot.shape.map((extent, axis) => extent * repeats[axis]!);
  return call.lowering.emit(call.node.op, [slot], { shape, order, run: ([x]) => tf.tile(x!, stored) });
}

function concat(call: Call): Value {
  const { lowering, node } = call;
  const first = valueAt(call, 0);
  const values = call.inputs.map((_, place) => valueAt(call, place));
  if (values.length === 1) return first;
  const axis = axisAt(call, node.attributes.int('axis', 0), first.shape.length);
  const isFit = ({ shape }: Value) =>
    shape.length === first.shape.length &&
    shape.every((extent, at) => at === axis || extent === first.shape[at]);
  if (!values.every(isFit)) throw malformed(call, 'expected shapes that fit together');
  const moved = values.find((value) => value.type === 'slot' && !isIdentity(value.order)) as Slot | undefined;
  const order = moved?.order ?? range(first.shape.length);
  const slots = values.map((value) => lowering.ordered(value, order));
  const shape = first.shape.map((extent, at) =>
    at === axis ? values.reduce((sum, value) => sum + value.shape[at]!, 0) : extent,
  );
  const stored = order.indexOf(axis);
  const run = (parts: readonly Tensor[]) => tf.concat([...parts], stored);
  return lowering.emit(node.op, slots, { shape, order, run });
}

function split(call: Call): readonly Slot[] {
  const { lowering, node } = call;
  const slot = slotAt(call, 0);
  const { order } = slot;
  const axis = axisAt(call, node.attributes.int('axis', 0), slot.shape.length);
  const sizes = splitSizes(call, slot.shape[axis]!);
  const outputs = sizes.map((size) => ({ shape: slot.shape.with(axis, size), order }));
  const stored = order.indexOf(axis);
  return lowering.emitAll(node.op, [slot], { outputs, run: ([x]) => tf.split(x!, sizes, stored) });
}

/** One step where every step of the range is 1, else entries picked axis by axis. */
function slice(call: Call, slot: Slot, ranges: readonly AxisRange[]): Slot {
  const { lowering, node } = call;
  const isWhole = ({ step, length }: AxisRange, axis: number) => step === 1 && length === slot.shape[axis];
  const isStepped = ({ step, length }: AxisRange) => step !== 1 && length > 1;
  const strided = ranges.findIndex(isStepped);
  if (strided >= 0) {
    const { start, step, length } = ranges[strided]!;
    const picked = pick(call, slot, { axis: strided, indices: range(length).map((at) => start + at * step) });
    return slice(call, picked, ranges.with(strided, { start: 0, step: 1, length }));
  }
  if (ranges.every(isWhole)) return slot;
  const { order } = slot;
  const begins = order.map((axis) => ranges[axis]!.start);
  const sizes = order.map((axis) => ranges[axis]!.length);
  const shape = ranges.map(({ length }) => length);
  return lowering.emit(node.op, [slot], { shape, order, run: ([x]) => tf.slice(x!, begins, sizes) });
}

interface Picking {
  readonly axis: number;
  readonly indices: readonly number[];
}

/** Entries of one axis by index. */
function pick(call: Call, slot: Slot, { axis, indices }: Picking): Slot {
  const { lowering, node } = call;
  const { order } = slot;
  const shape = slot.shape.with(axis, indices.length);
  const stored = order.indexOf(axis);
  const run = ([x]: readonly Tensor[]) => tf.gather(x!, tf.tensor1d([...indices], 'int32'), stored);
  return lowering.emit(node.op, [slot], { shape, order, run });
}

function gather(call: Call): Slot {
  const { lowering, node } = call;
  const slot = slotAt(call, 0);
  const at = knownAt(call, 1);
  const axis = axisAt(call, node.attributes.int('axis', 0), slot.shape.length);
  const extent = slot.shape[axis]!;
  const indices = Array.from(at.entries, (index) => (index < 0 ? index + extent : index));
  if (indices.some((index) => !(index >= 0 && index < extent))) {
    throw malformed(call, `expected indices into ${extent}`);
  }
  const isOne = at.shape.length === 0;
  const from = isOne || at.shape.length === 1 ? slot : lowering.plain(slot);
  const picked = isOne
    ? slice(
        call,
        from,
        slot.shape.map((length, each) =>
          each === axis ? { start: indices[0]!, step: 1, length: 1 } : { start: 0, step: 1, length },
        ),
      )
    : pick(call, from, { axis, indices });
  const shape = [...slot.shape.slice(0, axis), ...at.shape, ...slot.shape.slice(axis + 1)];
  if (at.shape.length === 1) return picked;
  const order = isOne ? withoutAxes(picked.order, [axis]) : range(shape.length);
  const stored = order.map((each) => shape[each]!);
  return lowering.emit(node.op, [picked], { shape, order, run: ([x]) => tf.reshape(x!, stored) });
}

/** Where an axis of `extent` has its entries from once `before` and `after` are added; null for the fill. */
const SOURCES: Readonly<Record<string, (place: number, extent: number) => number>> = {
  edge: (place, extent) => Math.min(Math.max(place, 0), extent - 1),
  reflect: (place, extent) => {
    const period = Math.max(2 * (extent - 1), 1);
    const at = ((place % period) + period) % period;
    return at < extent ? at : period - at;
  },
  wrap: (place, extent) => ((place % extent) + extent) % extent,
};

function pad(call: Call): Slot {
  const { lowering, node } = call;
  const slot = slotAt(call, 0);
  const rank = slot.shape.length;
  const pads = Array.from(constantAt(call, 1)?.entries ?? []);
  const axes = Array.from(constantAt(call, 3)?.entries ?? range(rank), (axis) => axisAt(call, axis, rank));
  if (pads.length !== 2 * axes.length || pads.some((width) => width < 0)) {
    throw unsupported(call, 'expected two widths of 0 or more for each axis');
  }
  const widths = range(rank).map((): [number, number] => [0, 0]);
  axes.forEach((axis, place) => {
    widths[axis] = [pads[place]!, pads[place + axes.length]!];
  });
  const mode = node.attributes.text('mode', 'constant');
  if (widths.every(([before, after]) => before + after === 0)) return slot;
  if (mode === 'constant') {
    const { order } = slot;
    const fill = constantAt(call, 2)?.entries[0] ?? 0;
    const stored = order.map((axis) => widths[axis]!);
    const shape = slot.shape.map((extent, axis) => extent + widths[axis]![0] + widths[axis]![1]);
    return lowering.emit(node.op, [slot], { shape, order, run: ([x]) => tf.pad(x!, stored, fill) });
  }
  const source = ownEntry(SOURCES, mode);
  if (source === undefined)
    throw unsupported(call, `expected mode constant, edge, reflect or wrap, received ${mode}`);
  return widths.reduce((padded, [before, after], axis) => {
    const extent = slot.shape[axis]!;
    if (before + after === 0) return padded;
    const indices = range(before + extent + after).map((place) => source(place - before, extent));
    return pick(call, padded, { axis, indices });
  }, slot);
}
