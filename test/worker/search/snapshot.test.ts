import * as tf from '@tensorflow/tfjs-core';
import { layers, sequential } from '@tensorflow/tfjs-layers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Classifier } from '../../../core/model/classifier.ts';
import { loadTfjsLayers } from '../../../core/model/formats/tfjs-layers.ts';
import {
  packSnapshot,
  restoreSnapshot,
  takeSnapshot,
  unpackSnapshot,
  withHeadOf,
} from '../../../worker/search/snapshot.ts';
import { useTempFolder } from '../../helpers/files.ts';
import { allParameters, bitsOf, writeFilled } from '../../helpers/made-data.ts';
import { expectNoLeak, withBackend } from '../../helpers/tensors.ts';

describe('a snapshot', () => {
  withBackend('wasm');
  const folder = useTempFolder();
  let model: Classifier;

  beforeAll(async () => {
    const layersModel = sequential({
      layers: [
        layers.dense({ name: 'hidden', units: 3, inputShape: [2] }),
        layers.batchNormalization({ name: 'norm' }),
        layers.dense({ name: 'head', units: 1 }),
      ],
    });
    model = await loadTfjsLayers(await writeFilled(folder.at('model'), layersModel));
  });
  afterAll(() => model.dispose());

  /** Sets every weight and statistic to one value. */
  const fill = (value: number) =>
    tf.tidy(() => {
      for (const { variable, shape } of allParameters(model)) variable.assign(tf.fill([...shape], value));
    });

  test('puts weights, statistics and head back bit for bit, -0 and subnormals included', () => {
    tf.tidy(() => {
      const { variable } = model.body.find(({ name }) => name === 'hidden/bias')!;
      variable.assign(tf.tensor1d([-0, 1e-40, 1 / 3]));
    });
    const before = bitsOf(model);
    const snapshot = takeSnapshot(model);
    fill(7);
    expect(bitsOf(model)).not.toEqual(before);
    restoreSnapshot(model, snapshot);
    expect(bitsOf(model)).toEqual(before);
  });

  test('does not follow the model, nor the model it', () => {
    fill(1);
    const snapshot = takeSnapshot(model);
    fill(2);
    expect(snapshot.get('hidden/kernel')![0]).toBe(1);
    restoreSnapshot(model, snapshot);
    snapshot.get('hidden/kernel')![0] = 9;
    expect(allParameters(model)[0]!.variable.dataSync()[0]).toBe(1);
  });

  test('can be given the head that the model has now', () => {
    fill(1);
    const earlier = takeSnapshot(model);
    fill(2);
    const mixed = withHeadOf(model, earlier);
    fill(3);
    restoreSnapshot(model, mixed);
    const values = Object.fromEntries(
      allParameters(model).map(({ name, variable }) => [name, variable.dataSync()[0]]),
    );
    expect(values).toMatchObject({
      'head/kernel': 2,
      'head/bias': 2,
      'hidden/kernel': 1,
      'norm/moving_mean': 1,
    });
    expect(earlier.get('head/kernel')![0]).toBe(1);
  });

  test('comes back from named tensors, several in one file told apart by their prefix', () => {
    fill(1);
    const first = takeSnapshot(model);
    fill(2);
    const second = takeSnapshot(model);
    const packed = new Map([...packSnapshot(first, '1/'), ...packSnapshot(second, '11/')]);
    expect(packed.get('1/hidden/kernel')).toEqual({ shape: [6], values: first.get('hidden/kernel') });
    expect(unpackSnapshot(packed, '1/')).toEqual(first);
    expect(unpackSnapshot(packed, '11/')).toEqual(second);
    expect(unpackSnapshot(packSnapshot(first))).toEqual(first);
  });

  test('holds no tensor', async () => {
    await expectNoLeak(() => restoreSnapshot(model, withHeadOf(model, takeSnapshot(model))));
  });
});
