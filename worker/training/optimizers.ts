import * as tf from '@tensorflow/tfjs-core';
import { adamUpdate, momentumUpdate } from '../kernels/masked-update.ts';
import type { Tensors } from './gradients.ts';

/**
 * How weights move, as a value: `init` makes the state, `step` returns the weights and the state after a step.
 * Neither disposes its arguments; the loop owns what they return. Where an update is 0 the weight keeps its bits.
 */
export interface Optimizer {
  init(weights: Tensors): Tensors;
  step(before: OptimizerStep & { readonly gradients: Tensors }): OptimizerStep;
}

/** Weights by parameter name, and the optimizer's own tensors. */
interface OptimizerStep {
  readonly weights: Tensors;
  readonly state: Tensors;
}

/** In this order: mask on gradients, decay, the optimizer's own rule, learning rate, mask on updates. */
interface OptimizerOptions {
  readonly learningRate: number;
  /** g + decay · w; L2 decay as SGD has it. None when absent. */
  readonly decay?: number;
  /** By parameter name, entries in [0, 1]; the caller keeps them. All weights move when absent. */
  readonly masks?: Tensors;
  /** On updates when absent. */
  readonly maskActsOn?: 'gradient' | 'update';
}

interface SgdOptions extends OptimizerOptions {
  /** v ← momentum · v + g, as PyTorch's SGD has it. None when absent. */
  readonly momentum?: number;
}

interface AdamOptions extends OptimizerOptions {
  readonly beta1?: number;
  readonly beta2?: number;
  readonly epsilon?: number;
}

const UNSET = { decay: 0, maskActsOn: 'update' } as const;

/** w ← w − learningRate · v */
export function sgd({ masks, ...options }: SgdOptions): Optimizer {
  const rates = { ...UNSET, momentum: 0, ...options };
  return {
    init: zerosOf,
    step: ({ weights, gradients, state }) => {
      const moved = mapValues(gradients, (gradient, name) => {
        const tensors = { weight: weights[name]!, gradient, ...maskOf(masks, name) };
        return momentumUpdate({ ...tensors, velocity: state[name]! }, rates);
      });
      return {
        weights: mapValues(moved, ({ weight }) => weight),
        state: mapValues(moved, ({ velocity }) => velocity),
      };
    },
  };
}

/** w ← w − learningRate · m̂ / (√v̂ + ε) (Kingma and Ba, arXiv 1412.6980) */
export function adam({ masks, ...options }: AdamOptions): Optimizer {
  const rates = { ...UNSET, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, ...options };
  return {
    init: (weights) => ({
      ...prefixed('mean', zerosOf(weights)),
      ...prefixed('square', zerosOf(weights)),
      step: tf.scalar(0),
    }),
    step: ({ weights, gradients, state }) => {
      const step = tf.add(state.step!, 1);
      const corrected = {
        ...rates,
        meanCorrection: correctionOf(rates.beta1, step),
        squareCorrection: correctionOf(rates.beta2, step),
      };
      const moved = mapValues(gradients, (gradient, name) => {
        const moments = { mean: state[`mean/${name}`]!, square: state[`square/${name}`]! };
        const tensors = { weight: weights[name]!, gradient, ...maskOf(masks, name) };
        return adamUpdate({ ...tensors, ...moments }, corrected);
      });
      const means = mapValues(moved, ({ mean }) => mean);
      const squares = mapValues(moved, ({ square }) => square);
      return {
        weights: mapValues(moved, ({ weight }) => weight),
        state: { ...prefixed('mean', means), ...prefixed('square', squares), step },
      };
    },
  };
}

/** 1 − βᵗ, as float32 */
function correctionOf(rate: number, step: tf.Tensor): number {
  return tf.tidy(() => tf.sub(1, tf.pow(rate, step)).dataSync()[0]!);
}

function maskOf(masks: Tensors | undefined, name: string): { readonly mask?: tf.Tensor } {
  return masks ? { mask: masks[name]! } : {};
}

const zerosOf = (weights: Tensors): Tensors => mapValues(weights, (weight) => tf.zerosLike(weight));

function mapValues<Value, Result>(
  named: Readonly<Record<string, Value>>,
  change: (value: Value, name: string) => Result,
): Record<string, Result> {
  return Object.fromEntries(Object.entries(named).map(([name, value]) => [name, change(value, name)]));
}

function prefixed(prefix: string, tensors: Tensors): Tensors {
  return Object.fromEntries(Object.entries(tensors).map(([name, tensor]) => [`${prefix}/${name}`, tensor]));
}
