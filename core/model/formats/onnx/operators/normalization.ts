import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import type { Call, Operator } from '../call.ts';
import { axisAt, constantAt, malformed, slotAt, unsupported, valueAt } from '../call.ts';
import { storedShape } from '../lowering.ts';
import { channelsLast, range } from '../shapes.ts';
import type { Slot, Value } from '../values.ts';

/** Normalisation by layer or group, and dropout. */
export const NORMALIZATION: Readonly<Record<string, Operator>> = {
  Dropout: (call) => [dropout(call)],
  GroupNormalization: (call) => [groupNorm(call, call.node.attributes.int('num_groups', 1))],
  InstanceNormalization: (call) => [groupNorm(call, slotAt(call, 0).shape[1] ?? 1)],
  LayerNormalization: (call) => [layerNorm(call)],
};

function layerNorm(call: Call): Slot {
  const { lowering, node } = call;
  const rank = slotAt(call, 0).shape.length;
  const first = axisAt(call, node.attributes.int('axis', -1), rank);
  const axes = range(rank).slice(first);
  const given = slotAt(call, 0);
  const isLast = axes.every((axis, place) => given.order[first + place] === axis);
  const slot = isLast ? given : lowering.plain(given);
  const extents = slot.shape.slice(first);
  const affine = [1, 2].flatMap((place) => {
    const value: Value | null = call.inputs[place] ?? null;
    if (value === null) return [];
    if (value.shape.join() !== extents.join())
      throw malformed(call, 'expected scale and bias of the normalised shape');
    return [lowering.plain(value)];
  });
  const epsilon = node.attributes.float('epsilon', 1e-5);
  const { shape, order } = slot;
  return lowering.emit(node.op, [slot, ...affine], {
    shape,
    order,
    run: ([x, scale, bias]) => {
      const normal = standardize(x!, axes, epsilon);
      const scaled = scale === undefined ? normal : tf.mul(normal, scale);
      return bias === undefined ? scaled : tf.add(scaled, bias);
    },
  });
}

/** (x − mean) / √(variance + ε) over some axes */
function standardize(x: Tensor, axes: readonly number[], epsilon: number): Tensor {
  const centered = tf.sub(x, tf.mean(x, [...axes], true));
  const variance = tf.mean(tf.square(centered), [...axes], true);
  return tf.mul(centered, tf.rsqrt(tf.add(variance, epsilon)));
}

/** Channels in groups, each normalised with all places of its image; one group a channel is instance norm. */
function groupNorm(call: Call, groups: number): Slot {
  const { lowering, node } = call;
  const given = slotAt(call, 0);
  const slot = lowering.ordered(given, channelsLast(given.shape.length));
  const channels = slot.shape[1] ?? 0;
  if (!(groups >= 1) || channels % groups !== 0)
    throw malformed(call, `expected groups that divide ${channels} channels, received ${groups}`);
  const affine = [1, 2].map((place) => {
    const value = lowering.plain(valueAt(call, place));
    // until opset 21 one scale for each group
    if (value.shape.join() === `${channels}` || value.shape.join() === `${groups}`) return value;
    throw malformed(call, `expected ${channels} scales and biases, received [${value.shape.join(', ')}]`);
  });
  const epsilon = node.attributes.float('epsilon', 1e-5);
  const { shape, order } = slot;
  const stored = storedShape(slot);
  const folded = [stored[0]!, -1, groups, channels / groups];
  return lowering.emit(node.op, [slot, ...affine], {
    shape,
    order,
    run: ([x, scale, bias]) => {
      const normal = standardize(tf.reshape(x!, folded), [1, 3], epsilon);
      const spread = (each: Tensor) => tf.reshape(each, [groups, each.size / groups]);
      return tf.reshape(tf.add(tf.mul(normal, spread(scale!)), spread(bias!)), stored);
    },
  });
}

/** Off in inference mode. Ratio is an attribute before opset 12, an input since. */
function dropout(call: Call): Value {
  const value = valueAt(call, 0);
  const rate = constantAt(call, 1)?.entries[0] ?? call.node.attributes.float('ratio', 0.5);
  if (value.type === 'constant' || rate === 0) return value;
  if ((constantAt(call, 2)?.entries[0] ?? 0) !== 0) {
    throw unsupported(call, 'expected a model in inference mode, received one exported in training mode');
  }
  if (!(rate > 0 && rate < 1)) throw malformed(call, `expected a ratio in [0, 1), received ${rate}`);
  const { shape, order } = value;
  return call.lowering.emit(call.node.op, [value], {
    shape,
    order,
    run: ([x], mode) => (mode.training ? tf.dropout(x!, rate, undefined, mode.nextSeed()) : tf.clone(x!)),
  });
}
