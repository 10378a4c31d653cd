import * as tf from '@tensorflow/tfjs-core';
import { layers, sequential } from '@tensorflow/tfjs-layers';
import { describe, expect, test } from 'vitest';
import { startBackend } from '../../../worker/backend.ts';
import { replaceBatchNormCall } from '../../../worker/kernels/batch-norm-layer.ts';
import { kernelCalls } from '../../helpers/kernels.ts';
import { expectClose, expectNoLeak, noise, valuesOf, valuesOn, withBackend } from '../../helpers/tensors.ts';
import { sizeOf } from './reference.ts';
import { expectSameOnAnyThreads } from './threads.ts';

const SHAPES = [
  [6, 5],
  [3, 4, 5],
  [2, 3, 4, 5],
] as const;

type Layer = layers.Layer;
type Options = NonNullable<Parameters<typeof layers.batchNormalization>[0]>;

function layerFor(shape: readonly number[], options: Options = {}) {
  const model = sequential({
    layers: [layers.batchNormalization({ inputShape: shape.slice(1), momentum: 0.9, ...options })],
  });
  const weights = model.getWeights().map(({ shape: [size] }, index) => tf.tensor1d(noise(size!, index)));
  model.setWeights(weights.map((weight) => tf.add(weight, 1.5)));
  return model;
}

/** Output, running statistics after it, gradients. */
function step(shape: readonly number[], options?: Options): tf.Tensor[] {
  const model = layerFor(shape, options);
  const x = tf.tensor(noise(48 * 5, 9).slice(0, tf.util.sizeFromShape([...shape])), [...shape]);
  const f = (input: tf.Tensor) => model.apply(input, { training: true }) as tf.Tensor;
  const y = f(x);
  const statistics = model.getWeights().map((weight) => tf.clone(weight));
  const { grads } = tf.variableGrads(
    () => tf.sum(tf.mul(f(x), tf.tensor(noise(x.size, 3), [...shape]))) as tf.Scalar,
    model.trainableWeights.map((weight) => weight.read() as tf.Variable),
  );
  model.dispose();
  return [y, ...statistics, ...Object.values(grads)];
}

const kernelsOf = async (run: () => tf.Tensor[]) =>
  Object.keys(await kernelCalls(() => tf.dispose(tf.tidy(run))));

describe('a BatchNormalization layer in training mode', () => {
  withBackend('wasm');

  test.each(SHAPES.map((shape) => ({ shape })))(
    'moves its statistics and gives values and gradients as on backend cpu: $shape',
    async ({ shape }) => {
      const actual = valuesOf(() => step(shape));
      const ofCpu = await valuesOn('cpu', () => step(shape));
      expect(actual).toHaveLength(1 + 4 + 2);
      actual.forEach((values, index) => {
        expectClose(values, ofCpu[index]!, 1e-5);
      });
    },
  );

  test('runs one kernel, and one for its gradient', async () => {
    const kernels = await kernelsOf(() => step([2, 3, 4, 5]));
    expect(kernels).toContain('BatchNormTraining');
    expect(kernels).toContain('BatchNormTrainingGradient');
    expect(kernels).not.toContain('FusedBatchNorm');
    expect(kernels).not.toContain('Square');
  });

  test("is tfjs-layers' own along another axis", async () => {
    const run = () => {
      const model = layerFor([2, 3, 4, 5], { axis: 1 });
      const y = model.apply(tf.tensor(noise(120, 9), [2, 3, 4, 5]), { training: true }) as tf.Tensor;
      model.dispose();
      return [y];
    };
    expect(await kernelsOf(run)).not.toContain('BatchNormTraining');
    expectClose(valuesOf(run)[0]!, (await valuesOn('cpu', run))[0]!, 1e-5);
  });

  test("is tfjs-layers' own on another backend", async () => {
    await startBackend('cpu');
    expect(await kernelsOf(() => step([2, 3, 4, 5]))).not.toContain('BatchNormTraining');
    await startBackend('wasm');
  });

  test('leaves neither a tensor nor memory behind', async () => {
    const model = layerFor([8, 8, 8, 16]);
    const x = tf.ones([2, 8, 8, 16]);
    const run = () => tf.dispose(model.apply(x, { training: true }) as tf.Tensor);
    run(); // until then the statistics share the memory of what they were set from
    await expectNoLeak(run);
    x.dispose();
    model.dispose();
  });
});

test('in inference mode the layer normalises by its running statistics', () => {
  const [y, expected] = valuesOf(() => {
    const model = layerFor([2, 5]);
    const x = tf.tensor2d(noise(10, 9), [2, 5]);
    const [gamma, beta, mean, variance] = model.getWeights() as tf.Tensor1D[];
    const unit = tf.div(tf.sub(x, mean!), tf.sqrt(tf.add(variance!, 1e-3)));
    const values = [model.apply(x) as tf.Tensor, tf.add(tf.mul(unit, gamma!), beta!)];
    return values;
  });
  expectClose(y!, expected!, 1e-6);
});

test('a second replacement changes nothing', () => {
  const { prototype } = tf.serialization.SerializationMap.getMap().classNameMap.BatchNormalization![0];
  const before = (prototype as unknown as { call: unknown }).call;
  replaceBatchNormCall();
  expect((prototype as unknown as { call: unknown }).call).toBe(before);
});

/** Value, statistics after it and all gradients of batch norm with some layers behind. */
function stepWith(behind: () => Layer[], training: boolean): tf.Tensor[] {
  const model = sequential({
    layers: [layers.batchNormalization({ inputShape: [5, 4, 11] }), ...behind()],
  });
  model.setWeights(
    model.getWeights().map(({ shape }, index) => {
      const values = noise(sizeOf(shape), index);
      return tf.tensor(index === 0 ? values.map((value) => 4 * (value + 1.5)) : values.map(Math.abs), shape);
    }),
  );
  const x = tf.tensor(noise(3 * 220, 9), [3, 5, 4, 11]);
  const f = (input: tf.Tensor) => model.apply(input, { training }) as tf.Tensor;
  const y = f(x);
  const statistics = model.getWeights().map((weight) => tf.clone(weight));
  const weighted = () => tf.sum(tf.mul(f(x), tf.tensor(noise(y.size, 3), y.shape))) as tf.Scalar;
  const weights = model.trainableWeights.map((weight) => weight.read() as tf.Variable);
  const { grads } = tf.variableGrads(weighted, weights);
  const byInput = tf.grad((input: tf.Tensor) => tf.sum(tf.mul(f(input), y)))(x);
  model.dispose();
  return [y, ...statistics, ...Object.values(grads), byInput];
}

describe.each([true, false])('a relu behind batch norm, training mode %s', (training) => {
  withBackend('wasm');

  const RELUS: Record<string, () => Layer[]> = {
    'a ReLU layer': () => [layers.reLU()],
    'a ReLU layer up to 6': () => [layers.reLU({ maxValue: 6 })],
    'an activation': () => [layers.activation({ activation: 'relu' })],
  };

  test.each(Object.keys(RELUS))('is done with it, with values and gradients as on cpu: %s', async (name) => {
    const run = () => stepWith(RELUS[name]!, training);
    const actual = valuesOf(run);
    const ofCpu = await valuesOn('cpu', run);
    expect(actual[0]!.some((value) => value === 0)).toBe(true);
    expect(actual).toHaveLength(1 + 4 + 2 + 1);
    actual.forEach((values, index) => {
      expectClose(values, ofCpu[index]!, 2e-5);
    });
    const kernels = await kernelsOf(run);
    expect(kernels).not.toContain('Relu');
    expect(kernels).not.toContain('Relu6');
    expect(kernels).not.toContain('ClipGradient');
    await expectSameOnAnyThreads(run);
  });

  test.each<[string, () => Layer[]]>([
    ['of another bound', () => [layers.reLU({ maxValue: 5 })]],
    ['behind another layer', () => [layers.maxPooling2d({ poolSize: 2 }), layers.reLU()]],
  ])('is done by itself: %s', async (_, behind) => {
    const run = () => stepWith(behind, training);
    const ofCpu = await valuesOn('cpu', run);
    valuesOf(run).forEach((values, index) => {
      expectClose(values, ofCpu[index]!, 2e-5);
    });
    expect(await kernelsOf(run)).toContain('Relu');
  });

  test('leaves neither a tensor nor memory behind', async () => {
    const model = sequential({
      layers: [layers.batchNormalization({ inputShape: [40, 40, 20] }), layers.reLU()],
    });
    const x = tf.ones([2, 40, 40, 20]);
    const run = () =>
      tf.dispose(tf.grad((input: tf.Tensor) => model.apply(input, { training }) as tf.Tensor)(x));
    run(); // until then the statistics share the memory of what they were set from
    await expectNoLeak(run);
    x.dispose();
    model.dispose();
  });
});
