import { describe, expect, test } from 'vitest';
import type { AttributeValue, MadeModel } from '../../../../../helpers/onnx.ts';
import { expectLikeRuntime, madeModel, madeWeight, networkOf } from '../../../../../helpers/onnx.ts';
import { withBackend } from '../../../../../helpers/tensors.ts';

const gemm = (
  attributes: Readonly<Record<string, AttributeValue>>,
  b: readonly number[],
  c?: readonly number[],
): MadeModel => ({
  nodes: [{ op: 'Gemm', inputs: ['x', 'b', ...(c ? ['c'] : [])], attributes }],
  initializers: [madeWeight('b', b), ...(c ? [madeWeight('c', c, 2)] : [])],
  input: [null, null],
});

const matMul = (dims: readonly number[], rank: number): MadeModel => ({
  nodes: [{ op: 'MatMul', inputs: ['x', 'w'] }],
  initializers: [madeWeight('w', dims)],
  input: Array.from({ length: rank }, () => null),
});

describe('products give what onnxruntime gives', () => {
  withBackend('wasm');

  test.each<[string, MadeModel, readonly number[]]>([
    ['Gemm', gemm({}, [4, 5]), [3, 4]],
    ['Gemm turned', gemm({ transB: 1 }, [5, 4], [5]), [3, 4]],
    ['Gemm with its input turned', gemm({ transA: 1 }, [3, 5], [1, 5]), [3, 4]],
    ['Gemm scaled', gemm({ alpha: 0.5, beta: 0.25, transB: 1 }, [5, 4], [3, 1]), [3, 4]],
    ['Gemm with one number', gemm({}, [4, 5], [1]), [3, 4]],
    ['a matrix', matMul([4, 5], 2), [3, 4]],
    ['rows of a stack', matMul([4, 5], 4), [2, 3, 6, 4]],
    ['a stack of matrices', matMul([3, 4, 5], 3), [3, 2, 4]],
    ['a stack by one of one', matMul([1, 4, 5], 3), [3, 2, 4]],
  ])('%s', async (_, made, shape) => {
    await expectLikeRuntime(made, shape);
  });

  test('attention: queries by turned keys, with heads apart', async () => {
    const nodes = [
      { op: 'Transpose', inputs: ['x'], outputs: ['q'], attributes: { perm: [0, 2, 1, 3] } },
      { op: 'Transpose', inputs: ['x'], outputs: ['k'], attributes: { perm: [0, 2, 3, 1] } },
      { op: 'MatMul', inputs: ['q', 'k'] },
    ];
    await expectLikeRuntime({ nodes, input: [null, null, null, null] }, [2, 3, 2, 4]);
  });

  test('rows whose axes lie in another order', async () => {
    const nodes = [
      { op: 'Conv', inputs: ['x', 'k'], outputs: ['c'] },
      { op: 'Transpose', inputs: ['c'], outputs: ['t'], attributes: { perm: [0, 3, 2, 1] } },
      { op: 'MatMul', inputs: ['t', 'w'] },
    ];
    const initializers = [madeWeight('k', [3, 2, 1, 1]), madeWeight('w', [3, 4], 2)];
    await expectLikeRuntime({ nodes, initializers, input: [null, null, null, null] }, [2, 2, 4, 5]);
  });
});

describe('products refuse', () => {
  withBackend('wasm');

  test.each<[string, MadeModel, readonly number[], RegExp]>([
    [
      'a Gemm that does not fit',
      gemm({}, [5, 4]),
      [3, 4],
      /Gemm "y".*matrices that fit, received \[3, 4\] and \[5, 4\]/,
    ],
    [
      'a bias that does not fit',
      gemm({}, [4, 5], [4]),
      [3, 4],
      /expected a bias that fits \[3, 5\], received \[4\]/,
    ],
    ['a MatMul that does not fit', matMul([5, 4], 2), [3, 4], /expected matrices that fit/],
    ['stacks that do not fit', matMul([2, 4, 5], 3), [3, 2, 4], /expected stacks that broadcast/],
    ['vectors', matMul([4], 2), [3, 4], /expected matrices that fit/],
  ])('%s', (_, made, shape, message) => {
    const network = networkOf(madeModel(made));
    expect(() => network.trace(shape)).toThrow(message);
    network.dispose();
  });
});
