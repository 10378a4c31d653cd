import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, test } from 'vitest';
import {
  type AdamRates,
  adamUpdate,
  type MomentumRates,
  momentumUpdate,
} from '../../../worker/kernels/masked-update.ts';
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

/** The corrections of a step, as float32. */
const correctionOf = (rate: number, step: number) => Math.fround(1 - rate ** (step + 1));

/** Weight and velocity after some steps. */
function byMomentum(test: Case): tf.Tensor[] {
  const rates: MomentumRates = { ...RATES, ...test };
  let state = { weight: tf.tensor1d(weightsOf(test)) as tf.Tensor, velocity: tf.zeros([test.size]) };
  for (let step = 0; step < STEPS; step += 1) {
    const gradient = tf.tensor1d(gradientsOf(test, step));
    state = momentumUpdate({ ...state, gradient, ...maskOf(test) }, rates) as typeof state;
  }
  return [state.weight, state.velocity];
}

/** Weight and both moments after some steps. */
function byAdam(test: Case): tf.Tensor[] {
  const start = tf.zeros([test.size]);
  let state = { weight: tf.tensor1d(weightsOf(test)) as tf.Tensor, mean: start, square: start };
  for (let step = 0; step < STEPS; step += 1) {
    const rates: AdamRates = {
      ...RATES,
      ...test,
      meanCorrection: correctionOf(RATES.beta1, step),
      squareCorrection: correctionOf(RATES.beta2, step),
    };
    const gradient = tf.tensor1d(gradientsOf(test, step));
    state = adamUpdate({ ...state, gradient, ...maskOf(test) }, rates) as typeof state;
  }
  return [state.weight, state.mean, state.square];
}

const round = Math.fround;

/** The numbers of one place of the tensors. */
interface Place {
  readonly weight: number;
  readonly gradient: number;
  readonly mask: number;
}

/** Mask on the gradient, then decay; each result rounded to float32. */
function directionAt({ weight, gradient, mask }: Place, test: Case): number {
  const own = test.hasMask && test.maskActsOn === 'gradient' ? round(gradient * mask) : gradient;
  return test.decay > 0 ? round(own + round(weight * round(test.decay))) : own;
}

/** Learning rate, then mask on the update; a weight whose update is 0 is passed on. */
function movedAt({ weight, mask }: Place, test: Case, direction: number): number {
  const step = round(direction * round(-RATES.learningRate));
  const update = test.hasMask && test.maskActsOn === 'update' ? round(step * mask) : step;
  return update === 0 ? weight : round(weight + update);
}

const blend = (old: number, fresh: number, rate: number) =>
  round(round(old * round(rate)) + round(fresh * round(1 - rate)));

/** Weight and velocity of one place after some steps, one operation after the other. */
function momentumAt(start: Place, gradients: readonly number[], test: Case): number[] {
  let { weight } = start;
  let velocity = 0;
  for (const gradient of gradients) {
    const place = { ...start, weight, gradient };
    velocity = round(round(velocity * round(RATES.momentum)) + directionAt(place, test));
    weight = movedAt(place, test, velocity);
  }
  return [weight, velocity];
}

function adamAt(start: Place, gradients: readonly number[], test: Case): number[] {
  let { weight } = start;
  let [mean, square] = [0, 0];
  for (const [step, gradient] of gradients.entries()) {
    const place = { ...start, weight, gradient };
    const direction = directionAt(place, test);
    mean = blend(mean, direction, RATES.beta1);
    square = blend(square, round(direction * direction), RATES.beta2);
    const deviation = round(Math.sqrt(round(square / correctionOf(RATES.beta2, step))));
    const corrected = round(mean / correctionOf(RATES.beta1, step));
    weight = movedAt(place, test, round(corrected / round(deviation + round(RATES.epsilon))));
  }
  return [weight, mean, square];
}

/** Weight and state after some steps, place by place. */
function byPlaces(test: Case, stepsAt: typeof momentumAt): Float32Array[] {
  const [weights, masks] = [weightsOf(test), masksOf(test)];
  const gradients = Array.from({ length: STEPS }, (_, step) => gradientsOf(test, step));
  const places = Array.from(weights, (weight, place) => {
    const own = gradients.map((values) => values[place]!);
    return stepsAt({ weight, gradient: 0, mask: masks[place]! }, own, test);
  });
  return places[0]!.map((_, part) => Float32Array.from(places, (values) => values[part]!));
}

const bits = (values: Float32Array) => [...new Int32Array(values.buffer, values.byteOffset, values.length)];

describe.each([
  { name: 'momentum', update: byMomentum, stepsAt: momentumAt },
  { name: 'Adam', update: byAdam, stepsAt: adamAt },
])('$name in one pass', ({ update, stepsAt }) => {
  withBackend('wasm');

  test.each(CASES)('has the bits of step by step: $size, $decay, $maskActsOn, $hasMask', (test) => {
    const expected = byPlaces(test, stepsAt).map(bits);
    expect(valuesOf(() => update(test)).map(bits)).toEqual(expected);
  });

  test.each(CASES)('is composed elsewhere, alike: $size, $decay, $maskActsOn, $hasMask', async (test) => {
    const expected = byPlaces(test, stepsAt).map(bits);
    const actual = await valuesOn('cpu', () => update(test));
    expect(actual.map(bits)).toEqual(expected);
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
