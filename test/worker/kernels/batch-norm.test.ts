import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { expectClose, expectNoLeak, noise, valuesOf, valuesOn, withBackend } from '../../helpers/tensors.ts';
import { centralDifferences, sizeOf, spread } from './reference.ts';
import { expectSameOnAnyThreads } from './threads.ts';

const EPSILON = 1e-3;

interface Case {
  readonly shape: [number, number, number, number];
  readonly hasScale: boolean;
  readonly hasOffset: boolean;
}

const cases: fc.Arbitrary<Case> = fc.record({
  shape: fc.tuple(
    fc.integer({ min: 1, max: 3 }),
    fc.integer({ min: 1, max: 9 }),
    fc.integer({ min: 1, max: 9 }),
    fc.oneof(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 41, max: 300 })),
  ),
  hasScale: fc.boolean(),
  hasOffset: fc.boolean(),
});

/** x, mean, variance, offset, scale, dy */
type Values = Record<'x' | 'mean' | 'variance' | 'offset' | 'scale' | 'dy', Float32Array>;

function valuesFor({ shape }: Case): Values {
  const channels = shape[3];
  return {
    x: noise(sizeOf(shape), 1),
    mean: noise(channels, 2),
    variance: noise(channels, 3).map((value) => 0.2 + value * value),
    offset: noise(channels, 4),
    scale: noise(channels, 5).map((value) => 1.5 + value),
    dy: noise(sizeOf(shape), 6),
  };
}

/** Σ dy · y in float64, after the definition. */
function form({ shape, hasScale, hasOffset }: Case, values: Record<keyof Values, ArrayLike<number>>): number {
  const { x, mean, variance, offset, scale, dy } = values;
  let sum = 0;
  for (let at = 0; at < x.length; at += 1) {
    const c = at % shape[3];
    const unit = (x[at]! - mean[c]!) / Math.sqrt(variance[c]! + EPSILON);
    sum += dy[at]! * (unit * (hasScale ? scale[c]! : 1) + (hasOffset ? offset[c]! : 0));
  }
  return sum;
}

function normalize({ hasScale, hasOffset }: Case) {
  return (...[x, mean, variance, offset, scale]: tf.Tensor[]) =>
    tf.batchNorm(
      x as tf.Tensor4D,
      mean as tf.Tensor1D,
      variance as tf.Tensor1D,
      hasOffset ? (offset as tf.Tensor1D) : undefined,
      hasScale ? (scale as tf.Tensor1D) : undefined,
      EPSILON,
    );
}

const NAMES = ['x', 'mean', 'variance', 'offset', 'scale'] as const;

const inputsOf = ({ shape }: Case, values: Values) =>
  NAMES.map((name) => tf.tensor(values[name], name === 'x' ? shape : [shape[3]]));

describe('batch norm by given statistics', () => {
  withBackend('wasm');

  test('equals its definition in float64 and backend cpu', async () => {
    await fc.assert(
      fc.asyncProperty(cases, async (test) => {
        const values = valuesFor(test);
        const evaluate = () => [normalize(test)(...inputsOf(test, values))];
        const [actual] = valuesOf(evaluate);
        const at = spread(actual!.length, 20);
        const unit = (index: number) => Float32Array.from(values.dy, (_, place) => Number(place === index));
        expectClose(
          at.map((index) => actual![index]!),
          at.map((index) => form(test, { ...values, dy: unit(index) })),
          1e-6,
        );
        const [ofCpu] = await valuesOn('cpu', evaluate);
        expectClose(actual!, ofCpu!, 1e-5);
      }),
      { seed: 51, numRuns: 30 },
    );
  });

  test('keeps the digits of a mean far above the deviation', () => {
    const x = noise(3000, 1).map((value) => 100 + value / 10);
    const [y] = valuesOf(() => [
      tf.batchNorm(tf.tensor2d(x, [1000, 3]), tf.fill([3], 100), tf.fill([3], 0.01), undefined, undefined, 0),
    ]);
    expectClose(
      y!,
      Array.from(x, (value) => (value - 100) / Math.sqrt(Math.fround(0.01))),
      1e-6,
    );
  });
});

describe('its gradients', () => {
  withBackend('wasm');
  /** tfjs cannot save what is absent, on no backend. */
  const complete = cases.map((test) => ({ ...test, hasScale: true, hasOffset: true }));

  const gradients = (test: Case) => () => {
    const values = valuesFor(test);
    const dy = tf.tensor(values.dy, test.shape);
    return tf.grads(normalize(test))(inputsOf(test, values), dy);
  };

  test('equal central differences in float64 and backend cpu', async () => {
    await fc.assert(
      fc.asyncProperty(complete, async (test) => {
        const values = valuesFor(test);
        const actual = valuesOf(gradients(test));
        NAMES.forEach((name, index) => {
          const at = spread(values[name].length, 6);
          const f = (moved: Float64Array) => form(test, { ...values, [name]: moved });
          const expected = centralDifferences(values[name], f, { at, step: 1e-5 });
          const scale = Math.max(...Array.from(actual[index]!, Math.abs));
          at.forEach((place, order) => {
            expect(Math.abs(actual[index]![place]! - expected[order]!)).toBeLessThan(2e-5 * scale + 1e-6);
          });
        });
        const ofCpu = await valuesOn('cpu', gradients(test));
        actual.forEach((gradient, index) => {
          expectClose(gradient, ofCpu[index]!, 1e-4);
        });
      }),
      { seed: 52, numRuns: 30 },
    );
  });

  test.each([['x'], ['scale'], ['offset'], ['mean'], ['variance']])(
    'are had one by one: %s',
    async (name) => {
      const test: Case = { shape: [2, 3, 4, 9], hasScale: true, hasOffset: true };
      const place = NAMES.indexOf(name as 'x');
      const alone = () => {
        const inputs = inputsOf(test, valuesFor(test));
        const f = (input: tf.Tensor) => normalize(test)(...inputs.with(place, input));
        return [tf.grad(f)(inputs[place]!, tf.tensor(valuesFor(test).dy, test.shape))];
      };
      expectClose(valuesOf(alone)[0]!, valuesOf(gradients(test))[place]!, 1e-6);
      await expectNoLeak(() => valuesOf(alone));
    },
  );

  test.each([8, 13])('and values give the same bits on any number of threads, at %d channels', async (c) => {
    const test: Case = { shape: [9, 41, 37, c], hasScale: true, hasOffset: true };
    await expectSameOnAnyThreads(() => [
      ...gradients(test)(),
      normalize(test)(...inputsOf(test, valuesFor(test))),
    ]);
  });

  test('leave neither a tensor nor memory behind', async () => {
    const test: Case = { shape: [4, 33, 33, 20], hasScale: true, hasOffset: true };
    await expectNoLeak(() => valuesOf(gradients(test)));
  });
});
