import * as tf from '@tensorflow/tfjs-core';
import { layers, sequential } from '@tensorflow/tfjs-layers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Classifier } from '../../../core/model/classifier.ts';
import { loadTfjsLayers } from '../../../core/model/formats/tfjs-layers.ts';
import { batchLoss, lossTerms, makeObjective, onSurrogate } from '../../../worker/bmft/objective.ts';
import { PRESETS } from '../../../worker/bmft/options.ts';
import { loadBatch, truthOf } from '../../../worker/training/batch.ts';
import { useTempFolder } from '../../helpers/files.ts';
import { disparityLoss, taskLoss } from '../../helpers/losses.ts';
import { makeSet, writeFilled } from '../../helpers/made-data.ts';
import { expectClose, expectNoLeak, withBackend } from '../../helpers/tensors.ts';

const set = makeSet({
  labels: [1, 0, 1, 0, 1, 0, 1, 1, 1],
  groups: [0, 0, 1, 1, 0, 1, 0, 1, 0],
  rows: [0, 1, 2, 3, 4, 5, 6, 7],
});

describe('makeObjective', () => {
  test('takes class counts of the rows in the set, under whole-set weights', () => {
    expect(makeObjective(PRESETS.robust, set)).toEqual({
      groupCount: 2,
      metric: 'equalizedOdds',
      disparity: PRESETS.robust.disparity,
      classWeights: { positives: 5, negatives: 3 },
    });
  });

  test('leaves class weights to the batch as released', () => {
    expect(makeObjective(PRESETS['bmft-released'], set).classWeights).toBe('batch');
  });
});

describe('onSurrogate', () => {
  test('is what options with that surrogate make', () => {
    const options = {
      ...PRESETS.robust,
      disparity: { ...PRESETS.robust.disparity, surrogate: 'logit' as const },
    };
    expect(onSurrogate(makeObjective(PRESETS.robust, set), 'logit')).toEqual(makeObjective(options, set));
  });
});

describe('losses of a batch', () => {
  withBackend('wasm');
  const folder = useTempFolder();
  const objective = makeObjective(PRESETS.robust, set);
  const weights = { taskWeight: 0.25, disparityWeight: 3 };
  let model: Classifier;

  beforeAll(async () => {
    const layersModel = sequential({
      layers: [
        layers.dense({ name: 'hidden', units: 8, inputShape: [3] }),
        layers.dropout({ name: 'noise', rate: 0.5 }),
        layers.dense({ name: 'head', units: 1 }),
      ],
    });
    model = await loadTfjsLayers(await writeFilled(folder.at('model'), layersModel));
  });
  afterAll(() => model.dispose());

  test('lossTerms is the weighted sum of both losses, and gives both', () => {
    const truth = truthOf(set, set.rows);
    tf.tidy(() => {
      const logits = tf.tensor1d([1, -1, 2, 0.5, 0, -2, 1, 0.25]);
      const terms = lossTerms(logits, truth, { objective, weights });
      const { loss, taskLoss: task, disparityLoss: disparity } = terms;
      const cells = { ...truth, groupCount: 2 };
      const [expectedTask, expectedDisparity] = [
        taskLoss(logits, truth, { positives: 5, negatives: 3 }),
        disparityLoss(logits, cells, { metric: 'equalizedOdds', ...PRESETS.robust.disparity }),
      ].map((scalar) => scalar.dataSync()[0]!) as [number, number];
      expect(task.dataSync()[0]).toBe(expectedTask);
      expect(disparity.dataSync()[0]).toBe(expectedDisparity);
      expectClose(loss.dataSync(), [0.25 * expectedTask + 3 * expectedDisparity], 1e-6);
    });
  });

  test('batchLoss goes through the model in inference mode unless told otherwise', async () => {
    const batch = await loadBatch(set, set.rows);
    const lossIn = (about: Partial<Parameters<typeof batchLoss>[1]>) =>
      tf.tidy(() => batchLoss(model, { objective, weights, ...about })(batch).loss.dataSync()[0]!);
    const byHand = tf.tidy(() => {
      const logits = model.logits(batch.inputs, { training: false });
      return lossTerms(logits, batch, { objective, weights }).loss.dataSync()[0]!;
    });
    expect(lossIn({})).toBe(byHand);
    expect(lossIn({})).toBe(byHand);
    expect(lossIn({ mode: { training: true, nextSeed: () => 3 } })).not.toBe(byHand);
    batch.inputs.dispose();
  });

  test('batchLoss in a tidy leaves no tensor', async () => {
    const batch = await loadBatch(set, set.rows);
    await expectNoLeak(() => tf.tidy(() => void batchLoss(model, { objective, weights })(batch)));
    batch.inputs.dispose();
  });
});
