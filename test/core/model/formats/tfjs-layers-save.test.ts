import { readdir, readFile, writeFile } from 'node:fs/promises';
import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { layers, sequential } from '@tensorflow/tfjs-layers';
import { afterEach, describe, expect, test } from 'vitest';
import type { Classifier } from '../../../../core/model/classifier.ts';
import { INFERENCE } from '../../../../core/model/classifier.ts';
import { loadTfjsLayers } from '../../../../core/model/formats/tfjs-layers.ts';
import { useTempFolder } from '../../../helpers/files.ts';
import type { WriteOptions } from '../../../helpers/made-data.ts';
import {
  allParameters,
  bitsOf,
  fillWeights,
  quantizeWeights,
  writeModel,
} from '../../../helpers/made-data.ts';
import { expectNoLeak, noise, withBackend } from '../../../helpers/tensors.ts';

const cnn = () =>
  sequential({
    layers: [
      layers.conv2d({ name: 'conv', filters: 3, kernelSize: 3, inputShape: [5, 5, 2] }),
      layers.batchNormalization({ name: 'norm' }),
      layers.globalAveragePooling2d({ name: 'pool' }),
      layers.dense({ name: 'head', units: 1 }),
    ],
  });

interface Manifest {
  readonly modelTopology: unknown;
  readonly weightsManifest: {
    paths: string[];
    weights: { name: string; shape: number[]; dtype: string; quantization?: { dtype: string } }[];
  }[];
}

const readManifest = async (path: string) =>
  JSON.parse(await readFile(`${path}/model.json`, 'utf8')) as Manifest;

/** The bytes of each weight as they lie on disk, by name. */
async function bytesByName(path: string): Promise<Map<string, string>> {
  const { weightsManifest } = await readManifest(path);
  const found = new Map<string, string>();
  for (const { paths, weights } of weightsManifest) {
    const bytes = Buffer.concat(await Promise.all(paths.map((shard) => readFile(`${path}/${shard}`))));
    let offset = 0;
    for (const { name, shape, quantization } of weights) {
      const width = { uint8: 1, uint16: 2, float16: 2 }[quantization?.dtype ?? ''] ?? 4;
      const length = shape.reduce((product, extent) => product * extent, width);
      found.set(name, bytes.subarray(offset, offset + length).toString('hex'));
      offset += length;
    }
  }
  return found;
}

describe('save', () => {
  withBackend('wasm');
  const folder = useTempFolder();
  const loaded: Classifier[] = [];
  afterEach(() => {
    for (const classifier of loaded.splice(0)) classifier.dispose();
  });

  let count = 0;
  async function write(layersModel: LayersModel = cnn(), options?: WriteOptions): Promise<string> {
    count += 1;
    const path = await writeModel(folder.at(`model-${count}`), fillWeights(layersModel), options);
    layersModel.dispose();
    return path;
  }
  async function load(path: string): Promise<Classifier> {
    const classifier = await loadTfjsLayers(path);
    loaded.push(classifier);
    return classifier;
  }
  async function save(classifier: Classifier): Promise<string> {
    count += 1;
    const out = folder.at(`saved/deep/${count}`);
    await classifier.save(out);
    return out;
  }
  const change = (classifier: Classifier, name: string, value: number) =>
    tf.tidy(() => {
      const { variable, shape } = allParameters(classifier).find((parameter) => parameter.name === name)!;
      variable.assign(tf.fill([...shape], value));
    });

  test('gives every file back byte for byte when nothing changed', async () => {
    const path = await write();
    const out = await save(await load(path));
    expect((await readdir(out)).sort()).toEqual(['model.json', 'weights.bin']);
    expect(await readFile(`${out}/weights.bin`)).toEqual(await readFile(`${path}/weights.bin`));
    expect(await readManifest(out)).toEqual(await readManifest(path));
    const topology = async (where: string) => JSON.stringify((await readManifest(where)).modelTopology);
    expect(await topology(out)).toBe(await topology(path));
  });

  test('keeps what it does not know in model.json', async () => {
    const path = await write();
    const extra = { userDefinedMetadata: { site: 'A' }, trainingConfig: { loss: 'x' } };
    await writeFile(`${path}/model.json`, JSON.stringify({ ...(await readManifest(path)), ...extra }));
    expect(await readManifest(await save(await load(path)))).toMatchObject(extra);
  });

  test('changes the bytes of changed weights and of no other', async () => {
    const path = await write();
    const classifier = await load(path);
    change(classifier, 'norm/beta', 0.25);
    change(classifier, 'head/bias', -0);
    const [before, after] = [await bytesByName(path), await bytesByName(await save(classifier))];
    const changed = [...before.keys()].filter((name) => after.get(name) !== before.get(name));
    expect(changed.sort()).toEqual(['head/bias', 'norm/beta']);
    expect(after.get('norm/beta')).toBe('0000803e'.repeat(3));
    expect(after.get('head/bias')).toBe('00000080');
  });

  test('takes a weight that came back to its old bits for unchanged', async () => {
    const path = await write();
    const classifier = await load(path);
    const { variable } = classifier.head.bias!;
    const old = variable.dataSync().slice();
    change(classifier, 'head/bias', 9);
    tf.tidy(() => variable.assign(tf.tensor1d(old)));
    expect(await bytesByName(await save(classifier))).toEqual(await bytesByName(path));
  });

  test('saves moved statistics of batch norm', async () => {
    const path = await write();
    const classifier = await load(path);
    tf.tidy(() => void classifier.logits(tf.ones([2, 5, 5, 2]), { training: true, nextSeed: () => 1 }));
    const [before, after] = [await bytesByName(path), await bytesByName(await save(classifier))];
    const changed = [...before.keys()].filter((name) => after.get(name) !== before.get(name));
    expect(changed.sort()).toEqual(['norm/moving_mean', 'norm/moving_variance']);
  });

  test('is read back as it stood, bit for bit', async () => {
    const classifier = await load(await write());
    for (const { name, variable } of allParameters(classifier))
      change(classifier, name, 1 / (3 + variable.size));
    const again = await load(await save(classifier));
    expect(bitsOf(again)).toEqual(bitsOf(classifier));
  });

  test('can be saved again where it was saved before', async () => {
    const classifier = await load(await write());
    const out = folder.at('again');
    await classifier.save(out);
    change(classifier, 'head/bias', 5);
    await classifier.save(out);
    expect(bitsOf(await load(out))).toEqual(bitsOf(classifier));
  });

  test('keeps a frozen layer frozen in the file', async () => {
    const frozen = sequential({
      layers: [
        layers.dense({ name: 'body', units: 2, inputShape: [2], trainable: false }),
        layers.dense({ name: 'head', units: 1 }),
      ],
    });
    const path = await write(frozen);
    const classifier = await load(path);
    change(classifier, 'body/kernel', 1);
    const out = await readManifest(await save(classifier));
    expect(JSON.stringify(out.modelTopology)).toContain('"trainable":false');
  });

  test.each(['uint8', 'uint16', 'float16'] as const)(
    'keeps the bytes of untouched %s weights and stores touched ones as float32',
    async (dtype) => {
      const path = await write();
      await quantizeWeights(path, dtype);
      const classifier = await load(path);
      change(classifier, 'conv/kernel', 0.5);
      const out = await save(classifier);
      const [before, after] = [await bytesByName(path), await bytesByName(out)];
      expect([...before.keys()].filter((name) => after.get(name) !== before.get(name))).toEqual([
        'conv/kernel',
      ]);
      expect(after.get('conv/kernel')).toBe('0000003f'.repeat(3 * 3 * 2 * 3));
      const specs = (await readManifest(out)).weightsManifest[0]!.weights;
      const quantized = specs.filter(({ quantization }) => quantization).map(({ name }) => name);
      expect(quantized).toEqual([...before.keys()].filter((name) => name !== 'conv/kernel'));
      expect(specs.find(({ name }) => name === 'conv/kernel')).toEqual({
        name: 'conv/kernel',
        shape: [3, 3, 2, 3],
        dtype: 'float32',
      });
      expect(bitsOf(await load(out))).toEqual(bitsOf(classifier));
    },
  );

  test.each(['uint8', 'uint16', 'float16'] as const)(
    'reads %s weights to within a step of their values',
    async (dtype) => {
      const path = await write();
      const exact = await load(path);
      const values = exact.body[0]!.variable.dataSync();
      await quantizeWeights(path, dtype);
      const rounded = (await load(path)).body[0]!.variable.dataSync();
      const range = Math.max(...values) - Math.min(...values);
      const step = {
        uint8: range / 255,
        uint16: range / 65535,
        float16: Math.max(...values.map(Math.abs)) / 1024,
      }[dtype];
      rounded.forEach((value, place) => {
        expect(Math.abs(value - values[place]!)).toBeLessThanOrEqual(step);
      });
      expect(rounded).not.toEqual(values);
    },
  );

  test('keeps the shards of a model in several, folders included', async () => {
    const shards = ['group1-shard1of3.bin', 'group1-shard2of3.bin', 'more/group1-shard3of3.bin'];
    const path = await write(cnn(), { shards });
    const classifier = await load(path);
    expect(classifier.sources).toEqual(['model.json', ...shards].map((file) => `${path}/${file}`));
    const out = await save(classifier);
    for (const shard of shards) {
      expect(await readFile(`${out}/${shard}`), shard).toEqual(await readFile(`${path}/${shard}`));
    }
    change(classifier, 'head/bias', 5);
    expect(bitsOf(await load(await save(classifier)))).toEqual(bitsOf(classifier));
  });

  test('keeps the bytes of shards of unequal size, one after another', async () => {
    const path = await write(cnn(), { shards: ['a.bin', 'b.bin'] });
    const joined = async (where: string) =>
      Buffer.concat([await readFile(`${where}/a.bin`), await readFile(`${where}/b.bin`)]);
    const bytes = await joined(path);
    await writeFile(`${path}/a.bin`, bytes.subarray(0, 101));
    await writeFile(`${path}/b.bin`, bytes.subarray(101));
    expect(await joined(await save(await load(path)))).toEqual(bytes);
  });

  test('keeps groups of weights apart', async () => {
    const path = await write();
    const json = await readManifest(path);
    const [{ weights }] = json.weightsManifest as [Manifest['weightsManifest'][number]];
    const bytes = await readFile(`${path}/weights.bin`);
    const first = 4 * weights[0]!.shape.reduce((product, extent) => product * extent, 1);
    const groups = [
      { paths: ['one.bin'], weights: weights.slice(0, 1) },
      { paths: ['two.bin'], weights: weights.slice(1) },
    ];
    await writeFile(`${path}/one.bin`, bytes.subarray(0, first));
    await writeFile(`${path}/two.bin`, bytes.subarray(first));
    await writeFile(`${path}/model.json`, JSON.stringify({ ...json, weightsManifest: groups }));
    const out = await save(await load(path));
    expect((await readManifest(out)).weightsManifest).toEqual(groups);
    expect(await bytesByName(out)).toEqual(await bytesByName(path));
  });

  test('finds the weights of a recurrent layer under the names that TensorFlow 2 gives them', async () => {
    const path = await write(
      sequential({
        layers: [
          layers.lstm({ name: 'lstm', units: 3, inputShape: [4, 2], recurrentInitializer: 'zeros' }),
          layers.dense({ name: 'head', units: 1 }),
        ],
      }),
    );
    const json = JSON.stringify(await readManifest(path))
      .replaceAll('"lstm/', '"lstm/lstm_cell/')
      // the initializer that Keras writes
      .replace(/("recurrent_initializer":\{"class_name":")Zeros/, '$1Orthogonal');
    await writeFile(`${path}/model.json`, json);
    const classifier = await load(path);
    change(classifier, 'lstm/recurrent_kernel', 0.5);
    const out = await save(classifier);
    const [before, after] = [await bytesByName(path), await bytesByName(out)];
    expect([...before.keys()].filter((name) => after.get(name) !== before.get(name))).toEqual([
      'lstm/lstm_cell/recurrent_kernel',
    ]);
    const again = await load(out);
    tf.tidy(() => {
      const steps = tf.tensor3d(noise(2 * 4 * 2, 1), [2, 4, 2]);
      expect(again.logits(steps, INFERENCE).dataSync()).toEqual(
        classifier.logits(steps, INFERENCE).dataSync(),
      );
    });
  });

  test('leaves no tensor', async () => {
    const classifier = await load(await write());
    await expectNoLeak(() => save(classifier));
  });
});
