import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, test } from 'vitest';
import { BinaryHead } from '../../../../../core/model/formats/onnx/binary-head.ts';
import { readGraph } from '../../../../../core/model/formats/onnx/graph.ts';
import { findHead } from '../../../../../core/model/formats/onnx/head.ts';
import { madeModel, madeTensor } from '../../../../helpers/onnx.ts';
import { withBackend } from '../../../../helpers/tensors.ts';

/** Negative class [1, 2, 3] with bias 10, positive class [4, 6, 8] with bias 11. */
const KERNELS = {
  'rows of units': { dims: [2, 3], values: [1, 2, 3, 4, 6, 8], transB: 1 },
  'columns of units': { dims: [3, 2], values: [1, 4, 2, 6, 3, 8], transB: 0 },
};

function open({ dims, values, transB }: (typeof KERNELS)['rows of units'], biasSize = 2) {
  const model = madeModel({
    nodes: [{ op: 'Gemm', name: 'head', inputs: ['x', 'w', 'b'], attributes: { transB } }],
    initializers: [madeTensor('w', dims, values), madeTensor('b', [biasSize], [10, 11].slice(0, biasSize))],
    input: [null, 3],
  });
  const graph = readGraph(model);
  return new BinaryHead({ sources: [], model, external: new Map() }, graph, findHead(graph));
}

describe.each(Object.entries(KERNELS))('BinaryHead of %s', (_, kernel) => {
  withBackend('wasm');

  test('is the difference of the two, and moves each by half', () => {
    const head = open(kernel);
    const { name, kernel: weights, bias } = head.parameters;
    expect(name).toBe('head');
    expect(weights.shape).toEqual([3, 1]);
    expect(Array.from(weights.variable.dataSync())).toEqual([3, 4, 5]);
    expect(Array.from(bias!.variable.dataSync())).toEqual([1]);
    for (const { before, after } of head.changes().values()) expect(after).toEqual(before);
    tf.tidy(() => weights.variable.assign(tf.tensor2d([[3], [6], [5]])));
    tf.tidy(() => bias!.variable.assign(tf.tensor1d([0])));
    const changes = head.changes();
    const moved = kernel.values.map((value) => (value === 2 ? 1 : value === 6 ? 7 : value));
    expect(Array.from(changes.get('w')!.after)).toEqual(moved);
    expect(Array.from(changes.get('b')!.after)).toEqual([10.5, 10.5]);
    head.dispose();
  });
});

describe('BinaryHead', () => {
  withBackend('wasm');

  test('of one unit is what the file holds', () => {
    const head = open({ dims: [1, 3], values: [1, 2, 3], transB: 1 }, 1);
    tf.tidy(() => head.parameters.kernel.variable.assign(tf.tensor2d([[1], [2], [9]])));
    expect(Array.from(head.changes().get('w')!.after)).toEqual([1, 2, 9]);
    head.dispose();
  });

  test('refuses a bias of another size', () => {
    const { numTensors } = tf.memory();
    expect(() => open(KERNELS['rows of units'], 1)).toThrow(
      'head "head": expected 2 entries of "b", received 1',
    );
    expect(tf.memory().numTensors).toBe(numTensors);
  });
});
