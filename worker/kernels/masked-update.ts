import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';
import * as tf from '@tensorflow/tfjs-core';
import type { KernelCall } from './heap.ts';
import { addressOf, runNative } from './native.ts';
import { partsFor } from './parts.ts';

/** Names of the kernels of backend wasm. */
export const MOMENTUM_UPDATE = 'MomentumUpdate';
export const ADAM_UPDATE = 'AdamUpdate';

interface Rates {
  readonly learningRate: number;
  /** L2 decay, added to the gradient after a mask that acts on it; 0 for none. */
  readonly decay: number;
  /** On gradients before decay and optimizer, or on updates after them. */
  readonly maskActsOn: 'gradient' | 'update';
}

export interface MomentumRates extends Rates {
  readonly momentum: number;
}

export interface AdamRates extends Rates {
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  /** 1 − β₁ᵗ and 1 − β₂ᵗ in step t, as float32. */
  readonly meanCorrection: number;
  readonly squareCorrection: number;
}

/** Tensors of one shape; without a mask every number moves. */
interface Weight {
  readonly weight: tf.Tensor;
  readonly gradient: tf.Tensor;
  readonly mask?: tf.Tensor;
}

type WithVelocity = Weight & { readonly velocity: tf.Tensor };
type WithMoments = Weight & { readonly mean: tf.Tensor; readonly square: tf.Tensor };

/**
 * One step of SGD with momentum for one weight, in one pass on backend wasm and composed elsewhere; the same bits
 * either way. Where the update is 0 the weight keeps its bits.
 *
 *   v ← momentum · v + g,   w ← w − learningRate · v
 *
 * @returns the new weight and velocity; the caller owns them
 */
export function momentumUpdate(
  tensors: WithVelocity,
  rates: MomentumRates,
): { readonly weight: tf.Tensor; readonly velocity: tf.Tensor } {
  const results = isOnWasm()
    ? run(MOMENTUM_UPDATE, tensors, rates)
    : tf.tidy(() => {
        const velocity = tf.add(tf.mul(tensors.velocity, rates.momentum), directionOf(tensors, rates));
        return [moved(tensors, velocity, rates), velocity];
      });
  const [weight, velocity] = results as [tf.Tensor, tf.Tensor];
  return { weight, velocity };
}

/**
 * One step of Adam for one weight, as `momentumUpdate`.
 *
 *   w ← w − learningRate · m̂ / (√v̂ + ε)
 *
 * @returns the new weight and moments; the caller owns them
 */
export function adamUpdate(
  tensors: WithMoments,
  rates: AdamRates,
): { readonly weight: tf.Tensor; readonly mean: tf.Tensor; readonly square: tf.Tensor } {
  const results = isOnWasm()
    ? run(ADAM_UPDATE, tensors, rates)
    : tf.tidy(() => {
        const direction = directionOf(tensors, rates);
        const mean = blend(tensors.mean, direction, rates.beta1);
        const square = blend(tensors.square, tf.square(direction), rates.beta2);
        const deviation = tf.sqrt(tf.div(square, rates.squareCorrection));
        const unit = tf.div(tf.div(mean, rates.meanCorrection), tf.add(deviation, rates.epsilon));
        return [moved(tensors, unit, rates), mean, square];
      });
  const [weight, mean, square] = results as [tf.Tensor, tf.Tensor, tf.Tensor];
  return { weight, mean, square };
}

const isOnWasm = (): boolean => tf.getBackend() === 'wasm';

function run(kernel: string, tensors: object, rates: object): tf.Tensor[] {
  return tf.engine().runKernel(kernel, tensors as tf.NamedTensorMap, { ...rates }) as unknown as tf.Tensor[];
}

function directionOf({ weight, gradient, mask }: Weight, { decay, maskActsOn }: Rates): tf.Tensor {
  const own = mask && maskActsOn === 'gradient' ? tf.mul(gradient, mask) : gradient;
  return decay === 0 ? own : tf.add(own, tf.mul(weight, decay));
}

function moved({ weight, mask }: Weight, direction: tf.Tensor, { learningRate, maskActsOn }: Rates) {
  const step = tf.mul(direction, -learningRate);
  const update = mask && maskActsOn === 'update' ? tf.mul(step, mask) : step;
  // where: -0 + 0 is +0, so adding a zero update would change a bit of a weight that must not move
  return tf.where(tf.notEqual(update, 0), tf.add(weight, update), weight);
}

const blend = (old: tf.Tensor, fresh: tf.Tensor, rate: number): tf.Tensor =>
  tf.add(tf.mul(old, rate), tf.mul(fresh, 1 - rate));

type Infos = Readonly<Record<'weight' | 'gradient', tf.TensorInfo>> & { readonly mask?: tf.TensorInfo };

interface Pass {
  readonly kernel: string;
  readonly state: readonly tf.TensorInfo[];
  readonly floats: readonly number[];
}

/** `momentumUpdate` on backend wasm. */
export function momentumUpdateKernel({
  inputs,
  attrs,
  backend,
}: KernelCall<WithVelocity, MomentumRates>): tf.TensorInfo[] {
  const floats = [attrs.decay, -attrs.learningRate, attrs.momentum];
  return pass(backend, inputs, { kernel: 'momentumUpdate', state: [inputs.velocity], floats, ...attrs });
}

/** `adamUpdate` on backend wasm. */
export function adamUpdateKernel({
  inputs,
  attrs,
  backend,
}: KernelCall<WithMoments, AdamRates>): tf.TensorInfo[] {
  const { decay, learningRate, beta1, beta2, epsilon, meanCorrection, squareCorrection } = attrs;
  const rates = [beta1, 1 - beta1, beta2, 1 - beta2, epsilon];
  const floats = [decay, -learningRate, ...rates, meanCorrection, squareCorrection];
  return pass(backend, inputs, {
    kernel: 'adamUpdate',
    state: [inputs.mean, inputs.square],
    floats,
    ...attrs,
  });
}

/** Weight and state after the step. */
function pass(
  backend: BackendWasm,
  { weight, gradient, mask }: Infos,
  { kernel, state, floats, maskActsOn }: Pass & Pick<Rates, 'maskActsOn'>,
): tf.TensorInfo[] {
  const results = [weight, ...state].map(({ shape }) => backend.makeOutput(shape, 'float32'));
  const addresses = (tensors: readonly tf.TensorInfo[]) =>
    tensors.map((tensor) => addressOf(backend, tensor));
  const length = tf.util.sizeFromShape(weight.shape);
  const parts = partsFor(length, length);
  const isOnUpdate = maskActsOn === 'update' ? 1 : 0;
  const args = [...addresses([weight, gradient]), mask ? addressOf(backend, mask) : 0];
  args.push(...addresses(state), ...addresses(results), length, parts, isOnUpdate);
  runNative(backend, kernel, { args, floats, parts });
  return results;
}
