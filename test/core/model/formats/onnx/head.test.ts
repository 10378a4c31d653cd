import { describe, expect, test } from 'vitest';
import { readGraph } from '../../../../../core/model/formats/onnx/graph.ts';
import { findHead } from '../../../../../core/model/formats/onnx/head.ts';
import type { MadeModel, MadeNode } from '../../../../helpers/onnx.ts';
import { madeModel, madeWeight } from '../../../../helpers/onnx.ts';

const WEIGHTS = { w: [4, 1], t: [1, 4], two: [4, 2], b: [1], other: [4, 4] };

function head(nodes: readonly MadeNode[], name?: string) {
  const initializers = Object.entries(WEIGHTS).map(([weight, dims]) => madeWeight(weight, dims));
  const made: MadeModel = {
    nodes: [{ op: 'Relu', inputs: ['x'], outputs: ['f'], name: 'relu' }, ...nodes],
    initializers,
    input: [null, 4],
  };
  return findHead(readGraph(madeModel(made)), name);
}
const gemm = (weight: string, attributes: MadeNode['attributes'] = {}): MadeNode => ({
  op: 'Gemm',
  name: 'dense',
  inputs: ['f', weight, 'b'],
  attributes,
});

describe('findHead', () => {
  test.each<[string, readonly MadeNode[], object]>([
    [
      'a Gemm',
      [gemm('w')],
      { kernel: 'w', bias: 'b', isTransposed: false, units: 1, width: 4, output: 'logit' },
    ],
    ['a turned Gemm', [gemm('t', { transB: 1 })], { kernel: 't', isTransposed: true, units: 1, width: 4 }],
    ['a MatMul', [{ op: 'MatMul', inputs: ['f', 'w'] }], { kernel: 'w', bias: null }],
    [
      'a MatMul and an Add',
      [
        { op: 'MatMul', inputs: ['f', 'w'], outputs: ['p'] },
        { op: 'Add', inputs: ['b', 'p'] },
      ],
      { kernel: 'w', bias: 'b' },
    ],
    [
      'weights that an Identity passes on',
      [{ op: 'Identity', inputs: ['w'], outputs: ['v'] }, gemm('v')],
      { kernel: 'w', bias: 'b' },
    ],
    [
      'what lies behind a sigmoid and a change of shape',
      [
        { ...gemm('w'), outputs: ['z'] },
        { op: 'Sigmoid', inputs: ['z'], outputs: ['s'] },
        { op: 'Squeeze', inputs: ['s'] },
      ],
      { kernel: 'w', output: 'score' },
    ],
  ])('finds %s', (_, nodes, expected) => {
    expect(head(nodes)).toMatchObject({ features: 'f', ...expected });
  });

  test.each<[string, readonly MadeNode[], RegExp]>([
    ['a scaled Gemm', [gemm('w', { alpha: 0.5 })], /no head found.*"dense" \(Gemm\)/],
    ['a Gemm of a turned input', [gemm('w', { transA: 1 })], /no head found/],
    [
      'weights that are computed',
      [{ op: 'Relu', inputs: ['w'], outputs: ['v'] }, gemm('v')],
      /no head found/,
    ],
    ['a product of two values', [{ op: 'MatMul', inputs: ['f', 'f'] }], /no head found/],
    ['a sum of no product', [{ op: 'Add', inputs: ['f', 'b'], name: 'sum' }], /no head found.*"sum" \(Add\)/],
    [
      'a bias that is computed',
      [
        { op: 'MatMul', inputs: ['f', 'w'], outputs: ['p'] },
        { op: 'Add', inputs: ['p', 'f'] },
      ],
      /no head found/,
    ],
    [
      'many units',
      [gemm('other')],
      /head "dense": expected 1 unit, or 2 of a softmax \(a binary classifier\), received 4$/,
    ],
    [
      'weights that are used twice',
      [
        { op: 'MatMul', inputs: ['w', 't'], outputs: ['q'], name: 'again' },
        { op: 'Add', inputs: ['q', 'f'], outputs: ['g'] },
        { ...gemm('w'), inputs: ['g', 'w', 'b'] },
      ],
      /some that "again" uses too/,
    ],
  ])('refuses %s', (_, nodes, message) => {
    expect(() => head(nodes)).toThrow(message);
  });

  test('takes a name to confirm what it finds', () => {
    expect(head([gemm('w')], 'dense').kernel).toBe('w');
    expect(() => head([gemm('w')], 'relu')).toThrow(/head "relu": expected the last Gemm or MatMul/);
  });
});
