import { create } from '@bufbuild/protobuf';
import { describe, expect, test } from 'vitest';
import {
  TensorProto_DataType as DataType,
  TensorProtoSchema,
} from '../../../../../core/model/formats/onnx/file/onnx-pb.ts';
import { readGraph } from '../../../../../core/model/formats/onnx/graph.ts';
import { findWeights } from '../../../../../core/model/formats/onnx/weights.ts';
import type { MadeNode } from '../../../../helpers/onnx.ts';
import { madeModel, madeTensor, madeWeight } from '../../../../helpers/onnx.ts';

function weights(nodes: readonly MadeNode[], initializers: ReturnType<typeof madeWeight>[]) {
  const graph = readGraph(madeModel({ nodes, initializers, input: [null, 2, 4, 4] }));
  return findWeights(graph, graph.nodes).map(({ name, role, order, node }) => [name, role, order, node.op]);
}

describe('findWeights', () => {
  test('orders kernels as the backends read them, by the node that reads them first', () => {
    const nodes = [
      { op: 'Identity', inputs: ['k'], outputs: ['alias'] },
      { op: 'Conv', inputs: ['x', 'alias', 'b'], outputs: ['c'] },
      { op: 'BatchNormalization', inputs: ['c', 's', 'o', 'm', 'v'], outputs: ['n'] },
      { op: 'Flatten', inputs: ['n'], outputs: ['f'] },
      { op: 'Gemm', inputs: ['f', 't'], outputs: ['g'], attributes: { transB: 1 } },
      { op: 'Gemm', inputs: ['g', 'p'] },
    ];
    const vector = ['b', 's', 'o', 'm', 'v'].map((name) => madeWeight(name, [3]));
    expect(
      weights(nodes, [
        madeWeight('p', [5, 2]),
        madeWeight('t', [5, 48]),
        ...vector,
        madeWeight('k', [3, 2, 1, 1]),
      ]),
    ).toEqual([
      ['k', 'weight', [2, 3, 1, 0], 'Conv'],
      ['b', 'weight', [0], 'Conv'],
      ['s', 'weight', [0], 'BatchNormalization'],
      ['o', 'weight', [0], 'BatchNormalization'],
      ['m', 'statistic', [0], 'BatchNormalization'],
      ['v', 'statistic', [0], 'BatchNormalization'],
      ['t', 'weight', [1, 0], 'Gemm'],
      ['p', 'weight', [0, 1], 'Gemm'],
    ]);
  });

  test('leaves out settings, integers, text, and numbers of a formula', () => {
    const text = create(TensorProtoSchema, { name: 'text', dims: [1n], dataType: DataType.STRING });
    const nodes = [
      { op: 'Clip', inputs: ['x', 'low', 'high'], outputs: ['a'] },
      { op: 'Mul', inputs: ['a', 'half'], outputs: ['b'] },
      { op: 'Reshape', inputs: ['b', 'shape'], outputs: ['c'] },
      { op: 'constructor', inputs: ['c', 'text'] },
    ];
    const scalars = ['low', 'high', 'half'].map((name) => madeWeight(name, []));
    expect(weights(nodes, [...scalars, text, madeTensor('shape', [1], [-1], 'int64')])).toEqual([]);
  });

  test('takes one number that is the bias of a product', () => {
    const nodes = [
      { op: 'MatMul', inputs: ['x', 'w'], outputs: ['p'] },
      { op: 'Add', inputs: ['p', 'b'], outputs: ['q'] },
      { op: 'Add', inputs: ['q', 'epsilon'] },
    ];
    const found = weights(nodes, [madeWeight('w', [4, 1]), madeWeight('b', [1]), madeWeight('epsilon', [1])]);
    expect(found.map(([name]) => name)).toEqual(['w', 'b']);
  });

  test('knows no settings of a node whose name every object has', () => {
    const found = weights([{ op: 'constructor', inputs: ['x', 'w'] }], [madeWeight('w', [2])]);
    expect(found.map(([name]) => name)).toEqual(['w']);
  });
});
