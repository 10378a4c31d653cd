import { describe, expect, it } from 'vitest';
import { parseKerasConfig } from '../../../../../core/model/formats/keras/config.ts';

type Json = Readonly<Record<string, unknown>>;

const layer = (kind: string, name: string, rest: Json = {}) => ({
  class_name: kind,
  name,
  config: { name, trainable: true },
  ...rest,
});
const functional = (layers: readonly object[], [input, output]: readonly [unknown, unknown]) => ({
  class_name: 'Functional',
  config: { name: 'model', layers, input_layers: input, output_layers: output },
});
const tensor = (name: string, node = 0) => ({
  class_name: '__keras_tensor__',
  config: { shape: [null, 1], keras_history: [name, node, 0] },
});
const called = (args: readonly unknown[], kwargs: Json = {}) => ({ inbound_nodes: [{ args, kwargs }] });
const parse = (value: unknown) => parseKerasConfig(value, 'file');
const refusal = (value: unknown) => {
  try {
    return parse(value);
  } catch (error) {
    const { code, message } = error as { code: string; message: string };
    return [code, message];
  }
};

describe('parseKerasConfig', () => {
  it('reads tensors, lists of them and numbers among the arguments', () => {
    const { layers, inputs, outputs } = parse(
      functional(
        [
          layer('InputLayer', 'x'),
          layer('Add', 'sum', called([[tensor('x'), tensor('x', 2)]])),
          layer('Multiply', 'double', { module: 'keras.src.ops.numpy', ...called([2, tensor('sum')]) }),
          layer('Maximum', 'most', { module: 'keras.ops', ...called([], { x1: tensor('double'), x2: 0.5 }) }),
        ],
        [['x', 0, 0], [['most', 0, 0]]],
      ),
    );
    expect(layers.map(({ nodes }) => nodes.map(({ operands }) => operands))).toEqual([
      [],
      [
        [
          { layer: 'x', node: 0 },
          { layer: 'x', node: 2 },
        ],
      ],
      [[2, { layer: 'sum', node: 0 }]],
      [[{ layer: 'double', node: 0 }, 0.5]],
    ]);
    expect(layers.map(({ isOperation }) => isOperation)).toEqual([false, false, true, true]);
    expect([inputs, outputs]).toEqual([[{ layer: 'x', node: 0 }], [{ layer: 'most', node: 0 }]]);
  });

  it('reads Keras 2, whose models inside count their uses from 1', () => {
    const { layers, outputs } = parse(
      functional(
        [
          layer('InputLayer', 'x'),
          layer('Sequential', 'inner', {
            config: { layers: [layer('Dense', 'dense', { config: { batch_input_shape: [null, 2] } })] },
            inbound_nodes: [[['x', 0, 0, { training: false }]]],
          }),
          layer('ReLU', 'relu', { inbound_nodes: [[['inner', 1, 0, {}]]] }),
        ],
        [[['x', 0, 0]], [['inner', 1, 0]]],
      ),
    );
    expect(layers[1]!.nodes[0]!.isInference).toBe(true);
    expect(layers[2]!.nodes).toEqual([{ operands: [{ layer: 'inner', node: 0 }], isInference: false }]);
    expect(outputs).toEqual([{ layer: 'inner', node: 0 }]);
  });

  it('reads a Sequential model as a chain, with an input where it has none', () => {
    const first = layer('Dense', 'a', { config: { name: 'a', batch_input_shape: [null, 3] } });
    const { layers, inputs, outputs } = parse({
      class_name: 'Sequential',
      config: [first, layer('ReLU', 'b')],
    });
    expect(layers.map(({ kind, nodes }) => [kind, nodes[0]!.operands])).toEqual([
      ['InputLayer', []],
      ['Dense', [{ layer: 'input', node: 0 }]],
      ['ReLU', [{ layer: 'a', node: 0 }]],
    ]);
    expect(layers[0]!.config.batch_shape).toEqual([null, 3]);
    expect([inputs[0]!.layer, outputs[0]!.layer]).toEqual(['input', 'b']);
    const built = { layers: [layer('ReLU', 'b')], build_input_shape: [null, 5] };
    expect(parse({ class_name: 'Sequential', config: built }).layers[0]!.config.batch_shape).toEqual([
      null,
      5,
    ]);
  });

  it('refuses a subclass, a layer of the author’s, and a model that was never built', () => {
    expect(refusal({ class_name: 'MyModel', config: { layers: [] } })).toEqual([
      'UNSUPPORTED_MODEL',
      expect.stringMatching(/^model class "MyModel": expected a Functional or Sequential model/),
    ]);
    const own = [
      layer('Blur', 'blur', { module: 'my_package.layers' }),
      layer('Blur', 'blur', { registered_name: 'Custom>Blur' }),
    ];
    for (const one of own) {
      expect(
        refusal({ class_name: 'Sequential', config: { layers: [layer('InputLayer', 'x'), one] } }),
      ).toEqual([
        'UNSUPPORTED_MODEL',
        'model layer "blur" (Blur): is a class of its author\'s, whose code is not in the file',
      ]);
    }
    expect(refusal({ class_name: 'Sequential', config: { layers: [layer('Dense', 'a')] } })).toEqual([
      'UNSUPPORTED_MODEL',
      'file: expected a Sequential model that was built, received no input shape',
    ]);
  });

  it('refuses too many layers, and models too deep in each other', () => {
    const many = { class_name: 'Sequential', config: { layers: Array(5001).fill(layer('InputLayer', 'x')) } };
    let deep: Json = { class_name: 'Sequential', config: { layers: [layer('InputLayer', 'x')] } };
    for (let depth = 0; depth < 20; depth += 1) {
      deep = { class_name: 'Sequential', config: { layers: [layer('InputLayer', 'x'), deep] } };
    }
    for (const one of [many, deep]) {
      expect(refusal(one)).toEqual([
        'INVALID_INPUT',
        expect.stringMatching(/^file: expected at most 5000 layers/),
      ]);
    }
  });

  it.each([
    ['no object', 3],
    ['no layers', { class_name: 'Functional', config: {} }],
    ['no ends', functional([layer('InputLayer', 'x')], [null, null])],
    [
      'another output of a layer',
      functional(
        [],
        [
          ['x', 0, 1],
          ['x', 0, 0],
        ],
      ),
    ],
    [
      'arguments that are no tensors',
      functional([layer('Add', 'a', called([{ class_name: '__numpy__' }]))], [[], []]),
    ],
  ])('refuses %s', (_, value) => {
    expect(refusal(value)).toEqual(['INVALID_INPUT', expect.stringMatching(/^file configuration: /)]);
  });
});
