import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import type { Call, Operator } from '../call.ts';
import { axisAt, slotAt } from '../call.ts';
import { axesAt } from '../movement.ts';
import { range, sizeOf, withoutAxes } from '../shapes.ts';
import type { Slot } from '../values.ts';

type Reduce = (x: Tensor, axes: number[]) => Tensor;

/** Operators over some axes. */
export const REDUCTION: Readonly<Record<string, Operator>> = {
  ReduceMean: (call) => [reduce(call, tf.mean)],
  ReduceSum: (call) => [reduce(call, tf.sum)],
  ReduceMax: (call) => [reduce(call, tf.max)],
  ReduceMin: (call) => [reduce(call, tf.min)],
  ReduceL2: (call) => [reduce(call, (x, axes) => tf.sqrt(tf.sum(tf.square(x), axes)))],
  ReduceSumSquare: (call) => [reduce(call, (x, axes) => tf.sum(tf.square(x), axes))],
  GlobalAveragePool: (call) => [pool(call, tf.mean)],
  GlobalMaxPool: (call) => [pool(call, tf.max)],
  Softmax: (call) => [alongAxis(call, (x) => tf.softmax(x, -1))],
  LogSoftmax: (call) => [alongAxis(call, (x) => tf.logSoftmax(x, -1))],
};

function reduce(call: Call, apply: Reduce): Slot {
  const slot = slotAt(call, 0);
  const rank = slot.shape.length;
  const { attributes } = call.node;
  const given = axesAt(call, rank) ?? [];
  if (given.length === 0 && attributes.int('noop_with_empty_axes', 0) === 1) return slot;
  const axes = given.length === 0 ? range(rank) : given;
  return overAxes(call, { axes, keepsAxes: attributes.int('keepdims', 1) === 1, apply });
}

/** Over all axes but those of batch and channels. */
function pool(call: Call, apply: Reduce): Slot {
  const axes = range(slotAt(call, 0).shape.length).slice(2);
  return overAxes(call, { axes, keepsAxes: true, apply });
}

interface Reduction {
  readonly axes: readonly number[];
  readonly keepsAxes: boolean;
  readonly apply: Reduce;
}

function overAxes(call: Call, { axes, keepsAxes, apply }: Reduction): Slot {
  const slot = slotAt(call, 0);
  const stored = axes.map((axis) => slot.order.indexOf(axis)).sort((a, b) => a - b);
  const shape = keepsAxes
    ? slot.shape.map((extent, axis) => (axes.includes(axis) ? 1 : extent))
    : slot.shape.filter((_, axis) => !axes.includes(axis));
  const order = keepsAxes ? slot.order : withoutAxes(slot.order, axes);
  const storedShape = order.map((axis) => shape[axis]!);
  // reduced without its axes and reshaped, because that is what the fast kernels do
  const run = ([x]: readonly Tensor[]) => tf.reshape(apply(x!, stored), storedShape);
  return call.lowering.emit(call.node.op, [slot], { shape, order, run });
}

/** Before opset 13 everything from the axis on counts as one axis. */
function alongAxis(call: Call, apply: (x: Tensor) => Tensor): Slot {
  const { lowering, node, opset } = call;
  const slot = slotAt(call, 0);
  const { shape } = slot;
  const axis = axisAt(call, node.attributes.int('axis', opset < 13 ? 1 : -1), shape.length);
  if (opset < 13 && axis !== shape.length - 1) {
    const flat = [sizeOf(shape.slice(0, axis)), sizeOf(shape.slice(axis))];
    const run = ([x]: readonly Tensor[]) => tf.reshape(apply(tf.reshape(x!, flat)), [...shape]);
    return lowering.emit(node.op, [lowering.plain(slot)], { shape, run });
  }
  const order = [...slot.order.filter((each) => each !== axis), axis];
  const run = ([x]: readonly Tensor[]) => apply(x!);
  return lowering.emit(node.op, [lowering.ordered(slot, order)], { shape, order, run });
}
