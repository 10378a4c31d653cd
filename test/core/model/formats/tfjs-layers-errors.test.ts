import { readFile, writeFile } from 'node:fs/promises';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { layers, sequential } from '@tensorflow/tfjs-layers';
import { describe, expect, test } from 'vitest';
import { loadTfjsLayers } from '../../../../core/model/formats/tfjs-layers.ts';
import { useTempFolder } from '../../../helpers/files.ts';
import { writeFilled } from '../../../helpers/made-data.ts';
import { expectNoLeak, withBackend } from '../../../helpers/tensors.ts';

const plain = () =>
  sequential({
    layers: [
      layers.dense({ name: 'hidden', units: 2, inputShape: [2] }),
      layers.dense({ name: 'head', units: 1 }),
    ],
  });

describe('a model that cannot be loaded', () => {
  withBackend('wasm');
  const folder = useTempFolder();

  let count = 0;
  /** A model folder whose model.json and weights were edited. */
  async function edited({
    model = plain() as LayersModel,
    json = (text: string) => text,
    weights = (_: Float32Array) => {},
  }): Promise<string> {
    count += 1;
    const path = await writeFilled(folder.at(`model-${count}`), model);
    await writeFile(`${path}/model.json`, json(await readFile(`${path}/model.json`, 'utf8')));
    const values = new Float32Array(new Uint8Array(await readFile(`${path}/weights.bin`)).buffer);
    weights(values);
    await writeFile(`${path}/weights.bin`, new Uint8Array(values.buffer));
    return path;
  }

  test('has a layer class that tfjs does not know', async () => {
    const path = await edited({
      json: (text) => text.replace('"class_name":"Dense"', '"class_name":"MyDense"'),
    });
    await expect(loadTfjsLayers(path)).rejects.toMatchObject({
      code: 'UNSUPPORTED_MODEL',
      message: 'model layer class "MyDense": expected a class of tfjs-layers',
      cause: expect.any(Error),
    });
  });

  test('is a graph model', async () => {
    const path = await edited({ json: (text) => text.replace('"layers-model"', '"graph-model"') });
    await expect(loadTfjsLayers(path)).rejects.toMatchObject({
      code: 'UNSUPPORTED_MODEL',
      message:
        'model format: expected "layers-model", received "graph-model", which is frozen and cannot be tuned',
    });
  });

  test('is a graph model that does not say so', async () => {
    const path = await edited({
      json: (text) => JSON.stringify({ ...JSON.parse(text), format: undefined, modelTopology: { node: [] } }),
    });
    await expect(loadTfjsLayers(path)).rejects.toMatchObject({ code: 'UNSUPPORTED_MODEL' });
  });

  test('lacks a weight that its topology has', async () => {
    const path = await edited({
      json: (text) => text.replace('"name":"hidden/kernel"', '"name":"other/kernel"'),
    });
    await expect(loadTfjsLayers(path)).rejects.toMatchObject({
      code: 'UNSUPPORTED_MODEL',
      message: expect.stringContaining('other/kernel'),
    });
  });

  test('has a weight of another shape than its topology', async () => {
    const path = await edited({ json: (text) => text.replace('"units":2', '"units":3') });
    await expect(loadTfjsLayers(path)).rejects.toMatchObject({ code: 'UNSUPPORTED_MODEL' });
  });

  test.each([Number.NaN, Number.POSITIVE_INFINITY])('has a weight that is %f', async (value) => {
    const path = await edited({
      weights: (values) => {
        values[1] = value;
      },
    });
    await expect(loadTfjsLayers(path)).rejects.toMatchObject({
      code: 'NON_FINITE',
      message: `model weight "hidden/kernel": expected finite numbers, received ${value}`,
      details: { weight: 'hidden/kernel' },
    });
  });

  test('has three units, of which none is named', async () => {
    const model = sequential({ layers: [layers.dense({ name: 'head', units: 3, inputShape: [2] })] });
    const path = await edited({ model });
    for (const options of [{}, { positiveClass: 3 }]) {
      await expect(loadTfjsLayers(path, options)).rejects.toMatchObject({
        code: 'INVALID_INPUT',
        details: { head: 'head', units: 3, received: options.positiveClass ?? null },
      });
    }
  });

  test('leaves no tensor when its weights do not fit', async () => {
    const paths = [
      await edited({ json: (text) => text.replace('"units":2', '"units":3') }),
      await edited({ json: (text) => text.replace('"name":"head/kernel"', '"name":"other/kernel"') }),
      await edited({
        json: (text) => text.replace(/("class_name":")Dense("(?!.*"class_name":"Dense"))/, '$1MyDense$2'),
      }),
    ];
    for (const path of paths) {
      await expectNoLeak(() =>
        expect(loadTfjsLayers(path)).rejects.toMatchObject({ code: 'UNSUPPORTED_MODEL' }),
      );
    }
  });

  test('leaves no tensor when its head is refused', async () => {
    const path = await edited({});
    await expectNoLeak(() => loadTfjsLayers(path, { head: 'hidden' }).catch(() => {}));
  });

  test('leaves no tensor when a weight is not finite', async () => {
    const path = await edited({ weights: (values) => void values.fill(Number.NaN) });
    await expectNoLeak(() => loadTfjsLayers(path).catch(() => {}));
  });
});
