import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel, SymbolicTensor } from '@tensorflow/tfjs-layers';
import { input, layers, model, sequential } from '@tensorflow/tfjs-layers';
import { afterEach, describe, expect, test } from 'vitest';
import type { Classifier } from '../../../../core/model/classifier.ts';
import { INFERENCE } from '../../../../core/model/classifier.ts';
import { recordLayerCalls } from '../../../../core/model/formats/layer-calls.ts';
import { loadTfjsLayers } from '../../../../core/model/formats/tfjs-layers.ts';
import { useTempFolder } from '../../../helpers/files.ts';
import { writeFilled } from '../../../helpers/made-data.ts';
import { expectClose, expectNoLeak, noise, withBackend } from '../../../helpers/tensors.ts';

/** One batch norm whose only reader is a relu, and one that an addition reads. */
function residual(): LayersModel {
  const x = input({ shape: [6, 6, 2], name: 'x' });
  const conv = layers.conv2d({ name: 'conv', filters: 3, kernelSize: 3, padding: 'same' }).apply(x);
  const norm = layers.batchNormalization({ name: 'norm', epsilon: 0.01 }).apply(conv);
  const relu = layers.reLU({ name: 'relu' }).apply(norm);
  const plain = layers.batchNormalization({ name: 'plain' }).apply(relu);
  const sum = layers.add({ name: 'sum' }).apply([plain, conv] as SymbolicTensor[]);
  const pool = layers.globalAveragePooling2d({ name: 'pool' }).apply(sum as SymbolicTensor);
  const head = layers.dense({ name: 'head', units: 1 }).apply(pool);
  return model({ inputs: x, outputs: head as SymbolicTensor });
}

describe.each(['wasm', 'cpu'] as const)('values inside a model of tfjs-layers on %s', (backend) => {
  withBackend(backend);
  const folder = useTempFolder();
  const loaded: Classifier[] = [];
  afterEach(() => {
    for (const classifier of loaded.splice(0)) classifier.dispose();
  });
  async function load(made: LayersModel): Promise<Classifier> {
    const classifier = await loadTfjsLayers(await writeFilled(folder.at(`model-${loaded.length}`), made));
    loaded.push(classifier);
    return classifier;
  }
  const images = (size = 3) => tf.tensor4d(noise(size * 72, 3), [size, 6, 6, 2]);
  const weight = ({ body, statistics }: Classifier, name: string) =>
    [...body, ...statistics].find((parameter) => parameter.name === name)!.variable;

  test('names layers in forward order, and the trace of training in batch norms', async () => {
    const { bodyOutputs, normalizations } = await load(residual());
    expect(bodyOutputs.map(({ name, kind, shape, channelAxis }) => [name, kind, shape, channelAxis])).toEqual(
      [
        ['conv', 'Conv2D', [null, 6, 6, 3], 3],
        ['norm', 'BatchNormalization', [null, 6, 6, 3], 3],
        ['relu', 'ReLU', [null, 6, 6, 3], 3],
        ['plain', 'BatchNormalization', [null, 6, 6, 3], 3],
        ['sum', 'Add', [null, 6, 6, 3], 3],
        ['pool', 'GlobalAveragePooling2D', [null, 3], 1],
      ],
    );
    expect(
      normalizations.map(({ mean, variance, ...rest }) => [mean.name, variance.name, rest] as const),
    ).toEqual([
      [
        'norm/moving_mean',
        'norm/moving_variance',
        { layer: 'norm', input: 'norm/input', channelAxis: 3, epsilon: 0.01 },
      ],
      [
        'plain/moving_mean',
        'plain/moving_variance',
        { layer: 'plain', input: 'plain/input', channelAxis: 3, epsilon: 0.001 },
      ],
    ]);
  });

  test('are those of the operations by hand, before a relu that is done in the same pass too', async () => {
    const classifier = await load(residual());
    await expectNoLeak(() => {
      const x = images();
      const found = classifier.activations(x, ['conv', 'norm/input', 'norm', 'relu', 'pool']);
      const expected = tf.tidy(() => {
        const product = tf.conv2d(x, weight(classifier, 'conv/kernel') as tf.Tensor4D, 1, 'same');
        const conv = tf.add(product, weight(classifier, 'conv/bias'));
        const deviation = tf.sqrt(tf.add(weight(classifier, 'norm/moving_variance'), 0.01));
        const standard = tf.div(tf.sub(conv, weight(classifier, 'norm/moving_mean')), deviation);
        const scaled = tf.mul(standard, weight(classifier, 'norm/gamma'));
        const norm = tf.add(scaled, weight(classifier, 'norm/beta'));
        return { conv, 'norm/input': conv, norm, relu: tf.relu(norm) };
      });
      for (const [name, tensor] of Object.entries(expected)) {
        expectClose(found.get(name)!.dataSync(), tensor.dataSync(), 1e-5);
      }
      expect(Math.min(...found.get('norm')!.dataSync())).toBeLessThan(0); // a relu would show
      const features = classifier.features(x, INFERENCE);
      expect(found.get('pool')!.dataSync()).toEqual(features.dataSync());
      tf.dispose([x, features, ...Object.values(expected), ...found.values()]);
    });
  });

  test('are exactly those of the pass that makes features: what follows from them is the same', async () => {
    const classifier = await load(residual());
    const x = images();
    const found = classifier.activations(x, ['relu', 'norm']);
    tf.tidy(() => expectClose(found.get('relu')!.dataSync(), tf.relu(found.get('norm')!).dataSync(), 1e-6));
    const before = classifier.features(x, INFERENCE);
    const after = classifier.features(x, INFERENCE); // nothing is left of the recording
    expect(after.dataSync()).toEqual(before.dataSync());
    tf.dispose([x, before, after, ...found.values()]);
  });

  test('are found in models within the model', async () => {
    const made = sequential({
      layers: [
        layers.dense({ name: 'outer', units: 4, inputShape: [4] }),
        sequential({
          name: 'inner',
          layers: [
            layers.dense({ name: 'deep', units: 3, inputShape: [4] }),
            layers.batchNormalization({ name: 'deep-norm' }),
          ],
        }),
        layers.dense({ name: 'head', units: 1 }),
      ],
    });
    const classifier = await load(made);
    expect(classifier.bodyOutputs.map(({ name }) => name)).toEqual(['outer', 'deep', 'deep-norm']);
    const x = tf.tensor2d(noise(8, 2), [2, 4]);
    const found = classifier.activations(x, ['deep-norm/input', 'deep', 'deep-norm']);
    const features = classifier.features(x, INFERENCE);
    expect(found.get('deep-norm')!.dataSync()).toEqual(features.dataSync());
    expect(found.get('deep-norm/input')!.dataSync()).toEqual(found.get('deep')!.dataSync());
    tf.dispose([x, features, ...found.values()]);
  });

  test('of another name or for another shape are refused', async () => {
    const classifier = await load(residual());
    await expectNoLeak(() => {
      const x = images();
      expect(() => classifier.activations(x, ['head'])).toThrow(/received "head"/);
      x.dispose();
      const odd = tf.zeros([1, 6, 6, 3]);
      expect(() => classifier.activations(odd, ['conv'])).toThrow(/expected \[batch, 6, 6, 2\]/);
      odd.dispose();
    });
  });
});

describe('recordLayerCalls', () => {
  withBackend('cpu');

  test('keeps nothing of a pass that fails, and leaves the layers as they were', async () => {
    const layer = layers.activation({ name: 'act', activation: 'linear', inputShape: [2] });
    await expectNoLeak(() => {
      const run = () => {
        tf.tidy(() => void layer.apply(tf.ones([1, 2])));
        throw new Error('later');
      };
      expect(() => recordLayerCalls({ layers: new Map([['act', layer]]), names: ['act'], run })).toThrow(
        'later',
      );
    });
    expect(Object.hasOwn(layer, 'call')).toBe(false);
  });
});
