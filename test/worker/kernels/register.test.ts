import * as tf from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { describe, expect, test } from 'vitest';
import { startBackend } from '../../../worker/backend.ts';
import { REFUSED_KERNELS, registerTrainingKernels } from '../../../worker/kernels/register.ts';
import { expectClose, expectNoLeak, noise, valuesOn, withBackend } from '../../helpers/tensors.ts';

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
