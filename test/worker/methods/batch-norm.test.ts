import * as tf from '@tensorflow/tfjs-core';
import { layers, sequential } from '@tensorflow/tfjs-layers';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Classifier } from '../../../core/model/classifier.ts';
import { weightsOf } from '../../../core/model/classifier.ts';
import { loadTfjsLayers } from '../../../core/model/formats/tfjs-layers.ts';
import { estimateStatistics } from '../../../worker/methods/batch-norm.ts';
import { METHODS } from '../../../worker/methods/registry.ts';
import { runMethod } from '../../../worker/methods/run-method.ts';
import { makeTableBench } from '../../helpers/bench.ts';
import { useTempFolder } from '../../helpers/files.ts';
import { makeImages, makeSet, writeFilled, writeTableClassifier } from '../../helpers/made-data.ts';
import { expectNoLeak, withBackend } from '../../helpers/tensors.ts';

const { samples, inputs } = makeImages({ size: 150, hasTest: true });
/** Two batches, the second smaller; not all rows. */
const set = makeSet({
  labels: [...samples.labels],
  groups: [...samples.sensitiveFeatures[0]!.groups],
  inputs,
  rows: Array.from({ length: 100 }, (_, row) => row),
});

describe('batch normalisation', () => {
  withBackend('wasm');
  const folder = useTempFolder();
  let model: Classifier;

  beforeAll(async () => {
    await writeFilled(
      folder.at('normalised'),
      sequential({
        layers: [
          layers.conv2d({ name: 'conv', filters: 3, kernelSize: 3, inputShape: [16, 16, 3] }),
          layers.batchNormalization({ name: 'first' }),
          layers.reLU({ name: 'relu' }),
          layers.conv2d({ name: 'conv2', filters: 4, kernelSize: 3, strides: 2 }),
          layers.batchNormalization({ name: 'second' }),
          layers.globalAveragePooling2d({ name: 'pool' }),
          layers.dense({ name: 'head', units: 1 }),
        ],
      }),
    );
    await writeTableClassifier(folder.at('table'));
  });
  beforeEach(async () => {
    model = await loadTfjsLayers(folder.at('normalised'));
  });
  afterEach(() => model.dispose());

  test('has the moments of what each layer reads, under the new statistics of those before it', async () => {
    await estimateStatistics(model, set);
    const batch = await inputs.batch(set.rows);
    for (const { input, mean, variance } of model.normalizations) {
      const expected = tf.tidy(() => {
        const moments = tf.moments(model.activations(batch, [input]).get(input)!, [0, 1, 2]);
        return [[...moments.mean.dataSync()], [...moments.variance.dataSync()]];
      });
      [mean, variance].forEach(({ variable }, place) => {
        const found = variable.dataSync();
        expected[place]!.forEach((value, channel) => {
          expect(found[channel]).toBeCloseTo(value, 4);
        });
      });
    }
    batch.dispose();
  });

  test('moves no weight, and every statistic of seven channels', async () => {
    const start = weightsOf(model).map(({ variable }) => [...variable.dataSync()]);
    await expectNoLeak(() => estimateStatistics(model, set));
    expect(weightsOf(model).map(({ variable }) => [...variable.dataSync()])).toEqual(start);
    const options = makeTableBench(model).job.options;
    const rails = { maxAucDrop: 1, maxBalancedAccuracyDrop: 1, maxGroupAucDrop: 1, maxGroupTprDrop: 1 };
    const bench = makeTableBench(model, {
      samples,
      inputs,
      options: { ...options, selection: { ...options.selection, ...rails } },
    });
    const { cost, chosen } = await runMethod(bench, METHODS['batch-norm']!, 1);
    if (chosen !== null) expect(cost.parametersTouched).toBe(2 * (3 + 4) + 1); // and the bias, for the cut
    expect(cost.epochs).toBeGreaterThan(2); // a pass for each layer
  });

  test('is not applicable to a model without it', async () => {
    const plain = await loadTfjsLayers(folder.at('table'));
    const result = await runMethod(makeTableBench(plain), METHODS['batch-norm']!, 1);
    plain.dispose();
    expect(result).toMatchObject({ status: 'not-applicable', after: null, chosen: null });
    expect(result.reasons[0]).toContain('no batch normalisation');
  });
});
