import { describe, expect, test } from 'vitest';
import type { AttributeValue, MadeNode } from '../../../../../helpers/onnx.ts';
import { expectFoldedLikeRuntime, madeModel, madeTensor, networkOf } from '../../../../../helpers/onnx.ts';
import { withBackend } from '../../../../../helpers/tensors.ts';

type Attributes = Readonly<Record<string, AttributeValue>>;

const COUNT = Array.from({ length: 24 }, (_, place) => place - 7);
const A = madeTensor('a', [2, 3, 4], COUNT, 'int64');
const list = (name: string, values: readonly number[], dims = [values.length]) =>
  madeTensor(name, dims, values, 'int64');
const node = (op: string, inputs: readonly string[], attributes: Attributes = {}): MadeNode => ({
  op,
  inputs: ['a', ...inputs],
  outputs: ['r'],
  attributes,
});

describe('moved constants are what onnxruntime gives', () => {
  withBackend('wasm');

  test.each<[string, MadeNode, readonly ReturnType<typeof list>[]]>([
    ['Reshape', node('Reshape', ['s']), [list('s', [0, -1])]],
    ['Flatten', node('Flatten', [], { axis: 2 }), []],
    ['Squeeze', node('Squeeze', ['s']), [list('s', [])]],
    ['Unsqueeze', node('Unsqueeze', ['s']), [list('s', [-1, 1])]],
    ['Transpose', node('Transpose', [], { perm: [2, 0, 1] }), []],
    ['Transpose of all axes', node('Transpose', []), []],
    ['Expand', node('Expand', ['s']), [list('s', [2, 1, 3, 4])]],
    ['Tile', node('Tile', ['s']), [list('s', [1, 2, 3])]],
    [
      'Slice',
      node('Slice', ['s', 'e', 'ax', 'st']),
      [list('s', [-1, 0]), list('e', [-100, 2]), list('ax', [2, 1]), list('st', [-2, 1])],
    ],
    ['Gather of one', node('Gather', ['i'], { axis: 1 }), [list('i', [-1], [])]],
    ['Gather of a table', node('Gather', ['i'], { axis: -1 }), [list('i', [0, 3, 1, 1], [2, 2])]],
    ['Concat', node('Concat', ['a', 'b'], { axis: 1 }), [list('b', [1, 2, 3, 4, 5, 6, 7, 8], [2, 1, 4])]],
    [
      'ScatterND',
      node('ScatterND', ['i', 'u']),
      [list('i', [1, 2, 0, -1], [2, 2]), list('u', [1, 2, 3, 4, 5, 6, 7, 8], [2, 4])],
    ],
  ])('%s', async (_, made, initializers) => {
    await expectFoldedLikeRuntime([made], [A, ...initializers]);
  });

  test('Split', async () => {
    const split = { op: 'Split', inputs: ['a', 's'], outputs: ['p', 'r', 'q'], attributes: { axis: -1 } };
    await expectFoldedLikeRuntime([split], [A, list('s', [1, 2, 1])]);
  });

  test('Where', async () => {
    const nodes = [
      { op: 'Greater', inputs: ['a', 'zero'], outputs: ['is'] },
      { op: 'Where', inputs: ['is', 'a', 'row'], outputs: ['r'] },
    ];
    await expectFoldedLikeRuntime(nodes, [A, list('zero', [0], []), list('row', [1, 2, 3, 4])]);
  });

  test.each<[string, MadeNode, readonly ReturnType<typeof list>[], RegExp]>([
    ['a permutation that is none', node('Transpose', [], { perm: [0, 0, 1] }), [], /a permutation of axes/],
    [
      'a shape to expand to that does not fit',
      node('Expand', ['s']),
      [list('s', [5])],
      /the input broadcasts to/,
    ],
    ['an index beyond the axis', node('Gather', ['i']), [list('i', [2])], /expected indices in range/],
    [
      'parts that do not join',
      node('Concat', ['b'], { axis: 0 }),
      [list('b', [1])],
      /shapes that fit together/,
    ],
    ['a mask that does not fit', node('Where', ['b', 'a']), [list('b', [1, 2])], /shapes that broadcast/],
    [
      'updates beyond the data',
      node('ScatterND', ['i', 'u']),
      [list('i', [5], [1, 1]), list('u', COUNT.slice(12), [1, 3, 4])],
      /indices in range/,
    ],
    [
      'updates of another shape',
      node('ScatterND', ['i', 'u']),
      [list('i', [0], [1, 1]), list('u', [1])],
      /updates of the shape/,
    ],
    [
      'updates that are added',
      node('ScatterND', ['i', 'u'], { reduction: 'add' }),
      [list('i', [0], [1, 1]), list('u', [1])],
      /reduction none/,
    ],
  ])('refuses %s', (_, made, initializers, message) => {
    const network = networkOf(
      madeModel({
        nodes: [made, { op: 'Reshape', inputs: ['x', 'r'] }],
        initializers: [A, ...initializers],
        input: [null, 2],
      }),
    );
    expect(() => network.trace([1, 2])).toThrow(message);
    network.dispose();
  });
});
