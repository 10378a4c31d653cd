import * as tf from '@tensorflow/tfjs-core';
import { layers, sequential } from '@tensorflow/tfjs-layers';
import { describe, expect, test } from 'vitest';
import type { Classifier } from '../../../core/model/classifier.ts';
import { loadOnnx } from '../../../core/model/formats/onnx.ts';
import { loadTfjsLayers } from '../../../core/model/formats/tfjs-layers.ts';
import { MOST_CHANNELS, observe } from '../../../core/model/observe.ts';
import { extractFeatures } from '../../../core/model/predict.ts';
import { useTempFolder } from '../../helpers/files.ts';
import { memoryInputs, writeFilled } from '../../helpers/made-data.ts';
import { encodeModel, madeCnn, madeModel } from '../../helpers/onnx.ts';
import { expectClose, expectNoLeak, noise, withBackend } from '../../helpers/tensors.ts';

const SIZE = 7;
const rows = [6, 2, 0, 3, 5];

/** Means over places, by sample and channel, of u and u², from an activation with channels last. */
function momentsByHand(x: tf.Tensor, mean: ArrayLike<number>, variance: ArrayLike<number>, epsilon: number) {
  const channels = mean.length;
  const places = x.size / (x.shape[0]! * channels);
  const values = x.dataSync();
  const sums = (power: number) =>
    Array.from({ length: x.shape[0]! * channels }, (_, entry) => {
      const [sample, channel] = [Math.floor(entry / channels), entry % channels];
      let sum = 0;
      for (let place = 0; place < places; place += 1) {
        const u =
          (values[(sample * places + place) * channels + channel]! - mean[channel]!) /
          Math.sqrt(variance[channel]! + epsilon);
        sum += u ** power;
      }
      return sum / places;
    });
  return { means: sums(1), squares: sums(2) };
}

describe('observe', () => {
  withBackend('wasm');
  const folder = useTempFolder();

  async function made(filters: number): Promise<Classifier> {
    const model = sequential({
      layers: [
        layers.conv2d({ name: 'conv', filters, kernelSize: 3, inputShape: [6, 6, 2] }),
        layers.batchNormalization({ name: 'norm' }),
        layers.reLU({ name: 'relu' }),
        layers.globalAveragePooling2d({ name: 'pool' }),
        layers.dense({ name: 'head', units: 1 }),
      ],
    });
    return loadTfjsLayers(await writeFilled(folder.at(`model-${filters}`), model));
  }
  const inputs = memoryInputs(noise(SIZE * 72, 1), [6, 6, 2]);

  test('gives moments of what batch norms read, features and logits, in the order of the rows', async () => {
    const model = await made(3);
    await expectNoLeak(async () => {
      const seen = await observe({ model, inputs, rows }, { batchSize: 2 });
      const batch = await inputs.batch(rows);
      const conv = model.activations(batch, ['conv']).get('conv')!;
      const [mean, variance] = model.statistics.map(({ variable }) => variable.dataSync());
      const expected = momentsByHand(conv, mean!, variance!, 1e-3);
      const [norm] = seen.normalizations;
      expect([norm!.layer, norm!.channels, seen.size, seen.width]).toEqual(['norm', 3, 5, 3]);
      expectClose(
        norm!.deviations,
        Array.from(variance!, (value) => Math.sqrt(value / (value + 1e-3))),
        1e-6,
      );
      expectClose(norm!.means, expected.means, 1e-5);
      expectClose(norm!.squares, expected.squares, 1e-5);
      const features = await extractFeatures({ model, inputs, rows });
      expectClose(seen.features, features.dataSync(), 1e-6);
      const logits = model.headLogits(features);
      expectClose(seen.logits, logits.dataSync(), 1e-6);
      tf.dispose([batch, conv, features, logits]);
    });
    model.dispose();
  });

  test('gives the same of channels first', async () => {
    const model = await loadOnnx(await folder.write('made.onnx', encodeModel(madeModel(madeCnn(1)))));
    const images = memoryInputs(noise(SIZE * 90, 1), [3, 6, 5]);
    const seen = await observe({ model, inputs: images, rows });
    const batch = await images.batch(rows);
    const conv = model.activations(batch, ['a']).get('a')!;
    const last = tf.transpose(conv, [0, 2, 3, 1]);
    const [mean, variance] = model.statistics.map(({ variable }) => variable.dataSync());
    const expected = momentsByHand(last, mean!, variance!, 1e-5);
    expectClose(seen.normalizations[0]!.means, expected.means, 1e-5);
    expectClose(seen.normalizations[0]!.squares, expected.squares, 1e-5);
    tf.dispose([batch, conv, last]);
    model.dispose();
  });

  test('looks at some channels of a wide layer, evenly spaced', async () => {
    const model = await made(2 * MOST_CHANNELS.layer);
    const seen = await observe({ model, inputs, rows: [1] });
    const batch = await inputs.batch([1]);
    const conv = model.activations(batch, ['conv']).get('conv')!;
    const [mean, variance] = model.statistics.map(({ variable }) => variable.dataSync());
    const expected = momentsByHand(conv, mean!, variance!, 1e-3).means.filter((_, place) => place % 2 === 0);
    expect(seen.normalizations[0]!.channels).toBe(MOST_CHANNELS.layer);
    expectClose(seen.normalizations[0]!.means, expected, 1e-4);
    tf.dispose([batch, conv]);
    model.dispose();
  });

  test('looks at fewer channels of each layer where there are many', async () => {
    const depth = 20;
    const model = sequential();
    for (let layer = 0; layer < depth; layer += 1) {
      model.add(layers.dense({ units: 110, ...(layer === 0 && { inputShape: [2] }) }));
      model.add(layers.batchNormalization({}));
    }
    model.add(layers.dense({ name: 'head', units: 1 }));
    const deep = await loadTfjsLayers(await writeFilled(folder.at('deep'), model));
    const seen = await observe({ model: deep, inputs: memoryInputs(noise(20, 1), [2]), rows: [0, 4] });
    const channels = seen.normalizations.map((moments) => moments.channels);
    expect(channels).toEqual(new Array(depth).fill(Math.floor(MOST_CHANNELS.model / depth)));
    deep.dispose();
  });

  test('has no moments of a model without batch norm, or without a body', async () => {
    const model = await loadTfjsLayers(
      await writeFilled(
        folder.at('head'),
        sequential({ layers: [layers.dense({ name: 'head', units: 1, inputShape: [2] })] }),
      ),
    );
    const values = Float32Array.of(1, 2, 3, 4);
    const seen = await observe({ model, inputs: memoryInputs(values, [2]), rows: [1, 0] });
    expect(seen.normalizations).toEqual([]);
    expect(Array.from(seen.features)).toEqual([3, 4, 1, 2]);
    model.dispose();
  });
});
