import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { ownEntry } from '../../../own-entry.ts';
import type { Call, Operator } from '../call.ts';
import { axisAt, constantAt, malformed, slotAt, unsupported } from '../call.ts';
import { entriesOf } from '../file/limits.ts';
import { storedShape } from '../lowering.ts';
import { range, sizeOf } from '../shapes.ts';
import type { Slot } from '../values.ts';

/** Where the entry at `place` of a resized axis lies on the axis that it comes from. */
type Coordinate = (place: number, axis: ResizedAxis) => number;

interface ResizedAxis {
  readonly from: number;
  readonly to: number;
  /** As given; not quite `to / from` where the product was rounded. */
  readonly scale: number;
}

const COORDINATES: Readonly<Record<string, Coordinate>> = {
  half_pixel: (place, { scale }) => (place + 0.5) / scale - 0.5,
  pytorch_half_pixel: (place, { scale, to }) => (to > 1 ? (place + 0.5) / scale - 0.5 : 0),
  align_corners: (place, { from, to }) => (to > 1 ? (place * (from - 1)) / (to - 1) : 0),
  asymmetric: (place, { scale }) => place / scale,
};

const ROUNDINGS: Readonly<Record<string, (value: number) => number>> = {
  round_prefer_floor: (value) => Math.ceil(value - 0.5),
  round_prefer_ceil: (value) => Math.floor(value + 0.5),
  floor: Math.floor,
  ceil: Math.ceil,
};

/** Each axis is one product with a matrix of interpolation weights, which has a gradient on every backend. */
export const RESIZE: Readonly<Record<string, Operator>> = {
  Resize: (call) => [resize(call)],
};

function resize(call: Call): Slot {
  const { node } = call;
  const slot = slotAt(call, 0);
  const axes = resizedAxes(call, slot.shape);
  const mode = node.attributes.text('mode', 'nearest');
  const name = node.attributes.text('coordinate_transformation_mode', 'half_pixel');
  const coordinate = ownEntry(COORDINATES, name);
  if (coordinate === undefined)
    throw unsupported(call, `expected coordinates ${Object.keys(COORDINATES).join(', ')}, received ${name}`);
  if (node.attributes.int('antialias', 0) === 1)
    throw unsupported(call, 'expected no antialias, received one');
  return axes.reduce((resized, axis, at) => {
    if (axis.from === axis.to && axis.scale === 1) return resized;
    entriesOf([axis.from, axis.to], `weights of ${node.name}`);
    const weights = weightsBy(call, mode, { axis, coordinate });
    return alongAxis(call, resized, { axis: at, weights, extent: axis.to });
  }, slot);
}

function resizedAxes(call: Call, shape: readonly number[]): ResizedAxis[] {
  const attribute = call.node.attributes.ints('axes');
  const axes = (attribute ?? range(shape.length)).map((axis) => axisAt(call, axis, shape.length));
  const [scales, sizes] = [2, 3].map((place) => Array.from(constantAt(call, place)?.entries ?? []));
  const policy = call.node.attributes.text('keep_aspect_ratio_policy', 'stretch');
  if (policy !== 'stretch')
    throw unsupported(call, `expected keep_aspect_ratio_policy stretch, received ${policy}`);
  const given = sizes!.length > 0 ? sizes! : scales!;
  if (given.length !== axes.length || given.some((value) => !(value > 0))) {
    throw malformed(call, 'expected one scale or size above 0 for each axis');
  }
  return shape.map((from, axis) => {
    const place = axes.indexOf(axis);
    if (place < 0) return { from, to: from, scale: 1 };
    if (sizes!.length > 0) return { from, to: given[place]!, scale: given[place]! / from };
    return { from, to: Math.floor(from * given[place]!), scale: given[place]! };
  });
}

interface Interpolation {
  readonly axis: ResizedAxis;
  readonly coordinate: Coordinate;
}

/** [to, from]: weights of the entries that each entry is made of */
function weightsBy(call: Call, mode: string, { axis, coordinate }: Interpolation): Float32Array {
  const weights = new Float32Array(axis.to * axis.from);
  const put = (place: number, from: number, weight: number) => {
    weights[place * axis.from + Math.min(Math.max(from, 0), axis.from - 1)]! += weight;
  };
  const spread = spreadBy(call, mode);
  for (let place = 0; place < axis.to; place += 1) {
    for (const [from, weight] of spread(coordinate(place, axis), axis.from)) put(place, from, weight);
  }
  return weights;
}

type Spread = (at: number, extent: number) => readonly (readonly [from: number, weight: number])[];

function spreadBy(call: Call, mode: string): Spread {
  const { attributes } = call.node;
  if (mode === 'nearest') {
    const round = ownEntry(ROUNDINGS, attributes.text('nearest_mode', 'round_prefer_floor'));
    if (round === undefined) throw unsupported(call, 'expected a known nearest_mode, received another');
    return (at) => [[round(at), 1]];
  }
  if (mode === 'linear') {
    return (at, extent) => {
      const inside = Math.min(Math.max(at, 0), extent - 1);
      const low = Math.floor(inside);
      return [
        [low, 1 - (inside - low)],
        [low + 1, inside - low],
      ];
    };
  }
  if (mode === 'cubic' && attributes.int('exclude_outside', 0) === 0) {
    const a = attributes.float('cubic_coeff_a', -0.75);
    return (at) => {
      const low = Math.floor(at);
      return [-1, 0, 1, 2].map((step) => [low + step, cubic(Math.abs(at - low - step), a)]);
    };
  }
  throw unsupported(call, `expected mode nearest, linear or cubic, received ${mode}`);
}

/** Keys' convolution kernel. */
function cubic(distance: number, a: number): number {
  if (distance <= 1) return (a + 2) * distance ** 3 - (a + 3) * distance ** 2 + 1;
  return distance < 2 ? a * distance ** 3 - 5 * a * distance ** 2 + 8 * a * distance - 4 * a : 0;
}

interface AxisProduct {
  readonly axis: number;
  readonly weights: Float32Array;
  readonly extent: number;
}

/** [outer, from, inner] → [outer, to, inner] */
function alongAxis(call: Call, slot: Slot, { axis, weights, extent }: AxisProduct): Slot {
  const { order } = slot;
  const shape = slot.shape.with(axis, extent);
  const from = storedShape(slot);
  const at = order.indexOf(axis);
  const folded: [number, number, number] = [sizeOf(from.slice(0, at)), from[at]!, sizeOf(from.slice(at + 1))];
  const stored = storedShape({ ...slot, shape });
  const run = ([x]: readonly Tensor[]) => {
    const matrix = tf.tensor3d(weights, [1, extent, from[at]!]);
    return tf.reshape(tf.matMul(matrix, tf.reshape(x!, folded)), stored);
  };
  return call.lowering.emit(call.node.op, [slot], { shape, order, run });
}
