import { mkdir, readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import type { Classifier } from '../../../../../core/model/classifier.ts';
import { INFERENCE, weightsOf } from '../../../../../core/model/classifier.ts';
import { readHdf5 } from '../../../../../core/model/formats/keras/hdf5.ts';
import { loadKeras } from '../../../../../core/model/formats/keras/load.ts';
import { openZip } from '../../../../../core/model/formats/keras/zip.ts';
import { useTempFolder } from '../../../../helpers/files.ts';
import { expectedOf, expectOutputsOfKeras, FIXTURES, makeH5, makeZip } from '../../../../helpers/keras.ts';
import { expectNoLeak, noise, withBackend } from '../../../../helpers/tensors.ts';

const fixture = (name: string) => path.join(FIXTURES, name);
const NESTED = ['nested.keras', 'nested.h5'] as const;

/** Adds noise to some of the weights; the names of those. */
function move(model: Classifier): string[] {
  const moved = weightsOf(model).filter((_, place) => place % 2 === 0);
  for (const { variable, shape } of moved) {
    tf.tidy(() => variable.assign(tf.add(variable, tf.tensor(noise(variable.size, 1), [...shape]))));
  }
  return moved.map(({ name }) => name);
}

function scores(model: Classifier, file: string): number[] {
  return tf.tidy(() => {
    const logits = model.logits(expectedOf(file).inputs(), INFERENCE);
    return Array.from((model.output === 'score' ? tf.sigmoid(logits) : logits).dataSync());
  });
}

function expectScores(
  model: Classifier,
  file: string,
  [expected, digits]: readonly [readonly number[], number],
): void {
  for (const [place, score] of scores(model, file).entries())
    expect(score).toBeCloseTo(expected[place]!, digits);
}

/** A model of a model, whose uses count from 1, and weights by name. */
async function madeByKeras2(): Promise<Uint8Array> {
  const dense = { units: 1, activation: 'sigmoid', use_bias: true };
  const norm = { axis: [1], momentum: 0.9, epsilon: 1, center: true, scale: true };
  const layer = (kind: string, name: string, config: object) => ({
    class_name: kind,
    name,
    config: { name, trainable: true, ...config },
  });
  const inner = [
    layer('BatchNormalization', 'norm', { ...norm, batch_input_shape: [null, 2] }),
    layer('LeakyReLU', 'leaky', { alpha: 0.5 }),
  ];
  const config = {
    class_name: 'Functional',
    config: {
      name: 'outer',
      layers: [
        {
          ...layer('InputLayer', 'x', { batch_input_shape: [null, 2], dtype: 'float32' }),
          inbound_nodes: [],
        },
        { ...layer('Sequential', 'inner', { layers: inner }), inbound_nodes: [[['x', 0, 0, {}]]] },
        { ...layer('Dense', 'head', dense), inbound_nodes: [[['inner', 1, 0, {}]]] },
      ],
      input_layers: [['x', 0, 0]],
      output_layers: [['head', 0, 0]],
    },
  };
  const vector = (...values: number[]) => ({ shape: [values.length], values });
  return makeH5(config, {
    inner: {
      'norm/gamma:0': vector(2, 4),
      'norm/beta:0': vector(1, 2),
      'norm/moving_mean:0': vector(1, 1),
      'norm/moving_variance:0': vector(3, 3),
    },
    head: { 'head/kernel:0': { shape: [2, 1], values: [10, 100] }, 'head/bias:0': vector(7) },
  });
}

describe('loadKeras', () => {
  withBackend('wasm');
  const folder = useTempFolder();

  it.each(['twins.keras', 'kinds.keras'])('computes what Keras computes: %s', async (name) => {
    await expectOutputsOfKeras(fixture(name));
  });

  it.each(NESTED)('finds body, head and statistics, through the model inside: %s', async (name) => {
    await expectNoLeak(async () => {
      const model = await loadKeras(fixture(name));
      expect(model).toMatchObject({
        format: name === 'nested.h5' ? 'keras-h5' : 'keras',
        sources: [fixture(name)],
        inputShape: [8, 8, 3],
        mirrorAxes: [2, 1],
        output: 'score',
        hasTrainingMode: true,
      });
      expect(weightsOf(model).map((weight) => weight.name)).toEqual([
        ...['inner/conv/kernel', 'inner/conv/bias', 'inner/norm/gamma', 'inner/norm/beta'],
        ...['hidden/kernel', 'hidden/bias', 'head/kernel', 'head/bias'],
      ]);
      expect(model.statistics.map((weight) => weight.name)).toEqual([
        'inner/norm/moving_mean',
        'inner/norm/moving_variance',
      ]);
      expectScores(model, fixture(name), [expectedOf(fixture(name)).outputs, 5]);
      model.dispose();
    });
  });

  it('widens half precision: as close as Keras comes with it', async () => {
    const model = await loadKeras(fixture('half.keras'));
    expectScores(model, fixture('half.keras'), [expectedOf(fixture('half.keras')).outputs, 2]);
    expect(model.notes).toEqual([expect.stringMatching(/^The file holds weights of half precision/)]);
    model.dispose();
  });

  it.each(NESTED)('writes the same bytes when nothing was tuned: %s', async (name) => {
    const model = await loadKeras(fixture(name));
    await model.save(folder.at(`same-${name}`));
    model.dispose();
    expect(await readdir(folder.at(`same-${name}`))).toEqual([name]);
    expect(await readFile(folder.at(`same-${name}/${name}`))).toEqual(await readFile(fixture(name)));
  });

  it.each([...NESTED, 'half.keras'])(
    'changes the weights that were tuned, and nothing else: %s',
    async (name) => {
      const model = await loadKeras(fixture(name));
      const moved = move(model);
      await model.save(folder.at(`tuned-${name}`));
      const [before, after] = [
        await readFile(fixture(name)),
        await readFile(folder.at(`tuned-${name}/${name}`)),
      ];
      const isZip = name.endsWith('.keras');
      const [hdf5, tuned] = [before, after].map((bytes) =>
        isZip ? openZip(bytes, 'file').read('model.weights.h5') : bytes,
      );
      if (isZip) {
        for (const entry of ['config.json', 'metadata.json']) {
          expect(openZip(after, 'file').read(entry)).toEqual(openZip(before, 'file').read(entry));
        }
        expect(openZip(after, 'file').names).toEqual(openZip(before, 'file').names);
      }
      const [old, fresh] = [await readHdf5(hdf5!, 'file'), await readHdf5(tuned!, 'file')];
      expect(fresh.attributes).toEqual(old.attributes);
      const different = fresh.datasets.filter(
        ({ bytes }, place) => !Buffer.from(bytes!).equals(old.datasets[place]!.bytes!),
      );
      expect(different).toHaveLength(moved.length);
      expect(fresh.datasets.map(({ path: where, dtype }) => [where, dtype])).toEqual(
        old.datasets.map(({ path: where, dtype }) => [where, dtype]),
      );
      const reloaded = await loadKeras(folder.at(`tuned-${name}/${name}`));
      expectScores(reloaded, fixture(name), [scores(model, fixture(name)), name === 'half.keras' ? 1 : 6]);
      model.dispose();
      reloaded.dispose();
    },
  );

  it('refuses a file of weights alone, one without weights, and one that is not there', async () => {
    const zip = openZip(await readFile(fixture('nested.keras')), 'file');
    const config = { name: 'config.json', content: zip.read('config.json') };
    const file = await folder.write('part.keras', makeZip([config]));
    await expect(loadKeras(file)).rejects.toMatchObject({
      code: 'INVALID_INPUT',
      message: 'model file "part.keras": expected a zip archive, received one without "model.weights.h5"',
    });
    const weights = await folder.write('weights.h5', zip.read('model.weights.h5'));
    await expect(loadKeras(weights)).rejects.toMatchObject({
      code: 'INVALID_INPUT',
      message: expect.stringMatching(/^model file "weights.h5": expected a model with its configuration/),
    });
    await expect(loadKeras(folder.at('nowhere.h5'))).rejects.toMatchObject({ code: 'STORAGE' });
    await mkdir(folder.at('folder.keras'));
    await expect(loadKeras(folder.at('folder.keras'))).rejects.toMatchObject({ code: 'STORAGE' });
  });

  it('refuses a configuration that is no JSON', async () => {
    const file = await folder.write(
      'text.keras',
      makeZip([
        { name: 'config.json', content: Buffer.from('not json') },
        { name: 'model.weights.h5', content: Buffer.from('') },
      ]),
    );
    await expect(loadKeras(file)).rejects.toMatchObject({
      code: 'INVALID_INPUT',
      message: 'model file "text.keras", config.json: expected JSON, received text that does not parse',
    });
  });

  it('reads .h5 as Keras 2 wrote it', async () => {
    const file = await folder.write('old.h5', await madeByKeras2());
    const model = await loadKeras(file);
    expect(weightsOf(model).map(({ name }) => name)).toEqual([
      ...['inner/norm/gamma', 'inner/norm/beta', 'head/kernel', 'head/bias'],
    ]);
    const logits = tf.tidy(() => model.logits(tf.tensor2d([[3, -5]]), INFERENCE).dataSync());
    // (x − mean) / √(variance + ε) · gamma + beta, with ε so that the root is 2; a slope of 0.5 below 0; kernel and bias
    const hidden = [((3 - 1) / 2) * 2 + 1, (((-5 - 1) / 2) * 4 + 2) * 0.5];
    expect(logits[0]).toBeCloseTo(hidden[0]! * 10 + hidden[1]! * 100 + 7, 4);
    model.dispose();
  });

  it('refuses a head that is not the last dense layer, and leaves nothing behind', async () => {
    await expectNoLeak(() =>
      expect(loadKeras(fixture('nested.keras'), { head: 'hidden' })).rejects.toMatchObject({
        code: 'UNSUPPORTED_MODEL',
      }),
    );
  });
});
