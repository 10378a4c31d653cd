import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, test } from 'vitest';
import {
  type AdamRates,
  adamUpdate,
  type MomentumRates,
  momentumUpdate,
} from '../../../worker/kernels/masked-update.ts';
import {
  accumulateMomentum,
  addDecay,
  chain,
  type GradientTransform,
  multiplyBy,
  scaleBy,
  scaleByAdam,
} from '../../../worker/training/transforms.ts';
import { expectNoLeak, noise, valuesOf, valuesOn, withBackend } from '../../helpers/tensors.ts';
import { expectSameOnAnyThreads } from './threads.ts';

const STEPS = 3;
const RATES = { learningRate: 0.03, momentum: 0.9, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 };

interface Case {
  readonly size: number;
  readonly decay: number;
  readonly maskActsOn: 'gradient' | 'update';
  readonly hasMask: boolean;
}

const CASES: Case[] = [1, 7, 1000].flatMap((size) =>
  [0, 1e-2].flatMap((decay) =>
    (['gradient', 'update'] as const).flatMap((maskActsOn) =>
      [true, false].map((hasMask) => ({ size, decay, maskActsOn, hasMask })),
    ),
  ),
);

/** Weights with −0 among them, gradients that are 0 now and then. */
const weightsOf = ({ size }: Case) => noise(size, 1).map((value, place) => (place % 5 === 0 ? -0 : value));
const gradientsOf = ({ size }: Case, step: number) =>
  noise(size, 2 + step).map((value, place) => (place % 3 === 0 ? 0 : value));
const masksOf = ({ size }: Case) => noise(size, 9).map((value) => Math.max(0, Math.round(value)));

const maskOf = (test: Case) => (test.hasMask ? { mask: tf.tensor1d(masksOf(test)) } : {});

/** The weight after some steps. */
function byMomentum(test: Case): tf.Tensor[] {
  const rates: MomentumRates = { ...RATES, ...test };
  let state = { weight: tf.tensor1d(weightsOf(test)) as tf.Tensor, velocity: tf.zeros([test.size]) };
  for (let step = 0; step < STEPS; step += 1) {
    const gradient = tf.tensor1d(gradientsOf(test, step));
    state = momentumUpdate({ ...state, gradient, ...maskOf(test) }, rates) as typeof state;
  }
  return Object.values(state);
}

function byAdam(test: Case): tf.Tensor[] {
  const start = tf.zeros([test.size]);
  let state = { weight: tf.tensor1d(weightsOf(test)) as tf.Tensor, mean: start, square: start };
  for (let step = 0; step < STEPS; step += 1) {
    const correction = (rate: number) => tf.sub(1, tf.pow(rate, tf.scalar(step + 1))).dataSync()[0]!;
    const rates: AdamRates = {
      ...RATES,
      ...test,
      meanCorrection: correction(RATES.beta1),
      squareCorrection: correction(RATES.beta2),
    };
    const gradient = tf.tensor1d(gradientsOf(test, step));
    state = adamUpdate({ ...state, gradient, ...maskOf(test) }, rates) as typeof state;
  }
  return Object.values(state);
}

/** The same steps by the chain of transforms that the training loop runs. */
function byTransforms(test: Case, optimizer: GradientTransform): tf.Tensor[] {
  const masks = test.hasMask ? [multiplyBy({ w: tf.tensor1d(masksOf(test)) })] : [];
  const decay = test.decay > 0 ? [addDecay(test.decay)] : [];
  const scale = scaleBy(-RATES.learningRate);
  const transform =
    test.maskActsOn === 'gradient'
      ? chain(...masks, ...decay, optimizer, scale)
      : chain(...decay, optimizer, scale, ...masks);
  let weight: tf.Tensor = tf.tensor1d(weightsOf(test));
  let state = transform.init({ w: weight });
  for (let step = 0; step < STEPS; step += 1) {
    const next = transform.update({ w: tf.tensor1d(gradientsOf(test, step)) }, state, { w: weight });
    const update = next.updates.w!;
    weight = tf.where(tf.notEqual(update, 0), tf.add(weight, update), weight);
    state = next.state;
  }
  return [weight];
}

const bits = (values: Float32Array) => [...new Int32Array(values.buffer, values.byteOffset, values.length)];

describe.each([
  { name: 'momentum', update: byMomentum, optimizer: () => accumulateMomentum(RATES.momentum) },
  { name: 'Adam', update: byAdam, optimizer: () => scaleByAdam() },
])('$name in one pass', ({ update, optimizer }) => {
  withBackend('wasm');

  test.each(CASES)('has the bits of the transforms: $size, $decay, $maskActsOn, $hasMask', (test) => {
    const [actual] = valuesOf(() => update(test));
    const [expected] = valuesOf(() => byTransforms(test, optimizer()));
    expect(bits(actual!)).toEqual(bits(expected!));
  });

  test.each(CASES)('is composed elsewhere, alike: $size, $decay, $maskActsOn, $hasMask', async (test) => {
    const [actual] = await valuesOn('cpu', () => update(test));
    const [expected] = await valuesOn('cpu', () => byTransforms(test, optimizer()));
    expect(bits(actual!)).toEqual(bits(expected!));
  });

  test.each(['gradient', 'update'] as const)(
    'keeps the bits of what the mask on the %s holds',
    (maskActsOn) => {
      const test: Case = { size: 1000, decay: 0, maskActsOn, hasMask: true };
      const before = bits(weightsOf(test));
      const after = bits(valuesOf(() => update(test))[0]!);
      const held = masksOf(test).map((entry, place) => Number(entry === 0 && before[place] !== after[place]));
      expect(held.some((entry) => entry !== 0)).toBe(false);
      expect(after).not.toEqual(before);
    },
  );

  const LARGE: Case = { size: 200_003, decay: 1e-3, maskActsOn: 'update', hasMask: true };

  test('gives the same bits on any number of threads', async () => {
    await expectSameOnAnyThreads(() => update(LARGE));
  });

  test('leaves neither a tensor nor memory behind', async () => {
    await expectNoLeak(() => valuesOf(() => update(LARGE)));
  });
});
