import * as tf from '@tensorflow/tfjs-core';
import { z } from 'zod';
import { FunctionLayer } from './function-layer.ts';
import type { MakeLayer } from './spec.ts';
import { numbers, readConfig, unsupported } from './spec.ts';

const nested = z.union([z.number(), z.array(z.unknown())]).nullish();
const rescalingSchema = z.looseObject({ scale: numbers, offset: numbers.default(0) });
const normalizationSchema = z.looseObject({
  axis: z.union([z.int(), z.array(z.int())]).nullish(),
  mean: nested,
  variance: nested,
  invert: z.boolean().default(false),
});

const rescaling: MakeLayer = (spec) => {
  const { scale, offset } = readConfig(spec, rescalingSchema);
  return new FunctionLayer({
    name: spec.name,
    kind: spec.kind,
    compute: ([x]) => tf.add(tf.mul(x!, scale), offset),
  });
};

/** As Keras, for a feature that never changes. */
const SMALLEST_DEVIATION = 1e-7;

const normalization: MakeLayer = (spec) => {
  const { axis, mean, variance, invert } = readConfig(spec, normalizationSchema);
  const kept = [axis ?? []].flat();
  const extents = (shape: readonly (number | null)[]) =>
    shape.map((length, place) => (kept.includes(place) || kept.includes(place - shape.length) ? length! : 1));
  const given = mean == null ? null : [mean, variance].map((values) => numbersIn(values));
  if (given?.some((values) => values.length === 0))
    throw unsupported(spec, 'expected numbers as mean and variance');
  const stored = given === null ? [spec.weights.next(), spec.weights.next()] : [];
  return new FunctionLayer({
    name: spec.name,
    kind: spec.kind,
    weights: (input) =>
      stored.map((initializer, place) => ({
        name: place === 0 ? 'mean' : 'variance',
        shape: input.filter((_, index) => kept.includes(index) || kept.includes(index - input.length)),
        initializer,
        isTrained: false,
      })),
    compute: ([x], weights) => {
      const shape = extents(x!.shape);
      const spread = (values: tf.Tensor) =>
        values.size === 1 ? tf.reshape(values, []) : tf.reshape(values, shape);
      const [centre, square] = (given?.map((values) => tf.tensor1d(values)) ?? weights).map(spread);
      const deviation = tf.maximum(tf.sqrt(square!), SMALLEST_DEVIATION);
      return invert ? tf.add(tf.mul(x!, deviation), centre!) : tf.div(tf.sub(x!, centre!), deviation);
    },
  });
};

function numbersIn(values: unknown): number[] {
  return [values].flat(8).filter((value) => typeof value === 'number');
}

/** Of ConvNeXt: a factor for each channel. */
const layerScale: MakeLayer = (spec) => {
  const gamma = spec.weights.next();
  return new FunctionLayer({
    name: spec.name,
    kind: spec.kind,
    weights: (input) => [{ name: 'gamma', shape: [input.at(-1)!], initializer: gamma }],
    compute: ([x], [factors]) => tf.mul(x!, factors!),
  });
};

export const SCALING_LAYERS = {
  LayerScale: layerScale,
  Normalization: normalization,
  Rescaling: rescaling,
};
