import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, test } from 'vitest';
import type { GradientTransform, Tensors } from '../../../worker/training/transforms.ts';
import {
  accumulateMomentum,
  addDecay,
  chain,
  multiplyBy,
  scaleBy,
  scaleByAdam,
} from '../../../worker/training/transforms.ts';
import { expectClose, expectNoLeak, withBackend } from '../../helpers/tensors.ts';

type Vectors = Readonly<Record<string, readonly number[]>>;

const tensors = (vectors: Vectors): Tensors =>
  Object.fromEntries(Object.entries(vectors).map(([name, values]) => [name, tf.tensor1d([...values])]));
const vectorsOf = (named: Tensors): Record<string, number[]> =>
  Object.fromEntries(Object.entries(named).map(([name, tensor]) => [name, Array.from(tensor.dataSync())]));

/** Updates of each step for the gradients of each step; the weights stay where they are. */
function updatesOf(transform: GradientTransform, weights: Vectors, steps: readonly Vectors[]) {
  return tf.tidy(() => {
    const held = tensors(weights);
    let state = transform.init(held);
    return steps.map((gradients) => {
      const step = transform.update(tensors(gradients), state, held);
      state = step.state;
      return vectorsOf(step.updates);
    });
  });
}

const WEIGHTS = { w: [1, -2], v: [4] };
const STEPS = [
  { w: [0.5, -1], v: [2] },
  { w: [-0.25, 1], v: [3] },
  { w: [1, 0.5], v: [-1] },
];

describe('transforms', () => {
  withBackend('wasm');

  test('scaleBy multiplies', () => {
    expect(updatesOf(scaleBy(-0.5), WEIGHTS, [{ w: [2, 4], v: [1] }])).toEqual([{ w: [-1, -2], v: [-0.5] }]);
  });

  test('addDecay adds rate times the weight', () => {
    expect(updatesOf(addDecay(0.25), WEIGHTS, [{ w: [2, 4], v: [1] }])).toEqual([
      { w: [2 + 0.25 * 1, 4 + 0.25 * -2], v: [1 + 0.25 * 4] },
    ]);
  });

  test('multiplyBy takes each weight by its own mask', () => {
    const masks = tensors({ w: [0, 0.5], v: [1] });
    expect(updatesOf(multiplyBy(masks), WEIGHTS, [{ w: [2, 4], v: [1] }])).toEqual([{ w: [0, 2], v: [1] }]);
    tf.dispose(Object.values(masks));
  });

  test('momentum is that of PyTorch: v = rate · v + g, the first step at full size', () => {
    const rate = 0.9;
    const first = 2;
    const second = rate * first + 3;
    const third = rate * second - 1;
    const updates = updatesOf(accumulateMomentum(rate), WEIGHTS, STEPS).map(({ v }) => v![0]);
    expectClose(updates as number[], [first, second, third], 1e-6);
  });

  test('decay joins the momentum when it comes before it, as in PyTorch', () => {
    const [rate, decay] = [0.9, 0.1];
    const sgd = chain(addDecay(decay), accumulateMomentum(rate), scaleBy(-0.01));
    const first = 2 + decay * 4;
    const second = rate * first + 3 + decay * 4;
    const updates = updatesOf(sgd, WEIGHTS, STEPS.slice(0, 2)).map(({ v }) => v![0]);
    expectClose(updates as number[], [-0.01 * first, -0.01 * second], 1e-6);
  });

  test('Adam is m̂ / (√v̂ + ε)', () => {
    const options = { beta1: 0.8, beta2: 0.9, epsilon: 1e-3 };
    let [mean, square] = [0, 0];
    const expected = STEPS.map(({ v: [gradient] }, place) => {
      mean = options.beta1 * mean + (1 - options.beta1) * gradient!;
      square = options.beta2 * square + (1 - options.beta2) * gradient! ** 2;
      const [meanHat, squareHat] = [mean / (1 - 0.8 ** (place + 1)), square / (1 - 0.9 ** (place + 1))];
      return meanHat / (Math.sqrt(squareHat) + options.epsilon);
    });
    const updates = updatesOf(scaleByAdam(options), WEIGHTS, STEPS).map(({ v }) => v![0]);
    expectClose(updates as number[], expected, 1e-5);
  });

  test('a mask of 0.1 after Adam makes 0.1 of the step', () => {
    const masks = tensors({ w: [0.1, 0.1], v: [0.1] });
    const whole = updatesOf(scaleByAdam(), WEIGHTS, STEPS);
    const masked = updatesOf(chain(scaleByAdam(), multiplyBy(masks)), WEIGHTS, STEPS);
    masked.forEach((updates, step) => {
      expectClose(
        updates.w!,
        whole[step]!.w!.map((entry) => 0.1 * entry),
        1e-6,
      );
    });
    tf.dispose(Object.values(masks));
  });

  test('a mask of 0.1 before Adam makes the whole step', () => {
    const masks = tensors({ w: [0.1, 0.1], v: [0.1] });
    const whole = updatesOf(scaleByAdam(), WEIGHTS, STEPS);
    const masked = updatesOf(chain(multiplyBy(masks), scaleByAdam()), WEIGHTS, STEPS);
    masked.forEach((updates, step) => {
      expectClose(updates.w!, whole[step]!.w!, 1e-5);
    });
    tf.dispose(Object.values(masks));
  });

  test('chain runs in order and keeps the states of equal transforms apart', () => {
    const twice = chain(accumulateMomentum(0.5), accumulateMomentum(0.25));
    const [outer, inner] = [[2], [2]];
    const innerSecond = 0.5 * inner[0]! + 3;
    const expected = [outer[0]!, 0.25 * outer[0]! + innerSecond];
    const updates = updatesOf(twice, WEIGHTS, STEPS.slice(0, 2)).map(({ v }) => v![0]);
    expectClose(updates as number[], expected, 1e-6);
  });

  test('an empty chain passes gradients on', () => {
    expect(updatesOf(chain(), WEIGHTS, [STEPS[0]!])).toEqual([STEPS[0]]);
  });

  test('none disposes its arguments', async () => {
    const masks = tensors(WEIGHTS);
    const transforms = [
      scaleBy(2),
      addDecay(0.1),
      multiplyBy(masks),
      accumulateMomentum(0.9),
      scaleByAdam(),
      chain(scaleByAdam(), scaleBy(-1)),
    ];
    const [weights, gradients] = [tensors(WEIGHTS), tensors(STEPS[0]!)];
    await expectNoLeak(() => {
      for (const transform of transforms) {
        const state = transform.init(weights);
        const kept = { ...weights, ...gradients, ...state, ...masks };
        tf.tidy(() => void transform.update(gradients, state, weights));
        expect(Object.values(kept).some(({ isDisposed }) => isDisposed)).toBe(false);
        tf.dispose(Object.values(state));
      }
    });
    tf.dispose([weights, gradients, masks].flatMap((named) => Object.values(named)));
  });
});
