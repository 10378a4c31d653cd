import * as tf from '@tensorflow/tfjs-core';
import type { Shape } from '@tensorflow/tfjs-layers';
import { layers } from '@tensorflow/tfjs-layers';
import { z } from 'zod';
import { FunctionLayer } from './function-layer.ts';
import type { LayerSpec, MakeLayer } from './spec.ts';
import { axis, extent, readConfig, unsupported } from './spec.ts';

const affine = {
  epsilon: z.number().positive(),
  center: z.boolean().default(true),
  scale: z.boolean().default(true),
};
const batchNormSchema = z.looseObject({
  ...affine,
  axis: axis.default(-1),
  momentum: z.number().min(0).max(1),
});
const layerNormSchema = z.looseObject({
  ...affine,
  axis: z.union([axis.transform((only) => [only]), z.array(z.int()).nonempty()]),
  rms_scaling: z.literal(false).nullish(),
});
const groupNormSchema = z.looseObject({ ...affine, axis: axis.default(-1), groups: extent });
const unitNormSchema = z.looseObject({ axis: z.union([z.int(), z.array(z.int())]).default(-1) });

const batchNormalization: MakeLayer = (spec) => {
  const { axis: own, momentum, epsilon, center, scale } = readConfig(spec, batchNormSchema);
  const layer = layers.batchNormalization({
    name: spec.name,
    axis: own,
    momentum,
    epsilon,
    center,
    scale,
    ...(scale && { gammaInitializer: spec.weights.next() }),
    ...(center && { betaInitializer: spec.weights.next() }),
    movingMeanInitializer: spec.weights.next(),
    movingVarianceInitializer: spec.weights.next(),
  });
  const constant = (make: typeof tf.onesLike) => ({ read: () => make(layer.weights.at(-1)!.read()) });
  // tfjs-layers finds neither a gradient nor batch statistics without the two
  return Object.assign(layer, {
    ...(!scale && { gamma: constant(tf.onesLike) }),
    ...(!center && { beta: constant(tf.zerosLike) }),
  });
};

interface Affine {
  readonly center: boolean;
  readonly scale: boolean;
  /** Of gamma and beta. */
  readonly shape: (input: Shape) => Shape;
  readonly normalize: (x: tf.Tensor) => tf.Tensor;
  /** The shape in which they meet what was normalised. */
  readonly spread: (x: tf.Tensor) => number[];
}

/** Normalises, then scales by gamma and moves by beta. */
function affineLayer(spec: LayerSpec, { center, scale, shape, normalize, spread }: Affine): FunctionLayer {
  const gamma = scale ? spec.weights.next() : null;
  const beta = center ? spec.weights.next() : null;
  return new FunctionLayer({
    name: spec.name,
    kind: spec.kind,
    weights: (input) => [
      ...(gamma ? [{ name: 'gamma', shape: shape(input), initializer: gamma }] : []),
      ...(beta ? [{ name: 'beta', shape: shape(input), initializer: beta }] : []),
    ],
    compute: ([x], weights) => {
      const [own, shift] = gamma ? weights : [undefined, ...weights];
      const normalized = normalize(x!);
      const scaled = own ? tf.mul(normalized, tf.reshape(own, spread(x!))) : normalized;
      return shift ? tf.add(scaled, tf.reshape(shift, spread(x!))) : scaled;
    },
  });
}

function standardize(x: tf.Tensor, axes: number[], epsilon: number): tf.Tensor {
  const centred = tf.sub(x, tf.mean(x, axes, true));
  const variance = tf.mean(tf.square(centred), axes, true);
  return tf.mul(centred, tf.rsqrt(tf.add(variance, epsilon)));
}

const fromStart = (axes: readonly number[], rank: number) => axes.map((own) => (own < 0 ? own + rank : own));

const layerNormalization: MakeLayer = (spec) => {
  const { axis: own, epsilon, center, scale } = readConfig(spec, layerNormSchema);
  const axesOf = (rank: number) => fromStart(own, rank).toSorted((a, b) => a - b);
  return affineLayer(spec, {
    center,
    scale,
    shape: (input) => axesOf(input.length).map((place) => input[place]!),
    normalize: (x) => standardize(x, axesOf(x.rank), epsilon),
    spread: ({ shape, rank }) => shape.map((length, place) => (axesOf(rank).includes(place) ? length : 1)),
  });
};

const groupNormalization: MakeLayer = (spec) => {
  const { axis: own, groups, epsilon, center, scale } = readConfig(spec, groupNormSchema);
  if (own !== -1) throw unsupported(spec, `expected groups of the last axis (-1), received axis ${own}`);
  return affineLayer(spec, {
    center,
    scale,
    shape: (input) => [input.at(-1)!],
    normalize: (x) => {
      const [batch, channels] = [x.shape[0]!, x.shape.at(-1)!];
      const parted = tf.reshape(x, [batch, x.size / (batch * channels), groups, channels / groups]);
      return tf.reshape(standardize(parted, [1, 3], epsilon), x.shape);
    },
    spread: ({ shape, rank }) => shape.map((length, place) => (place === rank - 1 ? length : 1)),
  });
};

/** Below this a vector has no direction. */
const SMALLEST_SQUARE = 1e-24;

const unitNormalization: MakeLayer = (spec) => {
  const { axis: own } = readConfig(spec, unitNormSchema);
  return new FunctionLayer({
    name: spec.name,
    kind: spec.kind,
    compute: ([x]) => {
      const squares = tf.sum(tf.square(x!), own as number[], true);
      return tf.mul(x!, tf.rsqrt(tf.maximum(squares, SMALLEST_SQUARE)));
    },
  });
};

export const NORMALIZATION_LAYERS = {
  BatchNormalization: batchNormalization,
  GroupNormalization: groupNormalization,
  LayerNormalization: layerNormalization,
  UnitNormalization: unitNormalization,
};
