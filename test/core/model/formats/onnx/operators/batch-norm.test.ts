import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, test } from 'vitest';
import type { ForwardMode } from '../../../../../../core/model/classifier.ts';
import { BATCH_NORM_KERNELS } from '../../../../../../core/model/formats/onnx/operators/batch-norm.ts';
import { BATCH_NORM_RELU } from '../../../../../../worker/kernels/batch-norm.ts';
import { BATCH_NORM_TRAINING } from '../../../../../../worker/kernels/batch-norm-training.ts';
import type { AttributeValue, MadeModel, MadeNode } from '../../../../../helpers/onnx.ts';
import {
  expectLikeRuntime,
  madeModel,
  madeTensor,
  madeWeight,
  networkOf,
} from '../../../../../helpers/onnx.ts';
import { expectClose, noise, valuesOn, withBackend } from '../../../../../helpers/tensors.ts';

interface Options {
  readonly channels?: number;
  readonly attributes?: Readonly<Record<string, AttributeValue>>;
  readonly after?: readonly MadeNode[];
}

/** Batch norm of inputs of some axes, and what comes after it. */
function batchNorm(rank: number, { channels = 3, attributes = {}, after = [] }: Options = {}): MadeModel {
  const outputs = [after.length > 0 ? 'b' : 'y'];
  return {
    nodes: [{ op: 'BatchNormalization', inputs: ['x', 's', 'o', 'm', 'v'], outputs, attributes }, ...after],
    initializers: [
      madeWeight('s', [channels], 1),
      madeWeight('o', [channels], 2),
      madeWeight('m', [channels], 3),
      madeTensor(
        'v',
        [channels],
        Array.from({ length: channels }, (_, place) => 0.5 + place),
      ),
    ],
    input: Array.from({ length: rank }, () => null),
  };
}

const RELU: MadeNode = { op: 'Relu', inputs: ['b'] };
/** Reads the batch norm too, which is then not to be rectified. */
const RELU_AND_SUM: readonly MadeNode[] = [
  { op: 'Relu', inputs: ['b'], outputs: ['r'] },
  { op: 'Add', inputs: ['r', 'b'] },
];

describe.each(['wasm', 'cpu'] as const)(
  'BatchNormalization on %s gives what onnxruntime gives',
  (backend) => {
    withBackend(backend);

    test.each<[string, MadeModel, readonly number[]]>([
      ['of a table', batchNorm(2), [4, 3]],
      ['of signals', batchNorm(3), [2, 3, 5]],
      ['of images', batchNorm(4, { attributes: { epsilon: 0.01 } }), [2, 3, 4, 5]],
      ['with a relu behind it', batchNorm(4, { after: [RELU] }), [2, 3, 4, 5]],
      ['with a relu and another reader', batchNorm(4, { after: RELU_AND_SUM }), [2, 3, 4, 5]],
    ])('%s', async (_, made, shape) => {
      await expectLikeRuntime(made, shape);
    });
  },
);

describe('BatchNormalization', () => {
  withBackend('wasm');

  test('is one step with the relu behind it, unless another reads it too', () => {
    const ops = (after: readonly MadeNode[]) => {
      const network = networkOf(madeModel(batchNorm(2, { after })));
      const { steps } = network.trace([4, 3]).plan;
      network.dispose();
      return steps.map(({ op }) => op);
    };
    expect(ops([RELU])).toEqual(['BatchNormalization']);
    expect(ops(RELU_AND_SUM)).toEqual(['BatchNormalization', 'Relu', 'Add']);
  });

  test('calls the kernels that the backend has by their names', () => {
    expect(BATCH_NORM_KERNELS).toEqual({ relu: BATCH_NORM_RELU, training: BATCH_NORM_TRAINING });
    for (const name of Object.values(BATCH_NORM_KERNELS)) expect(tf.getKernel(name, 'wasm')).toBeDefined();
  });

  const TRAINING: ForwardMode = { training: true, nextSeed: () => 1 };

  test.each<[string, readonly MadeNode[]]>([
    ['alone', []],
    ['with a relu', [RELU]],
  ])(
    '%s in training mode is by the batch, and moves the running statistics, with kernels or without',
    async (_, after) => {
      const compute = () => {
        const network = networkOf(madeModel(batchNorm(4, { after, attributes: { momentum: 0.75 } })));
        const weights = network.weights.filter(({ role }) => role === 'weight');
        const x = tf.tensor(noise(2 * 3 * 4 * 5, 4), [2, 3, 4, 5]);
        const y = network.run(x, TRAINING);
        const { grads } = tf.variableGrads(
          () => tf.sum(tf.square(network.run(x, TRAINING))) as tf.Scalar,
          weights.map(({ variable }) => variable),
        );
        const statistics = network.weights
          .filter(({ role }) => role === 'statistic')
          .map(({ variable }) => tf.clone(variable));
        network.dispose();
        return [y, ...weights.map(({ variable }) => grads[variable.name]!), ...statistics];
      };
      const [ours, plain] = [await valuesOn('wasm', compute), await valuesOn('cpu', compute)];
      ours.forEach((values, place) => {
        expectClose(values, plain[place]!, 1e-5);
      });
      const x = noise(2 * 3 * 4 * 5, 4);
      const first = Array.from({ length: 2 }, (_, image) => x.subarray(image * 60, image * 60 + 20)).flatMap(
        (part) => [...part],
      );
      const mean = first.reduce((sum, value) => sum + value, 0) / first.length;
      const [start] = noise(3, 3);
      const moved = 0.75 * (0.75 * start! + 0.25 * mean) + 0.25 * mean; // two passes
      expect(ours.at(-2)![0]).toBeCloseTo(moved, 6);
    },
  );

  test.each<[string, MadeModel, readonly number[], RegExp]>([
    [
      'a model in training mode',
      batchNorm(4, { attributes: { training_mode: 1 } }),
      [2, 3, 4, 5],
      /one exported in training mode/,
    ],
    ['other channels', batchNorm(4), [2, 4, 4, 5], /expected 4 entries at place 1, received \[3\]/],
    ['volumes', batchNorm(5), [2, 3, 4, 5, 6], /expected at most 4 axes, received 5/],
    ['no channels', batchNorm(1), [3], /expected \[batch, channels, …\], received \[3\]/],
  ])('refuses %s', (_, made, shape, message) => {
    const network = networkOf(madeModel(made));
    expect(() => network.trace(shape)).toThrow(message);
    network.dispose();
  });
});
