import type { LayersModel, SymbolicTensor } from '@tensorflow/tfjs-layers';
import { input, layers, model, sequential } from '@tensorflow/tfjs-layers';
import { afterEach, describe, expect, test } from 'vitest';
import { partitionModel } from '../../../core/model/partition.ts';
import { withBackend } from '../../helpers/tensors.ts';

describe('partitionModel', () => {
  withBackend('cpu');
  const made: LayersModel[] = [];
  afterEach(() => {
    for (const one of made.splice(0)) one.dispose();
  });

  /** A stack over four numbers. */
  function stack(...tail: ReturnType<typeof layers.dense>[]): LayersModel {
    const built = sequential({
      layers: [layers.dense({ name: 'body', units: 3, inputShape: [4] }), ...tail],
    });
    made.push(built);
    return built;
  }
  /** A graph over four numbers. */
  function graph(build: (x: SymbolicTensor) => SymbolicTensor | SymbolicTensor[]): LayersModel {
    const x = input({ shape: [4], name: 'x' });
    const built = model({ inputs: x, outputs: build(x) });
    made.push(built);
    return built;
  }
  const through = (layer: ReturnType<typeof layers.dense>, x: SymbolicTensor) =>
    layer.apply(x) as SymbolicTensor;
  const head = (about: { activation?: 'sigmoid' | 'softmax' | 'tanh' | 'relu'; units?: number } = {}) =>
    layers.dense({ name: 'head', units: 1, ...about });
  const asLayer = (layer: unknown) => layer as ReturnType<typeof layers.dense>;
  const namesOf = (all: readonly { readonly name: string }[]) => all.map(({ name }) => name);

  test('splits a stack at its last dense layer', () => {
    const { head: found, body, afterHead, features, units } = partitionModel(stack(head()));
    expect(found.name).toBe('head');
    expect(namesOf(body).slice(-1)).toEqual(['body']);
    expect(afterHead).toEqual([]);
    expect(features.shape).toEqual([null, 3]);
    expect(units).toEqual({ count: 1, positive: 0, isShared: false, output: 'logit' });
  });

  test('reads a sigmoid of the head itself as a score', () => {
    expect(partitionModel(stack(head({ activation: 'sigmoid' }))).units.output).toBe('score');
  });

  test('looks past activation, flatten and reshape after the head', () => {
    const tail = [
      asLayer(layers.reshape({ name: 'reshape', targetShape: [1, 1] })),
      asLayer(layers.flatten({ name: 'flatten' })),
      asLayer(layers.activation({ name: 'squash', activation: 'sigmoid' })),
    ];
    const { head: found, afterHead, units } = partitionModel(stack(head(), ...tail));
    expect(found.name).toBe('head');
    expect(namesOf(afterHead)).toEqual(['reshape', 'flatten', 'squash']);
    expect(units.output).toBe('score');
  });

  test('finds the head of a graph with branches by dataflow, not by order', () => {
    const built = graph((x) => {
      const left = through(layers.dense({ name: 'zz', units: 2 }), x);
      const right = through(layers.dense({ name: 'aa', units: 2 }), x);
      return through(head(), layers.add().apply([left, right]) as SymbolicTensor);
    });
    const { head: found, body } = partitionModel(built);
    expect(found.name).toBe('head');
    expect(namesOf(body)).toEqual(expect.arrayContaining(['x', 'zz', 'aa']));
  });

  test('takes a head that reads the input itself', () => {
    const built = graph((x) => through(head(), x));
    const { features, body } = partitionModel(built);
    expect(features).toBe(built.inputs[0]);
    expect(namesOf(body)).toEqual(['x']);
  });

  test('confirms a head by its name', () => {
    expect(partitionModel(stack(head()), { head: 'head' }).head.name).toBe('head');
  });

  const refusal = (built: LayersModel, name?: string) => {
    try {
      partitionModel(built, { head: name });
      return null;
    } catch (error) {
      const { code, message } = error as { code: string; message: string };
      return [code, message];
    }
  };

  test('refuses a name that is not the head, saying where the walk ended', () => {
    const expected = (name: string) => [
      'UNSUPPORTED_MODEL',
      `head "${name}": expected the last Dense layer before the output, which is where the walk back met layer "head" (Dense)`,
    ];
    expect(refusal(stack(head()), 'body')).toEqual(expected('body'));
    expect(refusal(stack(head()), 'nowhere')).toEqual(expected('nowhere'));
  });

  test('refuses a named layer after the head', () => {
    const built = stack(head(), asLayer(layers.activation({ name: 'squash', activation: 'sigmoid' })));
    expect(refusal(built, 'squash')![1]).toMatch(/met layer "squash" \(Activation\)$/);
  });

  test('refuses an output that is no dense layer’s', () => {
    const built = graph((x) => {
      const grid = asLayer(layers.reshape({ targetShape: [2, 2, 1] }));
      const conv = asLayer(layers.conv2d({ name: 'conv', filters: 1, kernelSize: 2 }));
      return through(
        asLayer(layers.globalAveragePooling2d({ name: 'gap' })),
        through(conv, through(grid, x)),
      );
    });
    expect(refusal(built)).toEqual([
      'UNSUPPORTED_MODEL',
      'no head found: expected a Dense layer at the output, received layer "gap" (GlobalAveragePooling2D)',
    ]);
  });

  test('refuses a head whose output meets another tensor before the end', () => {
    const built = graph((x) => {
      const one = through(head(), x);
      return layers
        .add({ name: 'sum' })
        .apply([one, through(layers.dense({ units: 1 }), x)]) as SymbolicTensor;
    });
    expect(refusal(built)![1]).toMatch(/received layer "sum" \(Add\)$/);
  });

  const softmax = () => asLayer(layers.softmax());
  const split = (units: number, tail: readonly ReturnType<typeof layers.dense>[], positiveClass?: number) =>
    partitionModel(stack(head({ units }), ...tail), { positiveClass }).units;

  test('takes two units as the two classes of a softmax, which may be a layer of its own or absent', () => {
    const two = { count: 2, positive: 1, isShared: true };
    expect(split(2, [])).toEqual({ ...two, output: 'logit' });
    expect(split(2, [softmax()])).toEqual({ ...two, output: 'score' });
    expect(split(2, [asLayer(layers.activation({ activation: 'softmax' }))])).toMatchObject(two);
    expect(partitionModel(stack(head({ units: 2, activation: 'softmax' }))).units).toMatchObject(two);
    expect(split(2, [], 0)).toMatchObject({ positive: 0 });
  });

  test('takes more units with the one that is named, under a softmax or a sigmoid for each', () => {
    expect(split(5, [softmax()], 3)).toEqual({ count: 5, positive: 3, isShared: true, output: 'score' });
    expect(
      partitionModel(stack(head({ units: 5, activation: 'sigmoid' })), { positiveClass: 0 }).units,
    ).toEqual({
      count: 5,
      positive: 0,
      isShared: false,
      output: 'score',
    });
    expect(refusal(stack(head({ units: 5 })))).toEqual([
      'INVALID_INPUT',
      expect.stringMatching(/5 units, from 0 to 4/),
    ]);
  });

  test('refuses a softmax over a part of the units, or none behind another arrangement of them', () => {
    const pairs = () => asLayer(layers.reshape({ name: 'pairs', targetShape: [3, 2] }));
    const split =
      (...tail: ReturnType<typeof layers.dense>[]) =>
      () =>
        partitionModel(stack(head({ units: 6 }), ...tail), { positiveClass: 1 });
    expect(split(pairs(), softmax())).toThrow(
      'head "head": expected one softmax over all of its units, received "pairs" (Reshape) before or in it',
    );
    expect(split(pairs())).toThrow(/received "pairs"/);
    expect(split(asLayer(layers.softmax({ name: 'samples', axis: 0 })))).toThrow(/"samples" \(Softmax\)/);
    expect(split(softmax(), pairs())().units.count).toBe(6);
  });

  test('refuses a softmax over one unit', () => {
    expect(refusal(stack(head({ activation: 'softmax' })))![1]).toBe(
      'head "head": expected no activation or one sigmoid after it, received softmax',
    );
  });

  test('refuses a sigmoid after another activation', () => {
    const squash = () => asLayer(layers.activation({ activation: 'sigmoid' }));
    expect(refusal(stack(head({ activation: 'tanh' }), squash()))![1]).toMatch(/received tanh then sigmoid$/);
    expect(refusal(stack(head({ activation: 'sigmoid' }), squash()))![1]).toMatch(
      /received sigmoid then sigmoid$/,
    );
  });

  test('refuses features that are no vector', () => {
    const built = graph((x) => {
      const steps = through(asLayer(layers.reshape({ targetShape: [2, 2] })), x);
      return through(asLayer(layers.flatten({})), through(head(), steps));
    });
    expect(refusal(built)![0]).toBe('UNSUPPORTED_MODEL');
    expect(refusal(built)![1]).toMatch(/^head "head": expected features of shape \[batch, width\], received/);
  });

  test('refuses two outputs and two inputs', () => {
    const outputs = graph((x) => [through(head(), x), through(layers.dense({ units: 1 }), x)]);
    expect(refusal(outputs)).toEqual(['UNSUPPORTED_MODEL', 'model outputs: expected 1, received 2']);
    const [x, y] = [input({ shape: [2] }), input({ shape: [2] })];
    const joined = layers.concatenate().apply([x, y]) as SymbolicTensor;
    const inputs = model({ inputs: [x, y], outputs: through(head(), joined) });
    made.push(inputs);
    expect(refusal(inputs)).toEqual(['UNSUPPORTED_MODEL', 'model inputs: expected 1, received 2']);
  });

  test('refuses a head that is used twice', () => {
    const shared = head();
    const built = graph((x) => {
      const narrow = through(layers.dense({ units: 1 }), x);
      return through(shared, through(shared, narrow));
    });
    expect(refusal(built)![0]).toBe('UNSUPPORTED_MODEL');
  });
});
