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

const ANY_IMAGE = [null, null, null, null];

const affine = (
  op: string,
  dims: readonly number[],
  attributes: Readonly<Record<string, AttributeValue>>,
  opset = 17,
): MadeModel => ({
  nodes: [{ op, inputs: ['x', 's', 'o'], attributes }],
  initializers: [madeWeight('s', dims, 1), madeWeight('o', dims, 2)],
  input: ANY_IMAGE,
  opset,
});

describe('normalisation gives what onnxruntime gives', () => {
  withBackend('wasm');

  test.each<[string, MadeModel, readonly number[]]>([
    ['instance norm', affine('InstanceNormalization', [3], { epsilon: 0.01 }), [2, 3, 4, 5]],
    ['layer norm of the last axis', affine('LayerNormalization', [5], { axis: -1 }), [2, 3, 4, 5]],
    ['layer norm of three axes', affine('LayerNormalization', [3, 4, 5], { axis: 1 }), [2, 3, 4, 5]],
    ['group norm', affine('GroupNormalization', [6], { num_groups: 2 }, 21), [2, 6, 4, 5]],
    ['group norm before opset 21', affine('GroupNormalization', [2], { num_groups: 2 }, 18), [2, 6, 4, 5]],
    [
      'layer norm without a bias',
      {
        nodes: [{ op: 'LayerNormalization', inputs: ['x', 's'] }],
        initializers: [madeWeight('s', [5])],
        input: ANY_IMAGE,
      },
      [2, 3, 4, 5],
    ],
    [
      'layer norm of channels that lie last in memory',
      {
        nodes: [
          { op: 'Conv', inputs: ['x', 'k'], outputs: ['c'] },
          { op: 'Transpose', inputs: ['c'], outputs: ['t'], attributes: { perm: [0, 2, 3, 1] } },
          { op: 'LayerNormalization', inputs: ['t', 's', 'o'] },
        ],
        initializers: [madeWeight('k', [3, 2, 1, 1]), madeWeight('s', [3], 1), madeWeight('o', [3], 2)],
        input: ANY_IMAGE,
      },
      [2, 2, 4, 5],
    ],
  ])('%s', async (_, made, shape) => {
    await expectLikeRuntime(made, shape);
  });

  test.each<[string, MadeModel]>([
    [
      'an input',
      {
        nodes: [{ op: 'Dropout', inputs: ['x', 'r'] }],
        initializers: [madeTensor('r', [], [0.5])],
        input: [null, 4],
      },
    ],
    [
      'an attribute',
      { nodes: [{ op: 'Dropout', inputs: ['x'], attributes: { ratio: 0.5 } }], input: [null, 4], opset: 11 },
    ],
  ])('dropout by %s does nothing in inference mode', async (_, made) => {
    await expectLikeRuntime(made, [3, 4]);
  });
});

describe('normalisation refuses', () => {
  withBackend('wasm');

  test.each<[string, MadeModel, readonly number[], RegExp]>([
    [
      'a scale of another shape',
      affine('LayerNormalization', [4], {}),
      [2, 3, 4, 5],
      /scale and bias of the normalised shape/,
    ],
    [
      'groups that do not divide',
      affine('GroupNormalization', [6], { num_groups: 4 }, 21),
      [2, 6, 4, 5],
      /groups that divide 6/,
    ],
    [
      'a group scale of another shape',
      affine('GroupNormalization', [5], { num_groups: 2 }, 21),
      [2, 6, 4, 5],
      /expected 6 scales/,
    ],
    [
      'dropout of everything',
      {
        nodes: [{ op: 'Dropout', inputs: ['x', 'r'] }],
        initializers: [madeTensor('r', [], [1])],
        input: [null, 4],
      },
      [2, 4],
      /expected a ratio in \[0, 1\), received 1/,
    ],
    [
      'dropout in training mode',
      {
        nodes: [{ op: 'Dropout', inputs: ['x', 'r', 't'] }],
        initializers: [madeTensor('r', [], [0.5]), madeTensor('t', [], [1], 'bool')],
        input: [null, 4],
      },
      [2, 4],
      /one exported in training mode/,
    ],
  ])('%s', (_, made, shape, message) => {
    const network = networkOf(madeModel(made));
    expect(() => network.trace(shape)).toThrow(message);
    network.dispose();
  });
});
