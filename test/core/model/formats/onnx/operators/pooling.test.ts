import { describe, expect, test } from 'vitest';
import type { AttributeValue } from '../../../../../helpers/onnx.ts';
import { expectLikeRuntime, madeModel, networkOf } from '../../../../../helpers/onnx.ts';
import { withBackend } from '../../../../../helpers/tensors.ts';

type Attributes = Readonly<Record<string, AttributeValue>>;

const CASES: readonly [string, Attributes][] = [
  ['without pads', { kernel_shape: [2, 2], strides: [2, 2] }],
  ['in windows that overlap', { kernel_shape: [3, 2] }],
  ['padded evenly', { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] }],
  ['padded unevenly', { kernel_shape: [3, 3], strides: [2, 1], pads: [0, 1, 2, 0] }],
  ['with windows that stick out', { kernel_shape: [3, 3], strides: [2, 2], ceil_mode: 1 }],
  [
    'with windows that stick out of pads',
    { kernel_shape: [2, 2], strides: [2, 2], pads: [1, 0, 0, 1], ceil_mode: 1 },
  ],
  ['with SAME_UPPER', { kernel_shape: [3, 2], strides: [2, 2], auto_pad: 'SAME_UPPER' }],
  ['with SAME_LOWER', { kernel_shape: [2, 2], strides: [1, 1], auto_pad: 'SAME_LOWER' }],
];

describe.each(['MaxPool', 'AveragePool'])('%s gives what onnxruntime gives', (op) => {
  withBackend('wasm');

  test.each(CASES)('%s', async (_, attributes) => {
    await expectLikeRuntime(
      { nodes: [{ op, inputs: ['x'], attributes }], input: [null, 2, null, null] },
      [2, 2, 6, 7],
    );
  });
});

describe('AveragePool that counts its pads gives what onnxruntime gives', () => {
  withBackend('wasm');

  test.each(CASES)('%s', async (_, attributes) => {
    const nodes = [{ op: 'AveragePool', inputs: ['x'], attributes: { ...attributes, count_include_pad: 1 } }];
    await expectLikeRuntime({ nodes, input: [null, 2, null, null] }, [2, 2, 6, 7]);
  });
});

describe('MaxPool refuses', () => {
  withBackend('wasm');

  test.each<[string, Attributes, RegExp]>([
    [
      'dilated windows',
      { kernel_shape: [2, 2], dilations: [2, 2] },
      /expected dilations of 1, received \[2, 2\]/,
    ],
    ['no windows', {}, /expected images/],
  ])('%s', (_, attributes, message) => {
    const network = networkOf(
      madeModel({ nodes: [{ op: 'MaxPool', inputs: ['x'], attributes }], input: [null, 2, 6, 6] }),
    );
    expect(() => network.trace([1, 2, 6, 6])).toThrow(message);
    network.dispose();
  });
});
