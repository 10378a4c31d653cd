import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, test } from 'vitest';
import type { Tensors } from '../../../worker/training/gradients.ts';
import type { Optimizer } from '../../../worker/training/optimizers.ts';
import { adam, sgd } from '../../../worker/training/optimizers.ts';
import { expectClose, expectNoLeak, noise, withBackend } from '../../helpers/tensors.ts';

type Vectors = Readonly<Record<string, ArrayLike<number>>>;

const tensors = (vectors: Vectors): Tensors =>
  Object.fromEntries(
    Object.entries(vectors).map(([name, values]) => [name, tf.tensor1d(Float32Array.from(values))]),
  );
const vectorsOf = (named: Tensors): Record<string, number[]> =>
  Object.fromEntries(Object.entries(named).map(([name, tensor]) => [name, Array.from(tensor.dataSync())]));

/** Weights after each step, for the gradients of each step. */
function weightsAfter(optimizer: Optimizer, start: Vectors, steps: readonly Vectors[]) {
  return tf.tidy(() => {
    const weights = tensors(start);
    let at = { weights, state: optimizer.init(weights) };
    return steps.map((gradients) => {
      at = optimizer.step({ ...at, gradients: tensors(gradients) });
      return vectorsOf(at.weights);
    });
  });
}

const START = { w: [1, -2], v: [4] };
const ZEROS = { w: [0, 0], v: [0] };
const STEPS = [
  { w: [0.5, -1], v: [2] },
  { w: [-0.25, 1], v: [3] },
  { w: [1, 0.5], v: [-1] },
];
/** Of one weight, in each step. */
const OF_V = STEPS.map(({ v: [gradient] }) => gradient!);
const RATE = 0.01;

/** Where `v` is after each step by `move`, in float64. */
function byHand(move: (weight: number, gradient: number, step: number) => number): number[] {
  let [weight] = START.v as [number];
  return OF_V.map((gradient, step) => {
    weight = move(weight, gradient, step + 1);
    return weight;
  });
}

const pathOfV = (optimizer: Optimizer) => weightsAfter(optimizer, START, STEPS).map(({ v }) => v![0]!);

describe.each(['wasm', 'cpu'] as const)('on backend %s', (backend) => {
  withBackend(backend);

  test('sgd alone goes down the gradient', () => {
    expect(weightsAfter(sgd({ learningRate: 0.5 }), START, [{ w: [2, 4], v: [1] }])).toEqual([
      { w: [1 - 0.5 * 2, -2 - 0.5 * 4], v: [4 - 0.5 * 1] },
    ]);
  });

  test('decay adds rate times the weight to the gradient', () => {
    expect(weightsAfter(sgd({ learningRate: 0.5, decay: 0.25 }), START, [{ w: [2, 4], v: [1] }])).toEqual([
      { w: [1 - 0.5 * (2 + 0.25 * 1), -2 - 0.5 * (4 + 0.25 * -2)], v: [4 - 0.5 * (1 + 0.25 * 4)] },
    ]);
  });

  test('momentum is that of PyTorch: v = momentum · v + g, the first step at full size', () => {
    let velocity = 0;
    const expected = byHand((weight, gradient) => {
      velocity = 0.9 * velocity + gradient;
      return weight - RATE * velocity;
    });
    expectClose(pathOfV(sgd({ learningRate: RATE, momentum: 0.9 })), expected, 1e-6);
  });

  test('decay joins the momentum, as in PyTorch', () => {
    let velocity = 0;
    const expected = byHand((weight, gradient) => {
      velocity = 0.9 * velocity + gradient + 0.1 * weight;
      return weight - RATE * velocity;
    });
    expectClose(pathOfV(sgd({ learningRate: RATE, momentum: 0.9, decay: 0.1 })), expected, 1e-6);
  });

  test.each([0, 0.1])('Adam goes by m̂ / (√v̂ + ε), of gradients with decay %s', (decay) => {
    const rates = { beta1: 0.8, beta2: 0.9, epsilon: 1e-3 };
    let [mean, square] = [0, 0];
    const expected = byHand((weight, gradient, step) => {
      const direction = gradient + decay * weight;
      mean = 0.8 * mean + (1 - 0.8) * direction;
      square = 0.9 * square + (1 - 0.9) * direction ** 2;
      const [meanHat, squareHat] = [mean / (1 - 0.8 ** step), square / (1 - 0.9 ** step)];
      return weight - 0.5 * (meanHat / (Math.sqrt(squareHat) + rates.epsilon));
    });
    expectClose(pathOfV(adam({ learningRate: 0.5, decay, ...rates })), expected, 2e-6);
  });

  /** tfjs's own optimizers, which know neither decay nor masks. */
  test.each([
    ['SGD', () => sgd({ learningRate: 0.1 }), () => tf.train.sgd(0.1)],
    ['momentum', () => sgd({ learningRate: 0.1, momentum: 0.9 }), () => tf.train.momentum(0.1, 0.9)],
    ['Adam', () => adam({ learningRate: 0.1 }), () => tf.train.adam(0.1, 0.9, 0.999, 1e-8)],
  ])('%s goes where that of tfjs goes', (_, ours, theirs) => {
    const start = { w: noise(50, 0) };
    const steps = Array.from({ length: 10 }, (__, step) => ({ w: noise(50, 1 + step) }));
    const path = weightsAfter(ours(), start, steps);
    const optimizer = theirs();
    const weight = tf.tidy(() => tf.variable(tf.tensor1d(start.w), true, `w-${backend}`));
    for (const [step, { w }] of steps.entries()) {
      tf.tidy(() => optimizer.applyGradients([{ name: weight.name, tensor: tf.tensor1d(w) }]));
      expectClose(path[step]!.w!, weight.dataSync(), 1e-5);
    }
    weight.dispose();
    optimizer.dispose();
  });

  test('each weight has a mask of its own', () => {
    const masks = tensors({ w: [0, 0.5], v: [1] });
    const [after] = weightsAfter(sgd({ learningRate: 1, masks }), START, [{ w: [2, 4], v: [1] }]);
    expect(after).toEqual({ w: [1, -2 - 0.5 * 4], v: [4 - 1] });
    tf.dispose(Object.values(masks));
  });

  test('decay comes after a mask on the gradient and before one on the update', () => {
    const masks = tensors({ w: [0, 1], v: [0] });
    const options = { learningRate: 0.5, decay: 0.25, masks };
    const gradients = [{ w: [2, 4], v: [1] }];
    const freed = -2 - 0.5 * (4 + 0.25 * -2);
    const drifting = weightsAfter(sgd({ ...options, maskActsOn: 'gradient' }), START, gradients);
    expect(drifting).toEqual([{ w: [1 - 0.5 * 0.25 * 1, freed], v: [4 - 0.5 * 0.25 * 4] }]);
    const held = weightsAfter(sgd({ ...options, maskActsOn: 'update' }), START, gradients);
    expect(held).toEqual([{ w: [1, freed], v: [4] }]);
    tf.dispose(Object.values(masks));
  });

  /** From 0 on, where a weight is the sum of its updates. */
  test.each([
    ['update', 0.1],
    ['gradient', 1],
  ] as const)("a mask of 0.1 on Adam's %s makes %s of a step", (maskActsOn, share) => {
    const masks = tensors({ w: [0.1, 0.1], v: [0.1] });
    const whole = weightsAfter(adam({ learningRate: 1 }), ZEROS, STEPS);
    const masked = weightsAfter(adam({ learningRate: 1, masks, maskActsOn }), ZEROS, STEPS);
    masked.forEach((weights, step) => {
      expectClose(
        weights.w!,
        whole[step]!.w!.map((entry) => share * entry),
        1e-6,
      );
    });
    tf.dispose(Object.values(masks));
  });

  test('none disposes its arguments, and all that they return is all that they make', async () => {
    const masks = tensors(START);
    const [weights, gradients] = [tensors(START), tensors(STEPS[0]!)];
    const optimizers = [
      sgd({ learningRate: 1 }),
      sgd({ learningRate: 1, momentum: 0.9, decay: 0.1, masks, maskActsOn: 'gradient' }),
      adam({ learningRate: 1, decay: 0.1, masks }),
    ];
    await expectNoLeak(() => {
      for (const optimizer of optimizers) {
        const state = optimizer.init(weights);
        const after = optimizer.step({ weights, gradients, state });
        const given = [weights, gradients, masks, state].flatMap((named) => Object.values(named));
        expect(given.some(({ isDisposed }) => isDisposed)).toBe(false);
        tf.dispose([state, after.weights, after.state].flatMap((named) => Object.values(named)));
      }
    });
    tf.dispose([weights, gradients, masks].flatMap((named) => Object.values(named)));
  });
});
