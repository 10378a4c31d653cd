import * as tf from '@tensorflow/tfjs-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { gradientsOf, gradientsOfEach } from '../../../worker/training/gradients.ts';
import { kernelCalls } from '../../helpers/kernels.ts';
import { expectNoLeak, noise, withBackend } from '../../helpers/tensors.ts';

describe('gradientsOf', () => {
  withBackend('wasm');

  test('gives losses and the gradient of their sum alone, zeros for a weight without a part in it', () => {
    const [x, idle] = [variableOf([3]), variableOf([1, 1])] as const;
    const parameters = [
      { name: 'x', layer: 'l', shape: [1], variable: x },
      { name: 'idle', layer: 'l', shape: [2], variable: idle },
    ];
    const { gradients, losses } = gradientsOf(parameters, () => {
      const taskLoss = tf.sum(tf.square(x)) as tf.Scalar;
      const disparityLoss = tf.sum(tf.mul(x, 5)) as tf.Scalar;
      return { loss: tf.mul(taskLoss, 0.5) as tf.Scalar, taskLoss, disparityLoss };
    });
    expect(losses).toEqual({ loss: 4.5, taskLoss: 9, disparityLoss: 15 });
    expect(Array.from(gradients.x!.dataSync())).toEqual([3]);
    expect(Array.from(gradients.idle!.dataSync())).toEqual([0, 0]);
    tf.dispose([x, idle, ...Object.values(gradients)]);
  });
});

describe('gradientsOfEach', () => {
  withBackend('wasm');

  let weights: tf.Variable[];
  beforeAll(() => {
    weights = [tf.variable(tf.tensor4d(noise(36, 1), [3, 3, 2, 2])), variableOf([0.5, -1]), variableOf([7])];
  });
  afterAll(() => tf.dispose(weights));
  const parameters = () =>
    weights.map((variable, place) => ({ name: `w${place}`, layer: 'l', shape: variable.shape, variable }));

  /** Three losses of one small network; the third weight has no part in them. */
  const lossesOf = () => {
    const images = tf.tensor4d(noise(2 * 5 * 5 * 2, 2), [2, 5, 5, 2]);
    const activations = tf.relu(tf.add(tf.conv2d(images, weights[0] as tf.Tensor4D, 1, 'same'), weights[1]!));
    const means = tf.mean(tf.maxPool(activations as tf.Tensor4D, 2, 2, 'valid'), [1, 2]); // [2, 2]
    const taskLoss = tf.sum(tf.softplus(means)) as tf.Scalar;
    const otherLoss = tf.mean(tf.mul(means, tf.tensor2d([1, -2, 3, 0.5], [2, 2]))) as tf.Scalar;
    return { taskLoss, disparityLoss: tf.sum(tf.square(means)) as tf.Scalar, otherLoss };
  };
  const valuesOf = (gradients: Readonly<Record<string, tf.Tensor>>) => {
    const values = Object.entries(gradients).map(([name, gradient]) => [name, [...gradient.dataSync()]]);
    tf.dispose(Object.values(gradients));
    return Object.fromEntries(values);
  };

  test('gives each as a forward pass of its own would, bit for bit', () => {
    const alone = (pick: 'taskLoss' | 'disparityLoss' | 'otherLoss') =>
      valuesOf(
        gradientsOf(parameters(), () => {
          const losses = lossesOf();
          return { ...losses, loss: losses[pick] };
        }).gradients,
      );
    const found = gradientsOfEach(parameters(), lossesOf);
    for (const name of ['taskLoss', 'disparityLoss', 'otherLoss'] as const) {
      expect(valuesOf(found[name])).toEqual(alone(name));
    }
  });

  test('takes one forward pass and a backward pass for each', async () => {
    const calls = await kernelCalls(() => {
      const found = gradientsOfEach(parameters(), lossesOf);
      tf.dispose(Object.values(found).flatMap((gradients) => Object.values(gradients)));
    });
    expect(calls).toMatchObject({ Conv2D: 1, MaxPool: 1, MaxPoolGrad: 3, Conv2DBackpropFilter: 3 });
  });

  test('of one loss takes what a forward pass saved along, and leaves nothing', async () => {
    await expectNoLeak(() => {
      const { taskLoss } = gradientsOfEach(parameters(), () => ({ taskLoss: lossesOf().taskLoss }));
      valuesOf(taskLoss);
    });
  });

  test.each(['taskLoss', 'disparityLoss', 'otherLoss'] as const)(
    'names a %s that is not finite, and leaves no tensor',
    async (term) => {
      const broken = () => {
        const losses = lossesOf();
        return { ...losses, [term]: tf.mul(losses[term], Number.POSITIVE_INFINITY) as tf.Scalar };
      };
      const where = { taskLoss: 'task loss', disparityLoss: 'disparity loss', otherLoss: 'other loss' }[term];
      await expectNoLeak(() => {
        expect(() => gradientsOfEach(parameters(), broken)).toThrow(
          expect.objectContaining({ code: 'NON_FINITE', details: { where } }),
        );
      });
    },
  );
});

function variableOf(values: number[]): tf.Variable<tf.Rank.R1> {
  return tf.variable(tf.tensor1d(values));
}
