import { describe, expect, it } from 'vitest';
import type { KerasGraph, KerasLayer } from '../../../../../core/model/formats/keras/config.ts';
import type { Hdf5Dataset } from '../../../../../core/model/formats/keras/hdf5.ts';
import {
  changedBytes,
  valuesOf,
  WeightQueue,
  weightsByClass,
  weightsByName,
} from '../../../../../core/model/formats/keras/weights.ts';
import { withBackend } from '../../../../helpers/tensors.ts';

const layer = (kind: string, name: string, graph: KerasGraph | null = null): KerasLayer => ({
  kind,
  isOperation: false,
  name,
  config: {},
  nodes: [],
  graph,
});
const graph = (...layers: KerasLayer[]): KerasGraph => ({ layers, inputs: [], outputs: [] });
const dataset = (
  path: string,
  values: Float32Array | Float64Array | Uint16Array = Float32Array.of(0),
): Hdf5Dataset => ({
  path,
  shape: [values.length],
  dtype: values instanceof Float32Array ? 'float32' : values instanceof Float64Array ? 'float64' : 'float16',
  bytes: new Uint8Array(values.buffer),
});
const pathsOf = (found: ReadonlyMap<KerasLayer, readonly Hdf5Dataset[]>) =>
  [...found].map(([{ name }, datasets]) => [name, datasets.map(({ path }) => path)]);

describe('weightsByClass', () => {
  const inner = graph(layer('InputLayer', 'in'), layer('Conv2D', 'conv'), layer('PReLU', 'act'));
  const model = graph(
    layer('InputLayer', 'x'),
    layer('Functional', 'trunk', inner),
    layer('Conv2D', 'first'),
    { ...layer('Conv2D', 'operation'), isOperation: true },
    layer('Conv2D', 'second'),
    layer('GlobalAveragePooling2D', 'pool'),
  );
  const files = (list: string) =>
    [
      ...Array.from({ length: 12 }, (_, place) => `${list}/conv2d_1/vars/${11 - place}`),
      `${list}/functional/${list}/conv2d/vars/0`,
      `${list}/functional/${list}/p_re_lu/vars/0`,
      `${list}/global_average_pooling2d/vars/0`,
    ].map((name) => dataset(`/${name}`));

  it.each(['layers', '_layer_checkpoint_dependencies'])(
    'counts the classes in %s, and orders by number',
    (list) => {
      const found = pathsOf(weightsByClass(model, { attributes: {}, datasets: files(list) }));
      expect(found).toEqual([
        ['x', []],
        ['in', []],
        ['conv', [`/${list}/functional/${list}/conv2d/vars/0`]],
        ['act', [`/${list}/functional/${list}/p_re_lu/vars/0`]],
        ['first', []],
        ['second', Array.from({ length: 12 }, (_, place) => `/${list}/conv2d_1/vars/${place}`)],
        ['pool', [`/${list}/global_average_pooling2d/vars/0`]],
      ]);
    },
  );
});

describe('weightsByName', () => {
  it('takes the names of each group in order, however they are cut, and those inside a model by layer', () => {
    const model = graph(
      layer('Dense', 'dense'),
      layer('Sequential', 'trunk', graph(layer('Dense', 'a'), layer('Dense', 'b'))),
    );
    const names = {
      dense: { weight_names0: ['dense_7/kernel:0'], weight_names1: ['dense_7/bias:0'] },
      trunk: { weight_names: ['b/kernel', 'a/kernel', 'b/bias'] },
    };
    const attributes = Object.fromEntries(
      Object.entries(names).map(([name, own]) => [`/model_weights/${name}`, own]),
    ) as unknown as Parameters<typeof weightsByName>[1]['attributes'];
    const datasets = Object.entries(names).flatMap(([name, own]) =>
      Object.values(own)
        .flat()
        .map((weight) => dataset(`/model_weights/${name}/${weight}`)),
    );
    expect(pathsOf(weightsByName(model, { attributes, datasets }))).toEqual([
      ['dense', ['/model_weights/dense/dense_7/kernel:0', '/model_weights/dense/dense_7/bias:0']],
      ['a', ['/model_weights/trunk/a/kernel']],
      ['b', ['/model_weights/trunk/b/kernel', '/model_weights/trunk/b/bias']],
    ]);
  });
});

describe('WeightQueue', () => {
  withBackend('cpu');
  const dense = layer('Dense', 'dense');

  it('starts each weight at its stored values', () => {
    const queue = new WeightQueue(dense, [dataset('/a', Float32Array.of(1, 2)), dataset('/b')]);
    const tensor = queue.next().apply([2]);
    expect(Array.from(tensor.dataSync())).toEqual([1, 2]);
    tensor.dispose();
    expect(() => queue.assertEmpty()).toThrow('model layer "dense" (Dense): expected 1 weights, received 2');
    queue.next();
    queue.assertEmpty();
    expect(() => queue.next()).toThrow('model layer "dense" (Dense): expected 3 weights or more, received 2');
  });

  it('makes nothing of another shape than the file has', () => {
    const initializer = new WeightQueue(dense, [dataset('/a')]).next();
    expect(() => initializer.apply([2 ** 30])).toThrow(
      'model weight "/a": expected shape [1073741824] by the configuration of layer "dense" (Dense), received [1]',
    );
    expect(() => initializer.apply([1, 1])).toThrow(/^model weight "\/a"/);
  });

  it('does not ask for the counters that some layers keep', () => {
    new WeightQueue(dense, [{ ...dataset('/count'), dtype: null, bytes: null }]).assertEmpty();
  });

  it('refuses weights that are no fractions', () => {
    const initializer = new WeightQueue(dense, [{ ...dataset('/a'), dtype: null, bytes: null }]).next();
    expect(() => initializer.apply([1])).toThrow(
      'model weight "/a": expected floating-point numbers, received others',
    );
  });
});

describe('changedBytes', () => {
  const HALF_ONE = 0x3c00;
  const HALF_TENTH = 0x2e66; // 0.0999756

  it('keeps the bits of what did not change, in any precision', () => {
    const double = dataset('/d', Float64Array.of(0.1, 0.2));
    const [first] = valuesOf(double);
    expect(new Float64Array(changedBytes(double, Float32Array.of(first!, 0.5)).buffer)).toEqual(
      Float64Array.of(0.1, 0.5),
    );
    const half = dataset('/h', Uint16Array.of(HALF_TENTH, HALF_TENTH));
    expect(Array.from(valuesOf(half))).toEqual([0.0999755859375, 0.0999755859375]);
    const changed = changedBytes(half, Float32Array.of(0.0999755859375, 1));
    expect(new Uint16Array(changed.buffer)).toEqual(Uint16Array.of(HALF_TENTH, HALF_ONE));
    const single = dataset('/s', Float32Array.of(-0, 3));
    expect(changedBytes(single, Float32Array.of(0, 3))).toEqual(new Uint8Array(Float32Array.of(0, 3).buffer));
  });
});
