import { describe, expect, test } from 'vitest';
import type { LoadOptions } from '../../../../../core/model/classifier.ts';
import { readGraph } from '../../../../../core/model/formats/onnx/graph.ts';
import { findHead } from '../../../../../core/model/formats/onnx/head.ts';
import type { MadeModel, MadeNode } from '../../../../helpers/onnx.ts';
import { madeModel, madeWeight } from '../../../../helpers/onnx.ts';

const WEIGHTS = { w: [4, 1], t: [1, 4], two: [4, 2], b: [1], other: [4, 4], cube: [2, 2, 4] };

function head(nodes: readonly MadeNode[], options?: LoadOptions) {
  const initializers = Object.entries(WEIGHTS).map(([weight, dims]) => madeWeight(weight, dims));
  const made: MadeModel = {
    nodes: [{ op: 'Relu', inputs: ['x'], outputs: ['f'], name: 'relu' }, ...nodes],
    initializers,
    input: [null, 4],
  };
  return findHead(readGraph(madeModel(made)), options);
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
      {
        kernel: 'w',
        bias: 'b',
        isTransposed: false,
        units: { count: 1, positive: 0, isShared: false, output: 'logit' },
        width: 4,
      },
    ],
    [
      'a turned Gemm',
      [gemm('t', { transB: 1 })],
      { kernel: 't', isTransposed: true, units: { count: 1 }, width: 4 },
    ],
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
      { kernel: 'w', units: { output: 'score' } },
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
      'many units of which none is named',
      [gemm('other')],
      /head "dense": expected the positive class among its 4 units, from 0 to 3 \(--positive-class, positiveClass in a job\), received none$/,
    ],
    [
      'weights of more axes',
      [{ op: 'MatMul', inputs: ['f', 'cube'], name: 'dense' }],
      /head "dense": expected weights \[features, units\], received \[2, 2, 4\]$/,
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
    expect(head([gemm('w')], { head: 'dense' }).kernel).toBe('w');
    expect(() => head([gemm('w')], { head: 'relu' })).toThrow(
      /head "relu": expected the last Gemm or MatMul/,
    );
  });

  /** Four units, a node for each step behind them. */
  const behind = (...nodes: readonly Omit<MadeNode, 'inputs' | 'outputs'>[]) =>
    head(
      [gemm('other'), ...nodes].map((node, place, { length }) => ({
        inputs: [`v${place - 1}`],
        ...node,
        ...(place < length - 1 && { outputs: [`v${place}`] }),
      })),
      { positiveClass: 2 },
    );

  test('takes many units with the one that is named', () => {
    const units = { count: 4, positive: 2 };
    expect(behind().units).toEqual({ ...units, isShared: true, output: 'logit' });
    expect(behind({ op: 'Softmax' }).units).toEqual({ ...units, isShared: true, output: 'score' });
    expect(behind({ op: 'LogSoftmax' }).units).toEqual({ ...units, isShared: true, output: 'logit' });
    expect(behind({ op: 'Sigmoid' }).units).toEqual({ ...units, isShared: false, output: 'score' });
    expect(
      behind({ op: 'Flatten' }, { op: 'Cast' }, { op: 'Softmax' }, { op: 'Reshape' }).units,
    ).toMatchObject(units);
  });

  test('refuses a softmax that may be one over a part of the units, or over samples', () => {
    expect(() => behind({ op: 'Reshape', name: 'pairs' }, { op: 'Softmax' })).toThrow(
      'head "dense": expected one softmax over all of its units, received "pairs" (Reshape) before or in it',
    );
    expect(() => behind({ op: 'Reshape', name: 'pairs' })).toThrow(/received "pairs"/);
    expect(() => behind({ op: 'Softmax', name: 'samples', attributes: { axis: 0 } })).toThrow(
      /"samples" \(Softmax\)/,
    );
    expect(() => behind({ op: 'Flatten', name: 'flat', attributes: { axis: 0 } })).toThrow(/"flat"/);
  });
});
