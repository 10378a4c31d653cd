import * as tf from '@tensorflow/tfjs-core';
import { z } from 'zod';
import { ownEntry } from '../../../own-entry.ts';
import type { LayerSpec } from './spec.ts';
import { unsupported } from './spec.ts';

type Compute = (x: tf.Tensor) => tf.Tensor;

const hardSigmoid: Compute = (x) => tf.clipByValue(tf.add(tf.div(x, 6), 0.5), 0, 1);
const silu: Compute = (x) => tf.mul(x, tf.sigmoid(x));
const hardSilu: Compute = (x) => tf.mul(x, hardSigmoid(x));

/** Functions that tfjs-layers has, by its names for them. */
const NATIVE: Readonly<Record<string, readonly [id: string, compute: Compute]>> = {
  celu: ['elu', tf.elu], // the same at alpha = 1
  elu: ['elu', tf.elu],
  linear: ['linear', (x) => x],
  relu: ['relu', tf.relu],
  relu6: ['relu6', tf.relu6],
  selu: ['selu', tf.selu],
  sigmoid: ['sigmoid', tf.sigmoid],
  softmax: ['softmax', (x) => tf.softmax(x)],
  softplus: ['softplus', tf.softplus],
  softsign: ['softsign', (x) => tf.div(x, tf.add(tf.abs(x), 1))],
  tanh: ['tanh', tf.tanh],
};

/** Functions of Keras 3 that tfjs-layers lacks, or computes as Keras 2 did. */
const COMPUTED: Readonly<Record<string, Compute>> = {
  exponential: tf.exp,
  gelu: (x) => tf.mul(tf.mul(x, 0.5), tf.add(tf.erf(tf.mul(x, Math.SQRT1_2)), 1)),
  hard_sigmoid: hardSigmoid,
  hard_silu: hardSilu,
  hard_swish: hardSilu,
  hard_tanh: (x) => tf.clipByValue(x, -1, 1),
  leaky_relu: (x) => leakyRelu(x, 0.2),
  log_sigmoid: (x) => tf.neg(tf.softplus(tf.neg(x))),
  log_softmax: (x) => tf.logSoftmax(x),
  mish: (x) => tf.mul(x, tf.tanh(tf.softplus(x))),
  silu,
  swish: silu,
};

export function leakyRelu(x: tf.Tensor, slope: number): tf.Tensor {
  return tf.sub(tf.relu(x), tf.mul(tf.relu(tf.neg(x)), slope));
}

/** A function by its name, where it is computed outside of a layer of tfjs-layers. */
export function activationFunction(name: string): Compute | null {
  return ownEntry(NATIVE, name)?.[1] ?? ownEntry(COMPUTED, name) ?? null;
}

/** A name, or in some versions an object around one; a layer as an activation is something else. */
export const activation = z
  .union([
    z.string(),
    z
      .looseObject({ class_name: z.literal('function'), config: z.string() })
      .transform(({ config }) => config),
    z.looseObject({ class_name: z.string() }).transform(({ class_name: kind }) => kind),
  ])
  .nullish();

const PREFIX = 'keras_';
const registered = new Set<string>();

/**
 * The identifier by which tfjs-layers finds the function; it is registered there when it is none of tfjs's own.
 *
 * @throws UnsupportedModelError naming the layer and the function
 */
export function activationId(spec: LayerSpec, name: string | null | undefined): string {
  if (name == null) return 'linear';
  const native = ownEntry(NATIVE, name);
  if (native !== undefined) return native[0];
  const compute = ownEntry(COMPUTED, name);
  if (compute === undefined) throw unsupported(spec, `activation "${name}" is not supported`);
  if (!registered.has(name)) {
    tf.serialization.registerClass(activationClass(PREFIX + name, compute));
    registered.add(name);
  }
  return PREFIX + name;
}

function activationClass(name: string, compute: Compute) {
  return class extends tf.serialization.Serializable {
    static readonly className = name;
    readonly apply = compute;
    getConfig() {
      return {};
    }
  };
}
