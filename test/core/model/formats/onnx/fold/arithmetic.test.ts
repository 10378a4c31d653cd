import { describe, expect, test } from 'vitest';
import { expectFoldedLikeRuntime, madeModel, madeTensor, networkOf } from '../../../../../helpers/onnx.ts';
import { withBackend } from '../../../../../helpers/tensors.ts';

const A = madeTensor('a', [2, 3], [7, -7, 5, -5, 0, 9], 'int64');
const B = madeTensor('b', [3], [2, 3, -4], 'int64');
const FLOATS = {
  op: 'Constant',
  inputs: [],
  outputs: ['f'],
  attributes: { value: madeTensor('', [4], [0.25, 2.5, 3.9, 1]) },
};

describe('arithmetic of constants gives what onnxruntime gives', () => {
  withBackend('wasm');

  test.each([
    'Add',
    'Sub',
    'Mul',
    'Div',
    'Mod',
    'Max',
    'Min',
    'Equal',
    'Greater',
    'GreaterOrEqual',
    'Less',
    'LessOrEqual',
  ])('%s of integers', async (op) => {
    await expectFoldedLikeRuntime([{ op, inputs: ['a', 'b'], outputs: ['r'] }], [A, B]);
  });

  test.each(['And', 'Or', 'Xor'])('%s', async (op) => {
    const nodes = [
      { op: 'Less', inputs: ['a', 'b'], outputs: ['p'] },
      { op: 'Greater', inputs: ['a', 'a'], outputs: ['q'] },
      { op: 'Not', inputs: ['p'], outputs: ['n'] },
      { op, inputs: ['n', 'q'], outputs: ['r'] },
    ];
    await expectFoldedLikeRuntime(nodes, [A, B]);
  });

  test.each(['Abs', 'Neg', 'Sign'])('%s of integers', async (op) => {
    await expectFoldedLikeRuntime([{ op, inputs: ['a'], outputs: ['r'] }], [A]);
  });

  test.each(['Ceil', 'Exp', 'Floor', 'Log', 'Reciprocal', 'Sqrt'])('%s of floats', async (op) => {
    await expectFoldedLikeRuntime([FLOATS, { op, inputs: ['f'], outputs: ['r'] }], []);
  });

  test.each(['Pow', 'Div', 'Max'])('%s of floats', async (op) => {
    await expectFoldedLikeRuntime([FLOATS, { op, inputs: ['f', 'f'], outputs: ['r'] }], []);
  });

  test('Mod with the sign of the dividend', async () => {
    const node = { op: 'Mod', inputs: ['a', 'b'], outputs: ['r'], attributes: { fmod: 1 } };
    await expectFoldedLikeRuntime([node], [A, B]);
  });

  test('refuses shapes that do not broadcast', () => {
    const network = networkOf(
      madeModel({
        nodes: [
          { op: 'Add', inputs: ['a', 'c'], outputs: ['r'] },
          { op: 'Reshape', inputs: ['x', 'r'] },
        ],
        initializers: [A, madeTensor('c', [2], [1, 2], 'int64')],
        input: [null, 2],
      }),
    );
    expect(() => network.trace([1, 2])).toThrow(/Add "r".*received \[2, 3\] and \[2\]/);
    network.dispose();
  });
});
