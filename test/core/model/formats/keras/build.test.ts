import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { buildModel } from '../../../../../core/model/formats/keras/build.ts';
import { parseKerasConfig } from '../../../../../core/model/formats/keras/config.ts';
import type { Hdf5Dataset } from '../../../../../core/model/formats/keras/hdf5.ts';
import { weightsByClass } from '../../../../../core/model/formats/keras/weights.ts';
import { recordLayerCalls } from '../../../../../core/model/formats/layer-calls.ts';
import { withoutLeak } from '../../../../../core/model/formats/layers-classifier.ts';
import { expectNoLeak, withBackend } from '../../../../helpers/tensors.ts';

type Json = Readonly<Record<string, unknown>>;

const input = (shape: readonly (number | null)[] = [null, 2]) =>
  layer('InputLayer', 'x', { batch_shape: shape });
const layer = (kind: string, name: string, config: Json = {}, on: readonly string[] = []) => ({
  class_name: kind,
  name,
  config: { name, trainable: true, ...config },
  inbound_nodes: on.length === 0 ? [] : [on.map((other) => [other, 0, 0, {}])],
});
const functional = (layers: readonly object[], output = 'y') => ({
  class_name: 'Functional',
  config: { layers, input_layers: [['x', 0, 0]], output_layers: [[output, 0, 0]] },
});
const dense = (name: string, config: Json, on: readonly string[]) =>
  layer('Dense', name, { units: 1, activation: 'linear', use_bias: false, ...config }, on);
const weight = (path: string, shape: readonly number[], ...values: readonly number[]): Hdf5Dataset => ({
  path,
  shape,
  dtype: 'float32',
  bytes: new Uint8Array(Float32Array.from(values).buffer),
});

async function build(config: unknown, datasets: readonly Hdf5Dataset[] = []) {
  const graph = parseKerasConfig(config, 'file');
  return withoutLeak(() => buildModel(graph, weightsByClass(graph, { attributes: {}, datasets })));
}
const refusal = (config: unknown, datasets?: readonly Hdf5Dataset[]) =>
  build(config, datasets).then(
    () => null,
    ({ code, message }) => [code, message],
  );

describe('a frozen batch norm before a relu, which backend wasm does in one pass', () => {
  withBackend('wasm');

  it('shows its own output, and stays frozen after it was looked at', async () => {
    const frozen = { trainable: false, axis: -1, momentum: 0.5, epsilon: 1e-3 };
    const layers = [
      input([null, 1]),
      layer('BatchNormalization', 'norm', frozen, ['x']),
      layer('ReLU', 'y', {}, ['norm']),
    ];
    const stored = [1, 0, 0, 1].map((value, place) =>
      weight(`/layers/batch_normalization/vars/${place}`, [1], value),
    );
    const { model } = await build(functional(layers), stored);
    const norm = model.getLayer('norm');
    await expectNoLeak(() => {
      const x = tf.tensor2d([[-3], [2]]);
      const run = (training: boolean) => {
        const y = model.apply(x, { training }) as tf.Tensor;
        const values = Array.from(y.dataSync());
        y.dispose();
        return values;
      };
      const found = recordLayerCalls({
        layers: new Map([['norm', norm]]),
        names: ['norm'],
        run: () => run(false),
      });
      const shrink = Math.sqrt(1 + 1e-3);
      expect(Array.from(found.get('norm')!.dataSync())).toEqual([
        expect.closeTo(-3 / shrink, 6),
        expect.closeTo(2 / shrink, 6),
      ]);
      expect(run(true)).toEqual([0, expect.closeTo(2 / shrink, 6)]);
      tf.dispose([x, ...found.values()]);
    });
    model.dispose();
  });
});

describe('buildModel', () => {
  withBackend('cpu');

  it('names where each weight lies', async () => {
    const kernel = weight('/layers/dense/vars/0', [2, 1], 3, 4);
    const { model, stored } = await build(functional([input(), dense('y', {}, ['x'])]), [kernel]);
    expect([...stored]).toEqual([['y/kernel', { ...kernel, bytes: null }]]);
    const output = tf.tidy(() => (model.predict(tf.tensor2d([[1, 10]])) as tf.Tensor).dataSync()[0]);
    expect(output).toBe(3 + 40);
    model.dispose();
  });

  it('does not care about the order of the layers', async () => {
    const layers = [
      layer('ReLU', 'y', {}, ['b']),
      layer('ReLU', 'b', {}, ['a']),
      layer('ReLU', 'a', {}, ['x']),
      input(),
    ];
    const { model } = await build(functional(layers));
    expect(model.layers.map(({ name }) => name)).toEqual(['x', 'a', 'b', 'y']);
    model.dispose();
  });

  it('keeps a frozen batch norm in inference mode, and moves one that is not', async () => {
    const norm = (trainable: boolean) =>
      layer('BatchNormalization', 'y', { trainable, axis: -1, momentum: 0.5, epsilon: 1e-3 }, ['x']);
    const stored = [1, 0, 0, 1].map((value, place) =>
      weight(`/layers/batch_normalization/vars/${place}`, [1], value),
    );
    const batch = [[1], [3]];
    for (const trainable of [true, false]) {
      const { model } = await build(functional([input([null, 1]), norm(trainable)]), stored);
      const run = (training: boolean) =>
        tf.tidy(() => Array.from((model.apply(tf.tensor2d(batch), { training }) as tf.Tensor).dataSync()));
      const own = run(false);
      if (trainable) expect(run(true)[0]).toBeCloseTo(-1, 2);
      else expect(run(true)).toEqual(own);
      model.dispose();
    }
  });

  it.each<[string, unknown, string, RegExp]>([
    [
      'a loop',
      functional([input(), layer('Add', 'y', {}, ['x', 'z']), layer('ReLU', 'z', {}, ['y'])]),
      'INVALID_INPUT',
      /^model layers "y", "z": expected inputs from other layers, received a loop/,
    ],
    [
      'an input that is not there',
      functional([layer('ReLU', 'y', {}, ['x'])]),
      'INVALID_INPUT',
      /^model input "x": expected a layer of that name, received none/,
    ],
    [
      'an output that is not there',
      functional([input()]),
      'INVALID_INPUT',
      /^model output "y": expected a layer/,
    ],
    ['an input of no shape', functional([input(null as never)]), 'INVALID_INPUT', /^model input "x": /],
    [
      'Python code',
      functional([input(), layer('Lambda', 'y', {}, ['x'])]),
      'UNSUPPORTED_MODEL',
      /^model layer "y" \(Lambda\): holds Python code, which is not run/,
    ],
    [
      'an unknown layer',
      functional([input(), layer('Mystery', 'y', {}, ['x'])]),
      'UNSUPPORTED_MODEL',
      /^model layer "y" \(Mystery\): is a class of layers that is not supported$/,
    ],
    [
      'a name that every object has',
      functional([input(), layer('constructor', 'y', {}, ['x'])]),
      'UNSUPPORTED_MODEL',
      /not supported$/,
    ],
    [
      'a sample that grows without end',
      functional([input([null, 2 ** 29])], 'x'),
      'INVALID_INPUT',
      /^model layer "x": expected at most 268435456 numbers for a sample/,
    ],
    [
      'shapes that do not fit',
      functional([input(), layer('Permute', 'y', { dims: [3, 1, 2] }, ['x'])]),
      'UNSUPPORTED_MODEL',
      /^model layer "y" \(Permute\): /,
    ],
    [
      'a configuration that is none',
      functional([input(), dense('y', { units: -1 }, ['x'])]),
      'INVALID_INPUT',
      /^model layer "y" \(Dense\): "units" must be/,
    ],
    [
      'weights that are not there',
      functional([input(), dense('y', {}, ['x'])]),
      'UNSUPPORTED_MODEL',
      /^model layer "y" \(Dense\): expected 1 weights or more, received 0$/,
    ],
  ])('refuses %s', async (_, config, code, message) => {
    await expectNoLeak(async () => {
      expect(await refusal(config)).toEqual([code, expect.stringMatching(message)]);
    });
  });

  it('ends when models are used by models that are used again and again', async () => {
    let inside = functional([input(), layer('ReLU', 'y', {}, ['x'])]) as object;
    for (let depth = 0; depth < 14; depth += 1) {
      const uses = [[['x', 0, 0, {}]], [['m', 1, 0, {}]]];
      inside = {
        class_name: 'Functional',
        config: {
          layers: [input(), { ...inside, name: 'm', inbound_nodes: uses }],
          input_layers: [['x', 0, 0]],
          output_layers: [['m', 2, 0]],
        },
      };
    }
    expect(await refusal(inside)).toEqual([
      'INVALID_INPUT',
      'model graph: expected at most 10000 uses of layers, received more',
    ]);
  });

  it('makes no weight of a shape that the file lacks, and leaves none of those before it', async () => {
    const config = functional([input(), dense('a', {}, ['x']), dense('y', { units: 2 ** 24 }, ['a'])]);
    const datasets = [
      weight('/layers/dense/vars/0', [2, 1], 3, 4),
      weight('/layers/dense_1/vars/0', [1, 1], 5),
    ];
    await expectNoLeak(async () => {
      expect(await refusal(config, datasets)).toEqual([
        'SHAPE_MISMATCH',
        'model weight "/layers/dense_1/vars/0": expected shape [1, 16777216] by the configuration of layer "y" (Dense), received [1, 1]',
      ]);
    });
  });
});
