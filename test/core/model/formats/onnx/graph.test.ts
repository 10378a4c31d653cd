import { describe, expect, test } from 'vitest';
import type { ModelProto } from '../../../../../core/model/formats/onnx/file/onnx-pb.ts';
import { TensorProto_DataType as DataType } from '../../../../../core/model/formats/onnx/file/onnx-pb.ts';
import { readGraph } from '../../../../../core/model/formats/onnx/graph.ts';
import type { MadeNode } from '../../../../helpers/onnx.ts';
import { madeModel, madeWeight } from '../../../../helpers/onnx.ts';

const model = (nodes: readonly MadeNode[], change?: (model: ModelProto) => void): ModelProto => {
  const made = madeModel({ nodes, initializers: [madeWeight('w', [2])], input: [null, 2] });
  change?.(made);
  return made;
};
const relu = (from: string, to: string, name = ''): MadeNode => ({
  op: 'Relu',
  inputs: [from],
  outputs: [to],
  name,
});

describe('readGraph', () => {
  test('gives the nodes that the output needs, each after what it reads', () => {
    const graph = readGraph(
      model([relu('b', 'y', 'last'), relu('x', 'a', 'first'), relu('x', 'unused'), relu('a', 'b')]),
    );
    expect(graph.nodes.map(({ name }) => name)).toEqual(['first', 'b', 'last']);
    expect(graph.opset).toBe(17);
    expect(graph.input).toEqual({ name: 'x', shape: [null, 2] });
    expect(graph.output).toBe('y');
    expect([...graph.initializers.keys()]).toEqual(['w']);
    expect(graph.makers.get('b')!.inputs).toEqual(['a']);
  });

  test('keeps the order of the file where it can', () => {
    const nodes = [relu('x', 'b', '1'), relu('x', 'a', '2'), { op: 'Add', inputs: ['a', 'b'], name: '3' }];
    expect(readGraph(model(nodes)).nodes.map(({ name }) => name)).toEqual(['1', '2', '3']);
  });

  test('takes files of before 2019, whose inputs list the weights too', () => {
    const graph = readGraph(
      model([{ op: 'Add', inputs: ['x', 'w'] }], (made) => {
        made.graph!.input.push({ ...made.graph!.input[0]!, name: 'w' });
      }),
    );
    expect(graph.input.name).toBe('x');
  });

  test('names the domain of an operator that is not of ONNX', () => {
    const [node] = readGraph(model([{ op: 'Norm', domain: 'com.acme', inputs: ['x'] }])).nodes;
    expect(node!.op).toBe('com.acme.Norm');
    expect(readGraph(model([{ op: 'Relu', domain: 'ai.onnx', inputs: ['x'] }])).nodes[0]!.op).toBe('Relu');
  });

  test('takes a chain that is deeper than a stack', () => {
    const length = 50_000;
    const nodes = Array.from({ length }, (_, place) =>
      relu(place === 0 ? 'x' : `${place}`, place === length - 1 ? 'y' : `${place + 1}`),
    );
    expect(readGraph(model(nodes.toReversed())).nodes.length).toBe(length);
  });

  test.each<[string, ModelProto, string, RegExp]>([
    [
      'a loop',
      model([{ op: 'Add', inputs: ['x', 'b'], outputs: ['a'] }, relu('a', 'b'), relu('b', 'y')]),
      'INVALID_INPUT',
      /expected no loops/,
    ],
    [
      'a node that reads itself',
      model([{ op: 'Add', inputs: ['x', 'y'] }]),
      'INVALID_INPUT',
      /expected no loops/,
    ],
    ['a missing input', model([relu('nowhere', 'y')]), 'INVALID_INPUT', /named "nowhere", received none/],
    ['a missing output', model([relu('x', 'z')]), 'INVALID_INPUT', /named "y"/],
    ['a value made twice', model([relu('x', 'y'), relu('x', 'y')]), 'INVALID_INPUT', /"y" twice/],
    ['a node that makes a weight', model([relu('x', 'w')]), 'INVALID_INPUT', /"w" twice/],
    ['a node that makes the input', model([relu('w', 'x')]), 'INVALID_INPUT', /"x" twice/],
    [
      'a weight given twice',
      model([relu('x', 'y')], ({ graph }) => graph!.initializer.push(madeWeight('w', [1]))),
      'INVALID_INPUT',
      /"w" twice/,
    ],
    [
      'sparse weights',
      model([relu('x', 'y')], ({ graph }) => graph!.sparseInitializer.push({} as never)),
      'UNSUPPORTED_MODEL',
      /received sparse/,
    ],
    [
      'two inputs',
      model([relu('x', 'y')], ({ graph }) => graph!.input.push({ ...graph!.input[0]!, name: 'z' })),
      'UNSUPPORTED_MODEL',
      /model inputs: expected 1, received 2 "x", "z"/,
    ],
    [
      'no input',
      model([relu('x', 'y')], ({ graph }) => graph!.input.pop()),
      'UNSUPPORTED_MODEL',
      /model inputs: expected 1, received 0$/,
    ],
    [
      'two outputs',
      model([relu('x', 'y')], ({ graph }) => graph!.output.push({ ...graph!.output[0]!, name: 'z' })),
      'UNSUPPORTED_MODEL',
      /model outputs: expected 1, received 2/,
    ],
    [
      'an old opset',
      model([relu('x', 'y')], ({ opsetImport }) => Object.assign(opsetImport[0]!, { version: 10n })),
      'UNSUPPORTED_MODEL',
      /expected 11 to 21, received 10/,
    ],
    [
      'a new opset',
      model([relu('x', 'y')], ({ opsetImport }) => Object.assign(opsetImport[0]!, { version: 99n })),
      'UNSUPPORTED_MODEL',
      /received 99/,
    ],
    [
      'no opset of ONNX',
      model([relu('x', 'y')], ({ opsetImport }) => Object.assign(opsetImport[0]!, { domain: 'com.acme' })),
      'UNSUPPORTED_MODEL',
      /received 0/,
    ],
  ])('refuses %s', (_, made, code, message) => {
    expect(() => readGraph(made)).toThrow(
      expect.objectContaining({ code, message: expect.stringMatching(message) }),
    );
  });

  test.each<[string, (type: { elemType: number; shape?: unknown }) => void, RegExp]>([
    ['integers', (type) => Object.assign(type, { elemType: DataType.INT64 }), /expected a tensor of floats/],
    ['any shape', (type) => Object.assign(type, { shape: undefined }), /received another type or no shape/],
    [
      'an extent of 0',
      (type) => Object.assign((type.shape as { dim: { value: object }[] }).dim[1]!.value, { value: 0n }),
      /positive extents, received \[, 0\]/,
    ],
  ])('refuses an input of %s', (_, change, message) => {
    const made = model([relu('x', 'y')], ({ graph }) => change(graph!.input[0]!.type!.value.value as never));
    expect(() => readGraph(made)).toThrow(message);
  });

  test('refuses more nodes than it reads', () => {
    const made = model([relu('x', 'y')]);
    made.graph!.node = Array.from({ length: 100_001 }, () => made.graph!.node[0]!);
    expect(() => readGraph(made)).toThrow(/at most 100000 nodes, received 100001/);
  });
});
