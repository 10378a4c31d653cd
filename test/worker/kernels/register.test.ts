import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { describe, expect, test } from 'vitest';
import { startBackend } from '../../../worker/backend.ts';
import { REFUSED_KERNELS, registerTrainingKernels } from '../../../worker/kernels/register.ts';
import { expectClose, expectNoLeak, noise, valuesOf, valuesOn, withBackend } from '../../helpers/tensors.ts';

const { layers, initializers, regularizers } = tfl;

/** Kernels of backend wasm by name, in the order in which they were registered. */
const kernelsOfWasm = () =>
  tf.getKernelsForBackend('wasm').map(({ kernelName, kernelFunc }) => ({ kernelName, kernelFunc }));

describe('before registration', () => {
  test('the import of the kernels has changed nothing', async () => {
    await import('@tensorflow/tfjs-backend-wasm');
    expect(tf.getKernel('Conv2DBackpropFilter', 'wasm')).toBeUndefined();
  });
});

describe('the training kernels', () => {
  withBackend('wasm');

  test('are registered once, however often they are asked for', () => {
    const before = kernelsOfWasm();
    registerTrainingKernels();
    expect(kernelsOfWasm()).toEqual(before);
  });

  test('outlive a change of backend', async () => {
    await startBackend('cpu');
    await startBackend('wasm');
    expect(tf.getKernel('Conv2DBackpropFilter', 'wasm')).toBeDefined();
  });

  test('do not hide that another kernel is missing', () => {
    expect(() => tf.engine().runKernel('FFT', { input: tf.scalar(0) })).toThrow(/FFT/);
  });

  test.each(REFUSED_KERNELS)('refuse %s by name instead of a wrong gradient', (kernel) => {
    expect(() => tf.engine().runKernel(kernel, {})).toThrow(
      expect.objectContaining({ code: 'UNSUPPORTED_MODEL', message: expect.stringContaining(kernel) }),
    );
  });
});

/** What a usual network is made of besides convolutions and pools; x is [2, 5, 4, 3], w is [3]. */
const OPERATIONS: Readonly<Record<string, (x: tf.Tensor4D, w: tf.Tensor1D) => tf.Tensor>> = {
  relu: (x) => tf.relu(x),
  relu6: (x) => tf.relu6(tf.mul(x, 8)),
  elu: (x) => tf.elu(x),
  selu: (x) => tf.selu(x),
  sigmoid: (x) => tf.sigmoid(x),
  tanh: (x) => tf.tanh(x),
  softplus: (x) => tf.softplus(x),
  softmax: (x) => tf.softmax(x),
  logSoftmax: (x) => tf.logSoftmax(x),
  leakyRelu: (x) => tf.leakyRelu(x, 0.3),
  prelu: (x, w) => tf.prelu(x, w as tf.Tensor as tf.Tensor4D),
  swish: (x) => tf.mul(x, tf.sigmoid(x)),
  gelu: (x) => tf.mul(x, tf.add(1, tf.erf(tf.div(x, Math.SQRT2)))),
  hardSigmoid: (x) => tf.clipByValue(tf.add(tf.mul(x, 0.4), 0.5), 0, 1),
  dropout: (x) => tf.dropout(x, 0.4, undefined, 5),
  batchNorm: (x, w) => tf.batchNorm(x, w, tf.add(tf.square(w), 1), tf.sub(w, 1), tf.add(w, 2)),
  moments: (x) => tf.add(tf.moments(x, [0, 1, 2]).mean, tf.moments(x, [0, 1, 2]).variance),
  bias: (x, w) => tf.add(x, w),
  scale: (x, w) => tf.mul(x, w),
  divide: (x, w) => tf.div(x, tf.add(w, 3)),
  reshape: (x) => tf.reshape(x, [2, 60]),
  transpose: (x) => tf.transpose(x, [3, 1, 0, 2]),
  concat: (x) => tf.concat([x, tf.square(x)], 3),
  split: (x) => tf.split(x, [1, 2], 3)[1]!,
  slice: (x) => tf.slice(x, [0, 1, 2, 1], [2, 3, 2, 2]),
  pad: (x) =>
    tf.pad(x, [
      [0, 0],
      [1, 2],
      [0, 1],
      [0, 0],
    ]),
  sum: (x) => tf.sum(x, [1, 2]),
  mean: (x) => tf.mean(x, [0, 1, 2]),
  max: (x) => tf.max(x, [1, 2]),
  logSumExp: (x) => tf.logSumExp(x, -1),
  norm: (x) => tf.norm(x),
  gather: (x) => tf.gather(x, tf.tensor1d([1, 0, 1], 'int32')),
  tile: (x) => tf.tile(x, [2, 1, 3, 1]),
  where: (x) => tf.where(tf.greaterEqual(tf.tensor1d([1, -1, 0]), 0), x, tf.square(x)),
};

describe('what a network is made of besides convolutions', () => {
  withBackend('wasm');

  test.each(Object.keys(OPERATIONS))('%s has the value and the gradients of backend cpu', async (name) => {
    const operation = OPERATIONS[name]!;
    const evaluate = () => {
      const x = tf.tensor(noise(120, 1), [2, 5, 4, 3]);
      const w = tf.tensor(noise(3, 2), [3]);
      const f = (...inputs: tf.Tensor[]) => operation(inputs[0] as tf.Tensor4D, inputs[1] as tf.Tensor1D);
      const value = f(x, w);
      const used = operation.length === 2 ? [x, w] : [x];
      return [value, ...tf.grads(f)(used, tf.tensor(noise(value.size, 3), value.shape))];
    };
    const actual = valuesOf(evaluate);
    const ofCpu = await valuesOn('cpu', evaluate);
    actual.forEach((values, index) => {
      expectClose(values, ofCpu[index]!, 1e-5);
    });
  });

  test('upsampling adds up the gradients of the pixels that a pixel became', () => {
    const enlarge = (x: tf.Tensor) => tf.image.resizeNearestNeighbor(x as tf.Tensor4D, [2, 6]);
    const dy = tf.tensor4d([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12], [1, 2, 6, 1]);
    const [dx] = valuesOf(() => [tf.grad(enlarge)(tf.ones([1, 1, 3, 1]), dy)]);
    expect([...dx!]).toEqual([1 + 2 + 7 + 8, 3 + 4 + 9 + 10, 5 + 6 + 11 + 12]);
    dy.dispose();
  });
});

function network(): tfl.Sequential {
  let seed = 0;
  const kernelInitializer = () => {
    seed += 1;
    return initializers.heNormal({ seed });
  };
  const model = tfl.sequential();
  model.add(
    layers.conv2d({
      inputShape: [13, 11, 3],
      filters: 6,
      kernelSize: 3,
      padding: 'same',
      useBias: false,
      kernelInitializer: kernelInitializer(),
    }),
  );
  model.add(layers.batchNormalization());
  model.add(layers.activation({ activation: 'relu' }));
  model.add(layers.maxPooling2d({ poolSize: 3, strides: 2, padding: 'same' }));
  model.add(
    layers.depthwiseConv2d({
      kernelSize: 3,
      padding: 'same',
      depthMultiplier: 2,
      useBias: false,
      depthwiseInitializer: kernelInitializer(),
    }),
  );
  model.add(layers.batchNormalization());
  model.add(layers.activation({ activation: 'relu6' }));
  model.add(
    layers.separableConv2d({
      filters: 8,
      kernelSize: 3,
      strides: 2,
      depthwiseInitializer: kernelInitializer(),
      pointwiseInitializer: kernelInitializer(),
      activation: 'elu',
    }),
  );
  model.add(
    layers.conv2d({
      filters: 5,
      kernelSize: 1,
      strides: 2,
      kernelInitializer: kernelInitializer(),
      activation: 'tanh',
      kernelRegularizer: regularizers.l2({ l2: 0.01 }),
    }),
  );
  model.add(layers.globalAveragePooling2d({}));
  model.add(layers.dense({ units: 7, activation: 'softplus', kernelInitializer: kernelInitializer() }));
  model.add(layers.dense({ units: 1, kernelInitializer: kernelInitializer() }));
  return model;
}

/** Loss and all gradients of one training step, in the order of the weights. */
function trainingStep(): tf.Tensor[] {
  const model = network();
  const images = tf.tensor(noise(8 * 13 * 11 * 3, 1), [8, 13, 11, 3]);
  const labels = tf.tensor2d([0, 1, 1, 0, 1, 0, 0, 1], [8, 1]);
  const { value, grads } = tf.variableGrads(() => {
    const logits = model.apply(images, { training: true }) as tf.Tensor;
    return tf.losses.sigmoidCrossEntropy(labels, logits);
  });
  const gradients = model.trainableWeights.map((weight) => grads[(weight.read() as tf.Variable).name]!);
  model.dispose();
  return [value, ...gradients];
}

describe('a training step of a small network', () => {
  withBackend('wasm');

  test('has the loss and all gradients of backend cpu, to 1e-3', async () => {
    const actual = await valuesOn('wasm', trainingStep);
    const ofCpu = await valuesOn('cpu', trainingStep);
    expect(actual.length).toBe(1 + network().trainableWeights.length);
    actual.forEach((gradient, index) => {
      expectClose(gradient, ofCpu[index]!, 1e-3);
    });
  });

  test('leaves neither a tensor nor memory behind', async () => {
    const model = network();
    const images = tf.tensor(noise(2 * 13 * 11 * 3, 1), [2, 13, 11, 3]);
    const step = () =>
      tf.tidy(() => {
        const { value, grads } = tf.variableGrads(() =>
          tf.mean(model.apply(images, { training: true }) as tf.Tensor),
        );
        tf.dispose([value, grads]);
      });
    step();
    await expectNoLeak(step);
    tf.dispose(images);
    model.dispose();
  });
});
