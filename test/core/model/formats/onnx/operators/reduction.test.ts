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
const ANY_IMAGE = [null, null, null, null];
const SHAPE = [2, 3, 4, 5];

/** The input, or what a convolution makes of it, whose channels lie last in memory. */
const reduced = (op: string, attributes: Attributes, isConvolved: boolean, opset = 17): MadeModel => ({
  nodes: [
    ...(isConvolved ? [{ op: 'Conv', inputs: ['x', 'k'], outputs: ['c'] }] : []),
    { op, inputs: [isConvolved ? 'c' : 'x'], attributes },
  ],
  initializers: isConvolved ? [madeWeight('k', [4, 3, 1, 1])] : [],
  input: ANY_IMAGE,
  opset,
});

describe.each([false, true])(
  'reductions give what onnxruntime gives (after a convolution: %s)',
  (isConvolved) => {
    withBackend('wasm');

    test.each<[string, Attributes]>([
      ['ReduceMean', { axes: [2, 3], keepdims: 0 }],
      ['ReduceMean', { axes: [-1] }],
      ['ReduceMean', { axes: [1, 3], keepdims: 1 }],
      ['ReduceMean', {}],
      ['ReduceMax', { axes: [1], keepdims: 0 }],
      ['ReduceMin', { axes: [3] }],
      ['ReduceL2', { axes: [1, 2] }],
      ['ReduceSumSquare', { axes: [2], keepdims: 0 }],
      ['GlobalAveragePool', {}],
      ['GlobalMaxPool', {}],
      ['Softmax', { axis: 1 }],
      ['Softmax', {}],
      ['LogSoftmax', { axis: 2 }],
    ])('%s %o', async (op, attributes) => {
      await expectLikeRuntime(reduced(op, attributes, isConvolved), SHAPE);
    });

    test.each<[string, Attributes]>([
      ['Softmax', {}],
      ['Softmax', { axis: 3 }],
      ['LogSoftmax', { axis: 2 }],
      ['ReduceSum', { axes: [2] }],
    ])('%s %o of opset 12', async (op, attributes) => {
      await expectLikeRuntime(reduced(op, attributes, isConvolved, 12), SHAPE);
    });
  },
);

describe('axes that are an input', () => {
  withBackend('wasm');
  const summed = (axes: readonly number[], attributes: Attributes = {}): MadeModel => ({
    nodes: [{ op: 'ReduceSum', inputs: ['x', 'axes'], attributes }],
    initializers: [madeTensor('axes', [axes.length], axes, 'int64')],
    input: ANY_IMAGE,
  });

  test.each<[string, MadeModel]>([
    ['are read', summed([1, -1])],
    ['are all where there are none', summed([])],
    ['are none where the node says so', summed([], { noop_with_empty_axes: 1 })],
  ])('%s', async (_, made) => {
    await expectLikeRuntime(made, SHAPE);
  });

  test('are refused beyond the rank', () => {
    const network = networkOf(madeModel(summed([4])));
    expect(() => network.trace(SHAPE)).toThrow(
      /ReduceSum "y" \(opset 17\): expected an axis of 4, received 4/,
    );
    network.dispose();
  });
});
