import { create } from '@bufbuild/protobuf';
import { describe, expect, test } from 'vitest';
import {
  AttributeProtoSchema,
  AttributeProto_AttributeType as Type,
} from '../../../../../../core/model/formats/onnx/file/onnx-pb.ts';
import { kindOfType } from '../../../../../../core/model/formats/onnx/fold/makers.ts';
import type { MadeNode } from '../../../../../helpers/onnx.ts';
import {
  expectFoldedLikeRuntime,
  madeModel,
  madeNode,
  madeTensor,
  networkOf,
} from '../../../../../helpers/onnx.ts';
import { withBackend } from '../../../../../helpers/tensors.ts';

const list = (name: string, values: readonly number[], dims = [values.length]) =>
  madeTensor(name, dims, values, 'int64');

describe('constants that nodes make are what onnxruntime makes', () => {
  withBackend('wasm');

  test.each<[string, readonly MadeNode[], readonly ReturnType<typeof list>[]]>([
    ['ConstantOfShape', [{ op: 'ConstantOfShape', inputs: ['s'], outputs: ['r'] }], [list('s', [2, 3])]],
    [
      'ConstantOfShape with a value',
      [{ op: 'ConstantOfShape', inputs: ['s'], outputs: ['r'], attributes: { value: list('', [7]) } }],
      [list('s', [2])],
    ],
    ['Shape', [{ op: 'Shape', inputs: ['a'], outputs: ['r'] }], [list('a', [1, 2, 3, 4], [1, 2, 2])]],
    [
      'Shape of some axes',
      [{ op: 'Shape', inputs: ['a'], outputs: ['r'], attributes: { start: 1, end: -1 } }],
      [list('a', [1, 2, 3, 4], [1, 2, 2])],
    ],
    ['Size', [{ op: 'Size', inputs: ['a'], outputs: ['r'] }], [list('a', [1, 2, 3, 4], [1, 2, 2])]],
    [
      'Range',
      [{ op: 'Range', inputs: ['a', 'b', 'c'], outputs: ['r'] }],
      [list('a', [1], []), list('b', [8], []), list('c', [3], [])],
    ],
    [
      'Range backwards',
      [{ op: 'Range', inputs: ['a', 'b', 'c'], outputs: ['r'] }],
      [list('a', [5], []), list('b', [0], []), list('c', [-2], [])],
    ],
    [
      'Cast to bool and back',
      [
        { op: 'Cast', inputs: ['a'], outputs: ['b'], attributes: { to: 9 } },
        { op: 'Cast', inputs: ['b'], outputs: ['r'], attributes: { to: 7 } },
      ],
      [list('a', [0, 2, -1])],
    ],
    [
      'Constant of one integer',
      [{ op: 'Constant', inputs: [], outputs: ['r'], attributes: { value_int: 5 } }],
      [],
    ],
    [
      'Constant of integers',
      [{ op: 'Constant', inputs: [], outputs: ['r'], attributes: { value_ints: [5, 6] } }],
      [],
    ],
    [
      'Constant of one float',
      [{ op: 'Constant', inputs: [], outputs: ['r'], attributes: { value_float: 0.5 } }],
      [],
    ],
  ])('%s', async (_, nodes, initializers) => {
    await expectFoldedLikeRuntime(nodes, initializers);
  });

  const refusal =
    (
      node: Parameters<typeof madeModel>[0]['nodes'][number],
      initializers: readonly ReturnType<typeof list>[],
    ) =>
    () => {
      const nodes = [node, madeNode({ op: 'Reshape', inputs: ['x', 'r'] })];
      const network = networkOf(madeModel({ nodes, initializers, input: [null, 2] }));
      try {
        network.trace([1, 2]);
      } finally {
        network.dispose();
      }
    };

  test('reads a list of floats', () => {
    const constant = madeNode({ op: 'Constant', inputs: [], outputs: ['r'] });
    constant.attribute.push(
      create(AttributeProtoSchema, { name: 'value_floats', type: Type.FLOATS, floats: [1, 2] }),
    );
    expect(refusal(constant, [])).not.toThrow(); // as a shape
  });

  test.each<[string, MadeNode, readonly ReturnType<typeof list>[], RegExp]>([
    ['a constant of nothing', { op: 'Constant', inputs: [], outputs: ['r'] }, [], /a constant of numbers/],
    [
      'a cast to text',
      { op: 'Cast', inputs: ['a'], outputs: ['r'], attributes: { to: 8 } },
      [list('a', [1])],
      /a cast to numbers/,
    ],
    [
      'a constant of endless size',
      { op: 'ConstantOfShape', inputs: ['s'], outputs: ['r'] },
      [list('s', [2 ** 20, 2 ** 20])],
      /at most 8 axes and/,
    ],
    [
      'a range without end',
      { op: 'Range', inputs: ['a', 'b', 'c'], outputs: ['r'] },
      [list('a', [0], []), list('b', [1], []), list('c', [0], [])],
      /at most 8 axes and/,
    ],
  ])('refuses %s', (_, node, initializers, message) => {
    expect(refusal(node, initializers)).toThrow(message);
  });

  test('refuses values of a node in another file', () => {
    const value = { ...list('', [1]), externalData: [{ key: 'location', value: 'x' }] } as ReturnType<
      typeof list
    >;
    const constant = { op: 'Constant', inputs: [], outputs: ['r'], attributes: { value } };
    expect(refusal(constant, [])).toThrow(/values in the model's own file/);
  });
});

describe('kindOfType', () => {
  test.each([
    [1, 'float'],
    [10, 'float'],
    [7, 'int'],
    [9, 'bool'],
    [8, null],
  ])('of ONNX type %d is %s', (type, kind) => {
    expect(kindOfType(type)).toBe(kind);
  });
});
