import * as tf from '@tensorflow/tfjs-core';
import { layers } from '@tensorflow/tfjs-layers';
import { z } from 'zod';
import { activation, activationId, leakyRelu } from './activations.ts';
import { FunctionLayer } from './function-layer.ts';
import type { LayerSpec, MakeLayer } from './spec.ts';
import { axis, readConfig } from './spec.ts';

const activationSchema = z.looseObject({ activation });
const reluSchema = z.looseObject({
  max_value: z.number().nullish(),
  negative_slope: z.number().default(0),
  threshold: z.number().default(0),
});
const slopeSchema = z.looseObject({ negative_slope: z.number().optional(), alpha: z.number().optional() });
const eluSchema = z.looseObject({ alpha: z.number().default(1) });
const preluSchema = z.looseObject({ shared_axes: z.array(z.int().positive()).nullish() });
const softmaxSchema = z.looseObject({ axis: axis.default(-1) });

/** Keras 3's slope where none is written, and Keras 2's `alpha`. */
const LEAKY_SLOPE = 0.3;

function elementwise({ name, kind }: LayerSpec, compute: (x: tf.Tensor) => tf.Tensor): FunctionLayer {
  return new FunctionLayer({ name, kind, compute: ([x]) => compute(x!) });
}

const relu: MakeLayer = (spec) => {
  const { max_value: most, negative_slope: slope, threshold } = readConfig(spec, reluSchema);
  if (slope === 0 && threshold === 0) {
    return layers.reLU({ name: spec.name, ...(most != null && { maxValue: most }) });
  }
  return elementwise(spec, (x) => {
    const passed = threshold === 0 ? tf.relu(x) : tf.mul(x, tf.step(tf.sub(x, threshold)));
    const positive = most == null ? passed : tf.clipByValue(passed, 0, most);
    return tf.sub(positive, tf.mul(tf.relu(tf.sub(threshold, x)), slope));
  });
};

const leaky: MakeLayer = (spec) => {
  const { negative_slope: slope, alpha } = readConfig(spec, slopeSchema);
  return elementwise(spec, (x) => leakyRelu(x, slope ?? alpha ?? LEAKY_SLOPE));
};

const elu: MakeLayer = (spec) => {
  const { alpha } = readConfig(spec, eluSchema);
  const bounded = (x: tf.Tensor) => tf.neg(tf.relu(tf.neg(x))); // exp of large x is never taken
  return elementwise(spec, (x) => tf.add(tf.relu(x), tf.mul(tf.expm1(bounded(x)), alpha)));
};

const prelu: MakeLayer = (spec) => {
  const { shared_axes: sharedAxes } = readConfig(spec, preluSchema);
  return layers.prelu({
    name: spec.name,
    alphaInitializer: spec.weights.next(),
    ...(sharedAxes && { sharedAxes }),
  });
};

/** tfjs has it for the last axis only. */
const softmax: MakeLayer = (spec) => {
  const { axis: own } = readConfig(spec, softmaxSchema);
  const compute = ([x]: readonly tf.Tensor[]) => {
    const powers = tf.exp(tf.sub(x!, tf.max(x!, own, true)));
    return tf.div(powers, tf.sum(powers, own, true));
  };
  return new FunctionLayer({ name: spec.name, kind: spec.kind, axis: own, compute });
};

const activate: MakeLayer = (spec) => {
  const id = activationId(spec, readConfig(spec, activationSchema).activation);
  return layers.activation({ name: spec.name, activation: id as 'linear' });
};

export const RECTIFIER_LAYERS = {
  Activation: activate,
  ELU: elu,
  LeakyReLU: leaky,
  PReLU: prelu,
  ReLU: relu,
  Softmax: softmax,
} satisfies Readonly<Record<string, MakeLayer>>;
