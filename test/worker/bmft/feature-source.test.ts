import { layers, sequential } from '@tensorflow/tfjs-layers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { InputSource } from '../../../core/data/types.ts';
import type { Classifier } from '../../../core/model/classifier.ts';
import { INFERENCE } from '../../../core/model/classifier.ts';
import { loadTfjsLayers } from '../../../core/model/formats/tfjs-layers.ts';
import { makeFeatureSource } from '../../../worker/bmft/feature-source.ts';
import { useTempFolder } from '../../helpers/files.ts';
import { memoryInputs, writeFilled } from '../../helpers/made-data.ts';
import { expectClose, expectNoLeak, noise, withBackend } from '../../helpers/tensors.ts';

const inputs = memoryInputs(noise(5 * 3, 1), [3]);

describe('a feature source', () => {
  withBackend('wasm');
  const folder = useTempFolder();
  let model: Classifier;

  beforeAll(async () => {
    const network = sequential({
      layers: [
        layers.dense({ units: 4, inputShape: [3], activation: 'tanh' }),
        layers.dropout({ rate: 0.5 }),
        layers.dense({ name: 'head', units: 1 }),
      ],
    });
    model = await loadTfjsLayers(await writeFilled(folder.at('model'), network));
  });
  afterAll(() => model.dispose());

  /** The inputs, and the rows that were read of them. */
  function recorded() {
    const read: number[][] = [];
    const source: InputSource = {
      ...inputs,
      batch: (rows) => {
        read.push(Array.from(rows));
        return inputs.batch(rows);
      },
    };
    return { source, read };
  }

  const valuesOf = async (source: InputSource, rows: readonly number[]) => {
    const batch = await source.batch(rows);
    const { shape } = batch;
    const values = batch.dataSync();
    batch.dispose();
    return { shape, values };
  };

  test('gives what the head reads, in the order asked for, a row as often as it is asked for', async () => {
    const source = makeFeatureSource(model, inputs);
    expect(source).toMatchObject({ size: 5, sampleShape: [4] });
    const rows = [3, 0, 3];
    const { shape, values } = await valuesOf(source, rows);
    expect(shape).toEqual([3, 4]);
    const batch = await inputs.batch(rows);
    const features = model.features(batch, INFERENCE);
    expectClose(values, features.dataSync(), 1e-6);
    features.dispose();
    batch.dispose();
  });

  test('reads each row once', async () => {
    const { source, read } = recorded();
    const features = makeFeatureSource(model, source);
    const first = await valuesOf(features, [4, 1, 4]);
    await valuesOf(features, [2, 1]);
    expect(await valuesOf(features, [4, 1, 4])).toEqual(first);
    expect(read).toEqual([[4, 1], [2]]);
  });

  test('leaves no tensor, not even when the inputs do not fit', async () => {
    await expectNoLeak(() => valuesOf(makeFeatureSource(model, inputs), [0, 1]));
    const wrong = makeFeatureSource(model, memoryInputs(noise(8, 1), [2]));
    await expectNoLeak(() => expect(wrong.batch([0])).rejects.toMatchObject({ code: 'SHAPE_MISMATCH' }));
  });
});
