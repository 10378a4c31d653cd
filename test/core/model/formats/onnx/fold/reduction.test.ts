import { describe, test } from 'vitest';
import type { AttributeValue } from '../../../../../helpers/onnx.ts';
import { expectFoldedLikeRuntime, madeTensor } from '../../../../../helpers/onnx.ts';
import { withBackend } from '../../../../../helpers/tensors.ts';

const A = madeTensor('a', [2, 3, 2], [3, -1, 2, 1, -1, 2, 2, 1, -1, 3, 1, 2], 'int64');
const AXES = madeTensor('axes', [2], [0, -1], 'int64');

describe('sums of constants are what onnxruntime gives', () => {
  withBackend('wasm');

  test.each<[string, Readonly<Record<string, AttributeValue>>]>([
    ['ReduceMax', { axes: [1] }],
    ['ReduceMin', { axes: [0, 2], keepdims: 0 }],
    ['ReduceProd', {}],
    ['ReduceProd', { axes: [-1], keepdims: 0 }],
  ])('%s %o', async (op, attributes) => {
    await expectFoldedLikeRuntime([{ op, inputs: ['a'], outputs: ['r'], attributes }], [A]);
  });

  test('ReduceSum along axes that are an input', async () => {
    await expectFoldedLikeRuntime([{ op: 'ReduceSum', inputs: ['a', 'axes'], outputs: ['r'] }], [A, AXES]);
  });

  test('ReduceSum of nothing', async () => {
    const node = { op: 'ReduceSum', inputs: ['a'], outputs: ['r'], attributes: { noop_with_empty_axes: 1 } };
    await expectFoldedLikeRuntime([node], [A]);
  });
});
