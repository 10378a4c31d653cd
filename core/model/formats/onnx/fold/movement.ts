import type { Call, Operator } from '../call.ts';
import { axisAt, knownAt, malformed, unsupported } from '../call.ts';
import { reshapeTarget, sliceRanges, splitSizes, squeezedShape, unsqueezedShape } from '../movement.ts';
import { broadcastShapes, range, sizeOf, stridesOf } from '../shapes.ts';
import type { Constant } from '../values.ts';
import { makeConstant } from '../values.ts';
import { broadcast, eachPlace, permuted, picked } from './index-maps.ts';

/** Constants whose entries are those of others, in other places. */
export const MOVEMENT: Readonly<Record<string, Operator>> = {
  Reshape: (call) => [withShape(source(call), reshapeTarget(call, source(call).shape))],
  Flatten: (call) => {
    const { shape } = source(call);
    const axis = call.node.attributes.int('axis', 1);
    const split = axis < 0 ? axis + shape.length : axis;
    return [withShape(source(call), [sizeOf(shape.slice(0, split)), sizeOf(shape.slice(split))])];
  },
  Squeeze: (call) => [withShape(source(call), squeezedShape(call, source(call).shape))],
  Unsqueeze: (call) => [withShape(source(call), unsqueezedShape(call, source(call).shape))],
  Transpose: (call) => {
    const constant = source(call);
    const order = call.node.attributes.ints('perm') ?? range(constant.shape.length).reverse();
    if (order.toSorted((a, b) => a - b).some((axis, place) => axis !== place)) {
      throw malformed(call, `expected a permutation of axes, received [${order.join(', ')}]`);
    }
    return [take(call, permuted(constant, order))];
  },
  Expand: (call) => {
    const constant = source(call);
    const shape = broadcastShapes(constant.shape, Array.from(knownAt(call, 1).entries));
    if (shape === null) throw malformed(call, 'expected a shape that the input broadcasts to');
    call.lowering.budget.take(shape, call.node.name);
    return [broadcast(constant, shape)];
  },
  Tile: (call) => {
    const constant = source(call);
    const repeats = knownAt(call, 1).entries;
    const shape = constant.shape.map((extent, axis) => extent * repeats[axis]!);
    call.lowering.budget.take(shape, call.node.name);
    return [picked(constant, shape, (place) => place.map((at, axis) => at % constant.shape[axis]!))];
  },
  Slice: (call) => {
    const constant = source(call);
    const ranges = sliceRanges(call, constant.shape);
    const shape = ranges.map(({ length }) => length);
    call.lowering.budget.take(shape, call.node.name);
    return [
      picked(constant, shape, (at) =>
        at.map((step, axis) => ranges[axis]!.start + step * ranges[axis]!.step),
      ),
    ];
  },
  Gather: (call) => [gather(call)],
  Concat: (call) => [concat(call)],
  Where: (call) => {
    const [condition, yes, no] = [0, 1, 2].map((place) => knownAt(call, place)) as [
      Constant,
      Constant,
      Constant,
    ];
    const both = broadcastShapes(yes.shape, no.shape);
    const shape = both && broadcastShapes(condition.shape, both);
    if (shape === null) throw malformed(call, 'expected shapes that broadcast');
    call.lowering.budget.take(shape, call.node.name);
    const [test, first, second] = [condition, yes, no].map((each) => broadcast(each, shape).entries);
    return [
      makeConstant(
        yes.kind,
        shape,
        test!.map((is, at) => (is ? first![at]! : second![at]!)),
      ),
    ];
  },
  ScatterND: (call) => [scatter(call)],
  Split: split,
};

function source(call: Call): Constant {
  return knownAt(call, 0);
}

function take(call: Call, constant: Constant): Constant {
  call.lowering.budget.take(constant.shape, call.node.name);
  return constant;
}

/** Entries are shared: constants are never written to. */
function withShape({ kind, entries }: Constant, shape: readonly number[]): Constant {
  return makeConstant(kind, shape, entries);
}

function gather(call: Call): Constant {
  const [constant, indices] = [source(call), knownAt(call, 1)];
  const axis = axisAt(call, call.node.attributes.int('axis', 0), constant.shape.length);
  const extent = constant.shape[axis]!;
  const at = indices.entries.map((index) => (index < 0 ? index + extent : index));
  if (at.some((index) => !(index >= 0 && index < extent))) throw malformed(call, 'expected indices in range');
  const shape = [...constant.shape.slice(0, axis), ...indices.shape, ...constant.shape.slice(axis + 1)];
  call.lowering.budget.take(shape, call.node.name);
  const strides = stridesOf(indices.shape);
  return picked(constant, shape, (place) => {
    const index = strides.reduce((sum, stride, step) => sum + stride * place[axis + step]!, 0);
    return [...place.slice(0, axis), at[index]!, ...place.slice(axis + indices.shape.length)];
  });
}

function concat(call: Call): Constant {
  const first = knownAt(call, 0);
  const parts = call.inputs.map((_, place) => knownAt(call, place));
  const rank = first.shape.length;
  const axis = axisAt(call, call.node.attributes.int('axis', 0), rank);
  const isFit = (shape: readonly number[]) =>
    shape.length === rank && shape.every((extent, at) => at === axis || extent === first.shape[at]);
  if (!parts.every(({ shape }) => isFit(shape))) throw malformed(call, 'expected shapes that fit together');
  const shape = [...first.shape];
  shape[axis] = parts.reduce((sum, part) => sum + part.shape[axis]!, 0);
  const entries = new Float64Array(call.lowering.budget.take(shape, call.node.name));
  const outer = sizeOf(shape.slice(0, axis));
  let offset = 0;
  for (let row = 0; row < outer; row += 1) {
    for (const part of parts) {
      const length = sizeOf(part.shape.slice(axis));
      entries.set(part.entries.subarray(row * length, (row + 1) * length), offset);
      offset += length;
    }
  }
  return makeConstant(first.kind, shape, entries);
}

function split(call: Call): readonly Constant[] {
  const constant = source(call);
  const axis = axisAt(call, call.node.attributes.int('axis', 0), constant.shape.length);
  const lead = (place: readonly number[], start: number) => place.with(axis, place[axis]! + start);
  call.lowering.budget.take(constant.shape, call.node.name);
  let next = 0;
  return splitSizes(call, constant.shape[axis]!).map((size) => {
    const start = next;
    next += size;
    return picked(constant, constant.shape.with(axis, size), (place) => lead(place, start));
  });
}

/** Copies of slices `updates[i]` at `data[indices[i]]`. */
function scatter(call: Call): Constant {
  if (call.node.attributes.text('reduction', 'none') !== 'none') {
    throw unsupported(call, 'expected reduction none, received another');
  }
  const [data, indices, updates] = [0, 1, 2].map((place) => knownAt(call, place)) as [
    Constant,
    Constant,
    Constant,
  ];
  const depth = indices.shape.at(-1) ?? 0;
  const length = sizeOf(data.shape.slice(depth));
  const count = indices.entries.length / Math.max(depth, 1);
  if (depth > data.shape.length || updates.entries.length !== count * length) {
    throw malformed(call, 'expected updates of the shape that the indices say');
  }
  const entries = data.entries.slice();
  call.lowering.budget.take(data.shape, call.node.name);
  const strides = stridesOf(data.shape);
  eachPlace([count], (_, update) => {
    let offset = 0;
    for (let axis = 0; axis < depth; axis += 1) {
      const index = indices.entries[update * depth + axis]!;
      const at = index < 0 ? index + data.shape[axis]! : index;
      if (!(at >= 0 && at < data.shape[axis]!)) throw malformed(call, 'expected indices in range');
      offset += at * strides[axis]!;
    }
    entries.set(updates.entries.subarray(update * length, (update + 1) * length), offset);
  });
  return makeConstant(data.kind, data.shape, entries);
}
