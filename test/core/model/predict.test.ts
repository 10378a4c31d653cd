import * as tf from '@tensorflow/tfjs-core';
import { layers, sequential } from '@tensorflow/tfjs-layers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Classifier } from '../../../core/model/classifier.ts';
import { loadTfjsLayers } from '../../../core/model/formats/tfjs-layers.ts';
import { extractFeatures, predictScores } from '../../../core/model/predict.ts';
import { useTempFolder } from '../../helpers/files.ts';
import { memoryInputs, writeFilled } from '../../helpers/made-data.ts';
import { expectClose, expectNoLeak, noise, withBackend } from '../../helpers/tensors.ts';

const SIZE = 70;
const values = noise(SIZE * 3, 1);
const inputs = memoryInputs(values, [3]);
const rows = Array.from({ length: SIZE }, (_, row) => SIZE - 1 - row);

describe('prediction', () => {
  withBackend('wasm');
  const folder = useTempFolder();
  let model: Classifier;

  beforeAll(async () => {
    const layersModel = sequential({
      layers: [
        layers.dense({ name: 'hidden', units: 2, inputShape: [3] }),
        layers.dropout({ rate: 0.5 }),
        layers.dense({ name: 'head', units: 1, activation: 'sigmoid' }),
      ],
    });
    model = await loadTfjsLayers(await writeFilled(folder.at('model'), layersModel));
  });
  afterAll(() => model.dispose());

  /** x · kernel + bias in float64 */
  function dense(x: ArrayLike<number>, kernel: ArrayLike<number>, bias: ArrayLike<number>): number[] {
    return Array.from(bias, (offset, unit) =>
      Array.from(x).reduce((sum, value, place) => sum + value * kernel[place * bias.length + unit]!, offset),
    );
  }
  const featuresOf = (row: number) => {
    const [kernel, bias] = model.body.map(({ variable }) => variable.dataSync());
    return dense(values.subarray(row * 3, row * 3 + 3), kernel!, bias!);
  };

  test('predictScores is the sigmoid of the logit, once, in the order of the rows', async () => {
    const [kernel, bias] = [model.head.kernel, model.head.bias!].map(({ variable }) => variable.dataSync());
    const expected = rows.map((row) => 1 / (1 + Math.exp(-dense(featuresOf(row), kernel!, bias!)[0]!)));
    expectClose(await predictScores({ model, inputs, rows }), expected, 1e-5);
  });

  test('extractFeatures is what the head reads, dropout off', async () => {
    const features = await extractFeatures({ model, inputs, rows }, { batchSize: 16 });
    expect(features.shape).toEqual([SIZE, 2]);
    expectClose(features.dataSync(), rows.flatMap(featuresOf), 1e-5);
    features.dispose();
  });

  test('does not depend on the size of the batches', async () => {
    const whole = await predictScores({ model, inputs, rows }, { batchSize: SIZE });
    expectClose(await predictScores({ model, inputs, rows }, { batchSize: 9 }), whole, 1e-6);
  });

  test('reports the samples of each batch', async () => {
    const seen: number[] = [];
    await predictScores(
      { model, inputs, rows },
      { batchSize: 32, onProgress: (samples) => seen.push(samples) },
    );
    expect(seen).toEqual([32, 32, 70 - 64]);
  });

  test('gives no scores for no rows', async () => {
    expect(await predictScores({ model, inputs, rows: [] })).toHaveLength(0);
  });

  test('stops between batches, leaving no tensor', async () => {
    const controller = new AbortController();
    const seen: number[] = [];
    const onProgress = (samples: number) => {
      seen.push(samples);
      controller.abort();
    };
    await expectNoLeak(() =>
      expect(
        predictScores({ model, inputs, rows }, { batchSize: 16, onProgress, signal: controller.signal }),
      ).rejects.toMatchObject({ code: 'INTERRUPTED' }),
    );
    expect(seen).toEqual([16]);
  });

  test.each([
    ['scores', predictScores],
    ['features', extractFeatures],
  ] as const)('%s that are no numbers are a NonFiniteError, and leave no tensor', async (where, predict) => {
    const broken = memoryInputs(Float32Array.of(0, Number.NaN, 0), [3]);
    await expectNoLeak(() =>
      expect(predict({ model, inputs: broken, rows: [0] })).rejects.toMatchObject({
        code: 'NON_FINITE',
        details: { where },
      }),
    );
  });

  test('leaves no tensor but what it returns', async () => {
    await expectNoLeak(() => predictScores({ model, inputs, rows }));
    await expectNoLeak(async () => tf.dispose(await extractFeatures({ model, inputs, rows })));
  });
});
