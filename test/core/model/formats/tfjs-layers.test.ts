import { readFile } from 'node:fs/promises';
import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel, SymbolicTensor } from '@tensorflow/tfjs-layers';
import { input, layers, loadLayersModel, model, sequential } from '@tensorflow/tfjs-layers';
import { afterEach, describe, expect, test } from 'vitest';
import type { Classifier, LoadOptions } from '../../../../core/model/classifier.ts';
import { INFERENCE } from '../../../../core/model/classifier.ts';
import { loadTfjsLayers } from '../../../../core/model/formats/tfjs-layers.ts';
import { useTempFolder } from '../../../helpers/files.ts';
import { bitsOf, fillWeights, writeModel } from '../../../helpers/made-data.ts';
import { expectClose, expectNoLeak, noise, withBackend } from '../../../helpers/tensors.ts';

type Activation = 'linear' | 'sigmoid';

const cnn = (activation: Activation = 'linear') =>
  sequential({
    layers: [
      layers.conv2d({ name: 'conv', filters: 3, kernelSize: 3, inputShape: [6, 6, 2], trainable: false }),
      layers.batchNormalization({ name: 'norm', momentum: 0.9 }),
      layers.reLU({ name: 'relu' }),
      layers.dropout({ name: 'drop', rate: 0.5 }),
      layers.globalAveragePooling2d({ name: 'pool' }),
      layers.dense({ name: 'head', units: 1, activation }),
    ],
  });

function branched(): LayersModel {
  const x = input({ shape: [4], name: 'x' });
  const left = layers.dense({ name: 'left', units: 3, activation: 'tanh' }).apply(x);
  const right = layers.dense({ name: 'right', units: 3 }).apply(x);
  const sum = layers.add({ name: 'sum' }).apply([left, right] as SymbolicTensor[]);
  const head = layers.dense({ name: 'head', units: 1, useBias: false }).apply(sum);
  return model({ inputs: x, outputs: head as SymbolicTensor });
}

const nested = (where: 'first' | 'middle') =>
  sequential({
    layers: [
      ...(where === 'middle' ? [layers.dense({ name: 'outer', units: 4, inputShape: [4] })] : []),
      sequential({
        name: 'inner',
        layers: [
          layers.dense({ name: 'deep', units: 3, activation: 'tanh', inputShape: [4], trainable: false }),
          layers.batchNormalization({ name: 'deep-norm' }),
          layers.dropout({ name: 'deep-drop', rate: 0.5 }),
        ],
      }),
      layers.dense({ name: 'head', units: 1 }),
    ],
  });

const recurrent = () =>
  sequential({
    layers: [
      layers.lstm({ name: 'lstm', units: 3, inputShape: [4, 2], recurrentInitializer: 'zeros' }),
      layers.dense({ name: 'head', units: 1 }),
    ],
  });

const MODELS = {
  cnn,
  branched,
  'nested first': () => nested('first'),
  'nested in the middle': () => nested('middle'),
  recurrent,
} satisfies Record<string, () => LayersModel>;

describe('loadTfjsLayers', () => {
  withBackend('wasm');
  const folder = useTempFolder();
  const loaded: Classifier[] = [];
  afterEach(() => {
    for (const classifier of loaded.splice(0)) classifier.dispose();
  });

  let count = 0;
  /** Written to disk and read back. */
  async function load(layersModel: LayersModel, options?: LoadOptions) {
    count += 1;
    const path = await writeModel(folder.at(`model-${count}`), fillWeights(layersModel));
    layersModel.dispose();
    const classifier = await loadTfjsLayers(path, options);
    loaded.push(classifier);
    return { classifier, path };
  }

  const batchOf = ({ inputShape }: Classifier, size = 3) =>
    tf.tensor(
      noise(
        inputShape.reduce((product, extent) => product * extent, size),
        5,
      ),
      [size, ...inputShape],
    );

  function logitsOf(classifier: Classifier): Float32Array {
    return tf.tidy(() => classifier.logits(batchOf(classifier), INFERENCE).dataSync() as Float32Array);
  }

  /** What tfjs makes of the same files. */
  async function outputByTfjs(path: string, classifier: Classifier): Promise<Float32Array> {
    const json = JSON.parse(await readFile(`${path}/model.json`, 'utf8'));
    const bytes = new Uint8Array(await readFile(`${path}/weights.bin`));
    const plain = await loadLayersModel(
      tf.io.fromMemory({
        modelTopology: json.modelTopology,
        weightSpecs: json.weightsManifest[0].weights,
        weightData: bytes.buffer,
      }),
    );
    const output = tf.tidy(
      () => (plain.predict(batchOf(classifier)) as tf.Tensor).dataSync() as Float32Array,
    );
    plain.dispose();
    return output;
  }

  test.each(Object.entries(MODELS))('%s gives the logits that tfjs itself gives', async (_, make) => {
    const { classifier, path } = await load(make());
    const logits = logitsOf(classifier);
    expectClose(logits, await outputByTfjs(path, classifier), 1e-5);
    expect(new Set(logits).size).toBe(3);
  });

  test('a sigmoid of the head or after it gives the same logits as none, and tfjs the sigmoid of them', async () => {
    const squashed = cnn();
    squashed.add(layers.activation({ name: 'squash', activation: 'sigmoid' }));
    const plain = (await load(cnn())).classifier;
    const ofHead = await load(cnn('sigmoid'));
    const after = (await load(squashed)).classifier;
    expect([plain, ofHead.classifier, after].map(({ output }) => output)).toEqual([
      'logit',
      'score',
      'score',
    ]);
    expect(logitsOf(ofHead.classifier)).toEqual(logitsOf(plain));
    expect(logitsOf(after)).toEqual(logitsOf(plain));
    const scores = Array.from(logitsOf(plain), (logit) => 1 / (1 + Math.exp(-logit)));
    expectClose(await outputByTfjs(ofHead.path, ofHead.classifier), scores, 1e-5);
  });

  test('names body, head and statistics as the file spells them', async () => {
    const { classifier } = await load(cnn());
    const names = (parameters: readonly { readonly name: string }[]) => parameters.map(({ name }) => name);
    expect(names(classifier.body)).toEqual(['conv/kernel', 'conv/bias', 'norm/gamma', 'norm/beta']);
    expect(names(classifier.statistics)).toEqual(['norm/moving_mean', 'norm/moving_variance']);
    expect([classifier.head.name, classifier.head.kernel.name, classifier.head.bias!.name]).toEqual([
      'head',
      'head/kernel',
      'head/bias',
    ]);
    expect(classifier.body[0]).toMatchObject({ layer: 'conv', shape: [3, 3, 2, 3] });
  });

  test('describes itself: format, files, input and layers', async () => {
    const { classifier, path } = await load(cnn());
    expect(classifier).toMatchObject({
      format: 'tfjs-layers',
      sources: [`${path}/model.json`, `${path}/weights.bin`],
      inputShape: [6, 6, 2],
      hasTrainingMode: true,
    });
    expect(classifier.layers[0]).toEqual({
      name: 'conv',
      kind: 'Conv2D',
      outputShape: [null, 4, 4, 3],
      parameters: 3 * 3 * 2 * 3 + 3,
      part: 'body',
    });
    expect(classifier.layers.map(({ part }) => part)).toEqual([...new Array(5).fill('body'), 'head']);
  });

  test('tells layers after the head from the body', async () => {
    const squashed = cnn();
    squashed.add(layers.activation({ name: 'squash', activation: 'sigmoid' }));
    expect((await load(squashed)).classifier.layers.at(-1)).toMatchObject({
      name: 'squash',
      part: 'after-head',
    });
  });

  test.each(['first', 'middle'] as const)(
    'finds weights, frozen ones too, and dropout of a model that is %s in the model',
    async (where) => {
      const { classifier } = await load(nested(where));
      const inner = classifier.body.filter(({ name }) => name.startsWith('deep'));
      expect(inner.map(({ name, layer }) => [name, layer])).toEqual([
        ['deep/kernel', 'deep'],
        ['deep/bias', 'deep'],
        ['deep-norm/gamma', 'deep-norm'],
        ['deep-norm/beta', 'deep-norm'],
      ]);
      expect(classifier.statistics.map(({ name }) => name)).toEqual([
        'deep-norm/moving_mean',
        'deep-norm/moving_variance',
      ]);
      const seeded = { training: true, nextSeed: () => 1 } as const;
      const drawn = () => tf.tidy(() => classifier.logits(batchOf(classifier), seeded).dataSync());
      expect(drawn()).toEqual(drawn());
    },
  );

  test('takes a frozen layer as a candidate, with a gradient', async () => {
    const { classifier } = await load(cnn());
    const frozen = classifier.body[0]!;
    const inputs = batchOf(classifier);
    const { value, grads } = tf.variableGrads(
      () => tf.sum(classifier.logits(inputs, INFERENCE)) as tf.Scalar,
      [frozen.variable],
    );
    expect(Math.max(...grads[frozen.variable.name]!.dataSync().map(Math.abs))).toBeGreaterThan(0);
    tf.dispose([inputs, value, grads]);
  });

  test('has no training mode without dropout and batch norm', async () => {
    expect((await load(branched())).classifier.hasTrainingMode).toBe(false);
  });

  test('has no bias where the head has none', async () => {
    expect((await load(branched())).classifier.head.bias).toBeNull();
  });

  test('a head that reads the input has the inputs as features, as a tensor of the caller’s own', async () => {
    const { classifier } = await load(
      sequential({ layers: [layers.dense({ name: 'head', units: 1, inputShape: [3] })] }),
    );
    expect(classifier.body).toEqual([]);
    const inputs = batchOf(classifier);
    const features = classifier.features(inputs, INFERENCE);
    expect(features.dataSync()).toEqual(inputs.dataSync());
    features.dispose();
    expect(inputs.isDisposed).toBe(false);
    inputs.dispose();
  });

  test('inference moves nothing; training moves statistics and draws dropout from the seeds given', async () => {
    const { classifier } = await load(cnn());
    const before = bitsOf(classifier);
    const first = logitsOf(classifier);
    expect(logitsOf(classifier)).toEqual(first);
    expect(bitsOf(classifier)).toEqual(before);
    const trained = (seed: number) =>
      tf.tidy(() =>
        classifier.logits(batchOf(classifier), { training: true, nextSeed: () => seed }).dataSync(),
      );
    expect(trained(1)).toEqual(trained(1));
    expect(trained(2)).not.toEqual(trained(1));
    expect(bitsOf(classifier)['norm/moving_mean']).not.toEqual(before['norm/moving_mean']);
  });

  test('never draws the dropout inside a recurrent layer without a seed', async () => {
    const { classifier } = await load(
      sequential({
        layers: [
          layers.lstm({ units: 8, inputShape: [4, 2], dropout: 0.5, recurrentInitializer: 'zeros' }),
          layers.dense({ name: 'head', units: 1 }),
        ],
      }),
    );
    const seeded = { training: true, nextSeed: () => 1 } as const;
    const drawn = () => {
      try {
        return Array.from(tf.tidy(() => classifier.logits(batchOf(classifier), seeded).dataSync()));
      } catch (error) {
        return (error as { code: string }).code; // to refuse the layer would do as well
      }
    };
    expect(drawn()).toEqual(drawn());
  });

  test('takes the head by name, and refuses another', async () => {
    expect((await load(cnn(), { head: 'head' })).classifier.head.name).toBe('head');
    await expect(load(cnn(), { head: 'conv' })).rejects.toMatchObject({ code: 'UNSUPPORTED_MODEL' });
  });

  test('refuses inputs of another shape, naming both', async () => {
    const { classifier } = await load(cnn());
    const inputs = tf.zeros([2, 6, 6, 3]);
    expect(() => classifier.logits(inputs, INFERENCE)).toThrow(
      expect.objectContaining({
        code: 'SHAPE_MISMATCH',
        message: 'model input: expected [batch, 6, 6, 2], received [2, 6, 6, 3]',
        details: { where: 'model input', expected: [6, 6, 2], received: [6, 6, 3] },
      }),
    );
    inputs.dispose();
  });

  test('takes any extent where the model leaves one open', async () => {
    const { classifier } = await load(
      sequential({
        layers: [
          layers.conv2d({ filters: 2, kernelSize: 3, inputShape: [null, null, 1] }),
          layers.globalAveragePooling2d({}),
          layers.dense({ name: 'head', units: 1 }),
        ],
      }),
    );
    tf.tidy(() => {
      expect(classifier.logits(tf.ones([1, 5, 7, 1]), INFERENCE).shape).toEqual([1]);
      expect(() => classifier.logits(tf.ones([1, 5, 7, 2]), INFERENCE)).toThrow(/received \[1, 5, 7, 2\]/);
    });
  });

  test('loads several models at once, and leaves none of their tensors', async () => {
    const paths = await Promise.all(Object.values(MODELS).map(async (make) => (await load(make())).path));
    await expectNoLeak(async () => {
      for (const classifier of await Promise.all(paths.map((path) => loadTfjsLayers(path)))) {
        expect(logitsOf(classifier).every(Number.isFinite)).toBe(true);
        classifier.dispose();
      }
    });
  });

  test.each(Object.entries(MODELS))('%s leaves no tensor when it is used and disposed', async (_, make) => {
    const { path } = await load(make());
    await expectNoLeak(async () => {
      const classifier = await loadTfjsLayers(path);
      const inputs = batchOf(classifier);
      classifier.logits(inputs, INFERENCE).dispose();
      classifier.features(inputs, { training: true, nextSeed: () => 1 }).dispose();
      inputs.dispose();
      classifier.dispose();
    });
  });
});
