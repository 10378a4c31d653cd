import * as tf from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { describe, test } from 'vitest';
import { BATCH_NORM_TRAINING } from '../../../worker/kernels/batch-norm-training.ts';
import { expectClose, expectNoLeak, noise, valuesOf, valuesOn, withBackend } from '../../helpers/tensors.ts';
import { centralDifferences, sizeOf, spread } from './reference.ts';
import { expectSameOnAnyThreads } from './threads.ts';

const EPSILON = 1e-3;

type Shape = [number, number, number, number];
type Values = Record<'x' | 'scale' | 'offset' | 'dy', Float32Array>;

/** At least two rows: the variance of one is 0, and its gradients are differences of nothing. */
const shapes: fc.Arbitrary<Shape> = fc.tuple(
  fc.integer({ min: 2, max: 4 }),
  fc.integer({ min: 1, max: 9 }),
  fc.integer({ min: 1, max: 9 }),
  fc.oneof(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 41, max: 300 })),
);

function valuesFor(shape: Shape): Values {
  const channels = shape[3];
  return {
    x: noise(sizeOf(shape), 1),
    scale: noise(channels, 2).map((value) => 1.5 + value),
    offset: noise(channels, 3),
    dy: noise(sizeOf(shape), 4),
  };
}

/** Mean, variance and normalised values in float64, after the definition. */
function definition(channels: number, { x, scale, offset }: Record<keyof Values, ArrayLike<number>>) {
  const rows = x.length / channels;
  const over = (term: (at: number, channel: number) => number) =>
    Array.from({ length: channels }, (_, channel) => {
      let sum = 0;
      for (let row = 0; row < rows; row += 1) sum += term(row * channels + channel, channel);
      return sum / rows;
    });
  const mean = over((at) => x[at]!);
  const variance = over((at, channel) => (x[at]! - mean[channel]!) ** 2);
  const y = Array.from(x, (value, at) => {
    const c = at % channels;
    return ((value - mean[c]!) / Math.sqrt(variance[c]! + EPSILON)) * scale[c]! + offset[c]!;
  });
  return { y, mean, variance };
}

const inputsOf = (shape: Shape, { x, scale, offset }: Values) =>
  [tf.tensor(x, shape), tf.tensor(scale), tf.tensor(offset)] as const;

const forward = (...[x, scale, offset]: tf.Tensor[]): tf.Tensor[] =>
  tf.engine().runKernel(BATCH_NORM_TRAINING, { x: x!, scale: scale!, offset: offset! }, { epsilon: EPSILON });

/** As tfjs-layers composes it. */
const composed = (...[x, scale, offset]: tf.Tensor[]): tf.Tensor[] => {
  const { mean, variance } = tf.moments(x!, [0, 1, 2]);
  const y = tf.batchNorm(
    x as tf.Tensor4D,
    mean as tf.Tensor1D,
    variance as tf.Tensor1D,
    offset as tf.Tensor1D,
    scale as tf.Tensor1D,
    EPSILON,
  );
  return [y, mean, variance];
};

const gradientsOf = (normalize: typeof forward, shape: Shape, values: Values) => () =>
  tf.grads((...inputs: tf.Tensor[]) => normalize(...inputs)[0]!)(
    [...inputsOf(shape, values)],
    tf.tensor(values.dy, shape),
  );

describe('batch norm in training mode', () => {
  withBackend('wasm');

  test('equals its definition in float64 and the composition of tfjs-layers on backend cpu', async () => {
    await fc.assert(
      fc.asyncProperty(shapes, async (shape) => {
        const values = valuesFor(shape);
        const [y, mean, variance] = valuesOf(() => forward(...inputsOf(shape, values)));
        const expected = definition(shape[3], values);
        expectClose(y!, expected.y, 1e-5);
        expectClose(mean!, expected.mean, 1e-6);
        expectClose(variance!, expected.variance, 1e-6);
        const ofCpu = await valuesOn('cpu', () => composed(...inputsOf(shape, values)));
        [y, mean, variance].forEach((actual, index) => {
          expectClose(actual!, ofCpu[index]!, 1e-4);
        });
      }),
      { seed: 61, numRuns: 30 },
    );
  });

  test.each([3, 16, 21])('is exact for a mean of 100 and a deviation of 0.1, at %d channels', (channels) => {
    const shape: Shape = [8, 31, 33, channels];
    const values = valuesFor(shape);
    values.x.forEach((value, at) => {
      values.x[at] = 100 + (at % channels) + 0.1 * value;
    });
    const [y, mean, variance] = valuesOf(() => forward(...inputsOf(shape, values)));
    const expected = definition(channels, values);
    expectClose(mean!, expected.mean, 1e-7);
    expectClose(variance!, expected.variance, 1e-6);
    expectClose(y!, expected.y, 1e-5);
  });

  test('is exact where the first rows lie far from the rest', () => {
    const shape: Shape = [1, 40, 100, 8];
    const values = valuesFor(shape);
    values.x.forEach((value, at) => {
      values.x[at] = at < 70 * 8 ? -1000 : 1000 + value;
    });
    const [y, mean, variance] = valuesOf(() => forward(...inputsOf(shape, values)));
    const expected = definition(8, values);
    expectClose(mean!, expected.mean, 1e-6);
    expectClose(variance!, expected.variance, 1e-5);
    expectClose(y!, expected.y, 1e-5);
  });
});

describe('its gradients', () => {
  withBackend('wasm');

  test('equal central differences in float64 and the composition of tfjs-layers on backend cpu', async () => {
    await fc.assert(
      fc.asyncProperty(shapes, async (shape) => {
        const values = valuesFor(shape);
        const actual = valuesOf(gradientsOf(forward, shape, values));
        (['x', 'scale', 'offset'] as const).forEach((name, index) => {
          const at = spread(values[name].length, 4);
          const f = (moved: Float64Array) => {
            const { y } = definition(shape[3], { ...values, [name]: moved });
            return y.reduce((sum, value, place) => sum + value * values.dy[place]!, 0);
          };
          expectClose(
            [...at.map((place) => actual[index]![place]!), 1],
            [...centralDifferences(values[name], f, { at, step: 1e-5 }), 1],
            2e-5,
          );
        });
        const ofCpu = await valuesOn('cpu', gradientsOf(composed, shape, values));
        actual.forEach((gradient, index) => {
          expectClose(gradient, ofCpu[index]!, 1e-4);
        });
      }),
      { seed: 62, numRuns: 25 },
    );
  });

  test.each([8, 13])('and values give the same bits on any number of threads, at %d channels', async (c) => {
    const shape: Shape = [9, 41, 37, c];
    const values = valuesFor(shape);
    await expectSameOnAnyThreads(() => [
      ...forward(...inputsOf(shape, values)),
      ...gradientsOf(forward, shape, values)(),
    ]);
  });

  test('leave neither a tensor nor memory behind', async () => {
    const shape: Shape = [4, 33, 33, 20];
    await expectNoLeak(() => valuesOf(gradientsOf(forward, shape, valuesFor(shape))));
  });

  test('of a constant input are finite, and 0 by x', () => {
    const shape: Shape = [2, 5, 5, 8];
    const values = {
      ...valuesFor(shape),
      x: new Float32Array(400).fill(3),
      dy: new Float32Array(400).fill(1),
    };
    const [dx, dscale, doffset] = valuesOf(gradientsOf(forward, shape, values));
    expectClose(dx!, new Float32Array(400), 1e-5);
    expectClose(dscale!, new Float32Array(8), 1e-5);
    expectClose(doffset!, new Float32Array(8).fill(50), 0);
  });
});
