import * as tf from '@tensorflow/tfjs-core';

/** Tensors by parameter name. */
export type Tensors = Readonly<Record<string, tf.Tensor>>;

/**
 * One step from gradients to updates, as a value: `init` makes the state, `update` returns what to pass on
 * and the next state. Neither disposes its arguments; the loop owns states and updates.
 */
export interface GradientTransform {
  init(weights: Tensors): Tensors;
  update(gradients: Tensors, state: Tensors, weights: Tensors): { updates: Tensors; state: Tensors };
}

const mapTensors = (tensors: Tensors, change: (tensor: tf.Tensor, name: string) => tf.Tensor): Tensors =>
  Object.fromEntries(Object.entries(tensors).map(([name, tensor]) => [name, change(tensor, name)]));

const stateless = (change: (gradient: tf.Tensor, name: string, weights: Tensors) => tf.Tensor) =>
  ({
    init: () => ({}),
    update: (gradients, state, weights) => ({
      updates: mapTensors(gradients, (gradient, name) => change(gradient, name, weights)),
      state,
    }),
  }) satisfies GradientTransform;

/** g · factor */
export const scaleBy = (factor: number): GradientTransform =>
  stateless((gradient) => tf.mul(gradient, factor));

/** g + rate · w; L2 decay as SGD has it */
export const addDecay = (rate: number): GradientTransform =>
  stateless((gradient, name, weights) => tf.add(gradient, tf.mul(weights[name]!, rate)));

/** g · mask, mask entries in [0, 1]; the caller keeps the masks */
export const multiplyBy = (masks: Tensors): GradientTransform =>
  stateless((gradient, name) => tf.mul(gradient, masks[name]!));

/** v ← rate · v + g, passes v on; momentum as PyTorch's SGD has it */
export const accumulateMomentum = (rate: number): GradientTransform => ({
  init: (weights) => mapTensors(weights, (weight) => tf.zerosLike(weight)),
  update: (gradients, state) => {
    const velocity = mapTensors(gradients, (gradient, name) => tf.add(tf.mul(state[name]!, rate), gradient));
    return { updates: velocity, state: velocity };
  },
});

/** Adam's direction m̂ / (√v̂ + ε), without its learning rate (Kingma and Ba, arXiv 1412.6980). */
export const scaleByAdam = ({ beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8 } = {}): GradientTransform => ({
  init: (weights) => ({
    ...prefixed(
      'mean',
      mapTensors(weights, (weight) => tf.zerosLike(weight)),
    ),
    ...prefixed(
      'square',
      mapTensors(weights, (weight) => tf.zerosLike(weight)),
    ),
    step: tf.scalar(0),
  }),
  update: (gradients, state) => {
    const step = tf.add(state.step!, 1);
    const means = mapTensors(gradients, (gradient, name) => blend(state[`mean/${name}`]!, gradient, beta1));
    const squares = mapTensors(gradients, (gradient, name) =>
      blend(state[`square/${name}`]!, tf.square(gradient), beta2),
    );
    const updates = mapTensors(means, (mean, name) => {
      const corrected = tf.div(mean, tf.sub(1, tf.pow(beta1, step)));
      const scale = tf.sqrt(tf.div(squares[name]!, tf.sub(1, tf.pow(beta2, step))));
      return tf.div(corrected, tf.add(scale, epsilon));
    });
    return { updates, state: { ...prefixed('mean', means), ...prefixed('square', squares), step } };
  },
});

/** Runs the transforms one after another; each sees what the one before passed on. */
export const chain = (...transforms: readonly GradientTransform[]): GradientTransform => ({
  init: (weights) =>
    Object.assign({}, ...transforms.map((transform, place) => prefixed(place, transform.init(weights)))),
  update: (gradients, state, weights) => {
    let updates = gradients;
    const next: Record<string, tf.Tensor> = {};
    for (const [place, transform] of transforms.entries()) {
      const step = transform.update(updates, unprefixed(place, state), weights);
      updates = step.updates;
      Object.assign(next, prefixed(place, step.state));
    }
    return { updates, state: next };
  },
});

function blend(old: tf.Tensor, fresh: tf.Tensor, rate: number): tf.Tensor {
  return tf.add(tf.mul(old, rate), tf.mul(fresh, 1 - rate));
}

function prefixed(prefix: string | number, tensors: Tensors): Tensors {
  return Object.fromEntries(Object.entries(tensors).map(([name, tensor]) => [`${prefix}/${name}`, tensor]));
}

function unprefixed(prefix: string | number, tensors: Tensors): Tensors {
  const start = `${prefix}/`;
  const own = Object.entries(tensors).filter(([name]) => name.startsWith(start));
  return Object.fromEntries(own.map(([name, tensor]) => [name.slice(start.length), tensor]));
}
