import { describe, expect, test } from 'vitest';
import type { AttributeValue, MadeModel } from '../../../../../helpers/onnx.ts';
import {
  expectLikeRuntime,
  madeModel,
  madeTensor,
  madeWeight,
  networkOf,
} from '../../../../../helpers/onnx.ts';
import { withBackend } from '../../../../../helpers/tensors.ts';

type Attributes = Readonly<Record<string, AttributeValue>>;

/** x² + ½, for operators that read positive numbers only. */
const positive: MadeModel['nodes'] = [
  { op: 'Mul', inputs: ['x', 'x'], outputs: ['square'] },
  { op: 'Add', inputs: ['square', 'half'], outputs: ['positive'] },
];
const half = madeTensor('half', [], [0.5]);

describe('operators of one input give what onnxruntime gives', () => {
  withBackend('wasm');

  test.each<[string, Attributes, number?]>([
    ['Abs', {}],
    ['Ceil', {}],
    ['Cos', {}],
    ['Elu', {}],
    ['Elu', { alpha: 0.5 }],
    ['Erf', {}],
    ['Exp', {}],
    ['Floor', {}],
    ['Gelu', {}, 20],
    ['Gelu', { approximate: 'tanh' }, 20],
    ['HardSigmoid', { alpha: { float: 1 } }],
    ['HardSwish', {}],
    ['LeakyRelu', { alpha: 0.3 }],
    ['Mish', {}, 18],
    ['Neg', {}],
    ['Relu', {}],
    ['Selu', {}],
    ['Sigmoid', {}],
    ['Sin', {}],
    ['Softplus', {}],
    ['Softsign', {}],
    ['Tanh', {}],
  ])('%s %o', async (op, attributes, opset = 17) => {
    await expectLikeRuntime(
      { nodes: [{ op, inputs: ['x'], attributes }], input: [null, null], opset },
      [4, 9],
    );
  });

  test.each(['Log', 'Reciprocal', 'Sqrt'])('%s', async (op) => {
    const nodes = [...positive, { op, inputs: ['positive'] }];
    await expectLikeRuntime({ nodes, initializers: [half], input: [null, null] }, [4, 9]);
  });

  test.each<[string, (number | null)[]]>([
    ['between two numbers', [-0.3, 0.4]],
    ['from 0', [0, null]],
    ['from 0 to 6', [0, 6]],
    ['up to a number', [null, 0.25]],
  ])('Clip %s', async (_, ends) => {
    const names = ends.map((end, place) => (end === null ? '' : `end${place}`));
    const initializers = ends.flatMap((end, place) =>
      end === null ? [] : [madeTensor(`end${place}`, [], [end])],
    );
    const nodes = [{ op: 'Clip', inputs: ['x', ...names] }];
    await expectLikeRuntime({ nodes, initializers, input: [null, null] }, [4, 9]);
  });
});

describe('operators of more inputs give what onnxruntime gives', () => {
  withBackend('wasm');

  test.each<[string, readonly number[]]>([
    ['Add', [5]],
    ['Add', [3, 1, 1]],
    ['Sub', [4, 1]],
    ['Mul', [2, 3, 4, 5]],
    ['Mul', [1, 1, 1, 1, 1]],
    ['Max', [4, 5]],
    ['Min', [1, 3, 1, 5]],
    ['PRelu', [3, 1, 1]],
    ['Sum', [5]],
  ])('%s with weights %o', async (op, dims) => {
    const nodes = [{ op, inputs: ['x', 'w'] }];
    await expectLikeRuntime(
      { nodes, initializers: [madeWeight('w', dims)], input: [null, null, null, null] },
      [2, 3, 4, 5],
    );
  });

  test('Div', async () => {
    const nodes = [...positive, { op: 'Div', inputs: ['w', 'positive'] }];
    await expectLikeRuntime(
      { nodes, initializers: [half, madeWeight('w', [9])], input: [null, null] },
      [4, 9],
    );
  });

  test.each([2, 0.5, 1, 3])('Pow %d', async (power) => {
    const nodes = [...positive, { op: 'Pow', inputs: ['positive', 'p'] }];
    const initializers = [half, madeTensor('p', [], [power])];
    await expectLikeRuntime({ nodes, initializers, input: [null, null] }, [4, 9]);
  });

  test('squares of negative numbers', async () => {
    const nodes = [{ op: 'Pow', inputs: ['x', 'p'] }];
    await expectLikeRuntime({ nodes, initializers: [madeTensor('p', [], [2])], input: [null, null] }, [4, 9]);
  });

  test('Where by a mask that is known', async () => {
    const nodes = [{ op: 'Where', inputs: ['is', 'x', 'w'] }];
    const initializers = [madeTensor('is', [3], [1, 0, 1], 'bool'), madeWeight('w', [2, 1])];
    await expectLikeRuntime({ nodes, initializers, input: [null, null] }, [2, 3]);
  });

  test('Sum of three', async () => {
    const nodes = [{ op: 'Sum', inputs: ['x', 'w', 'x'] }];
    await expectLikeRuntime({ nodes, initializers: [madeWeight('w', [3])], input: [null, null] }, [2, 3]);
  });

  const CHANNELS = { op: 'Conv', inputs: ['x', 'k'], outputs: ['c'] };
  const kernel = madeWeight('k', [3, 2, 1, 1], 5);

  test.each<[string, readonly number[]]>([
    ['a scale of channels', [3, 1, 1]],
    ['a scale of channels with batch', [1, 3, 1, 1]],
    ['a column', [4, 1]],
    ['a row', [5]],
    ['all of an image', [3, 4, 5]],
  ])('an image with channels last in memory, with %s', async (_, dims) => {
    const nodes = [CHANNELS, { op: 'Mul', inputs: ['w', 'c'] }];
    const made = { nodes, initializers: [kernel, madeWeight('w', dims)], input: [null, null, null, null] };
    await expectLikeRuntime(made, [2, 2, 4, 5]);
    await expectLikeRuntime(made, [1, 2, 4, 5]);
  });

  test('images of both orders, with a constant on the way', async () => {
    const nodes = [
      CHANNELS,
      { op: 'Transpose', inputs: ['x'], outputs: ['t'], attributes: { perm: [0, 1, 3, 2] } },
      { op: 'Constant', inputs: [], outputs: ['m'], attributes: { value: madeWeight('', [4, 4]) } },
      { op: 'Slice', inputs: ['c', 'zero', 'two', 'one'], outputs: ['s'] },
      { op: 'Add', inputs: ['t', 'm'], outputs: ['u'] },
      { op: 'Add', inputs: ['u', 's'] },
    ];
    const numbers = [0, 1, 2].map((value, place) =>
      madeTensor(['zero', 'one', 'two'][place]!, [1], [value], 'int64'),
    );
    await expectLikeRuntime(
      { nodes, initializers: [kernel, ...numbers], input: [null, null, null, null] },
      [2, 2, 4, 4],
    );
  });
});

describe('they refuse', () => {
  withBackend('wasm');
  const refusal = (made: MadeModel, shape: readonly number[]) => () => {
    const network = networkOf(madeModel(made));
    try {
      network.trace(shape);
    } finally {
      network.dispose();
    }
  };

  test('shapes that do not broadcast', () => {
    const made = {
      nodes: [{ op: 'Add', inputs: ['x', 'w'] }],
      initializers: [madeWeight('w', [4])],
      input: [null, 3],
    };
    expect(refusal(made, [2, 3])).toThrow(/expected shapes that broadcast, received \[2, 3\] and \[4\]/);
  });

  test('a range that is none', () => {
    const initializers = [madeTensor('a', [], [1]), madeTensor('b', [], [0])];
    const made = { nodes: [{ op: 'Clip', inputs: ['x', 'a', 'b'] }], initializers, input: [null, 3] };
    expect(refusal(made, [2, 3])).toThrow(/expected a range, received 1 to 0/);
  });

  test('a missing input', () => {
    const made = { nodes: [{ op: 'Add', inputs: ['x', ''] }], input: [null, 3] };
    expect(refusal(made, [2, 3])).toThrow(/expected an input at place 1, received none/);
  });
});
