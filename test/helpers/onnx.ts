import path from 'node:path';
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import * as tf from '@tensorflow/tfjs-core';
import { InferenceSession, Tensor } from 'onnxruntime-web';
import { expect } from 'vitest';
import { INFERENCE } from '../../core/model/classifier.ts';
import type {
  AttributeProto,
  ModelProto,
  NodeProto,
  TensorProto,
} from '../../core/model/formats/onnx/file/onnx-pb.ts';
import {
  AttributeProtoSchema,
  AttributeProto_AttributeType as AttributeType,
  TensorProto_DataType as DataType,
  ModelProtoSchema,
  NodeProtoSchema,
  TensorProtoSchema,
} from '../../core/model/formats/onnx/file/onnx-pb.ts';
import { readGraph } from '../../core/model/formats/onnx/graph.ts';
import { OnnxNetwork } from '../../core/model/formats/onnx/network.ts';
import { expectClose, noise } from './tensors.ts';

/** Ten networks that PyTorch exported, with inputs, outputs and gradients. */
export const ONNX_FIXTURES = path.join(import.meta.dirname, '../fixtures/onnx');

export type AttributeValue = number | string | readonly number[] | { readonly float: number } | TensorProto;

export interface MadeNode {
  readonly op: string;
  readonly inputs: readonly string[];
  readonly outputs?: readonly string[];
  readonly name?: string;
  readonly domain?: string;
  /** Whole numbers are integers unless they come as `{ float }`. */
  readonly attributes?: Readonly<Record<string, AttributeValue>>;
}

export interface MadeModel {
  readonly nodes: readonly (MadeNode | NodeProto)[];
  readonly initializers?: readonly TensorProto[];
  /** With the batch axis; null for any extent. */
  readonly input: readonly (number | null)[];
  readonly output?: string;
  readonly opset?: number;
}

/** Floats, or whole numbers as int64. */
export function madeTensor(
  name: string,
  dims: readonly number[],
  values: ArrayLike<number>,
  type: 'float' | 'int64' | 'bool' = 'float',
): TensorProto {
  const list = Array.from(values);
  const rawData = {
    float: () => new Uint8Array(Float32Array.from(list).buffer),
    int64: () => new Uint8Array(BigInt64Array.from(list, BigInt).buffer),
    bool: () => Uint8Array.from(list),
  }[type]();
  const dataType = { float: DataType.FLOAT, int64: DataType.INT64, bool: DataType.BOOL }[type];
  return create(TensorProtoSchema, { name, dims: dims.map(BigInt), dataType, rawData });
}

/** Noise as a weight. */
export function madeWeight(name: string, dims: readonly number[], seed = 1): TensorProto {
  return madeTensor(
    name,
    dims,
    noise(
      dims.reduce((product, extent) => product * extent, 1),
      seed,
    ),
  );
}

export function madeNode({
  op,
  inputs,
  outputs = ['y'],
  name = '',
  domain = '',
  attributes = {},
}: MadeNode): NodeProto {
  return create(NodeProtoSchema, {
    opType: op,
    domain,
    name,
    input: [...inputs],
    output: [...outputs],
    attribute: Object.entries(attributes).map(([key, value]) => madeAttribute(key, value)),
  });
}

function madeAttribute(name: string, value: AttributeValue): AttributeProto {
  const fields = () => {
    if (typeof value === 'number') {
      return Number.isInteger(value)
        ? { type: AttributeType.INT, i: BigInt(value) }
        : { type: AttributeType.FLOAT, f: value };
    }
    if (typeof value === 'string') return { type: AttributeType.STRING, s: new TextEncoder().encode(value) };
    if ('float' in value) return { type: AttributeType.FLOAT, f: value.float };
    if (!('dims' in value)) return { type: AttributeType.INTS, ints: Array.from(value, BigInt) };
    return { type: AttributeType.TENSOR, t: value };
  };
  return create(AttributeProtoSchema, { name, ...fields() });
}

/** A model from `x` to `y`. */
export function madeModel({
  nodes,
  initializers = [],
  input,
  output = 'y',
  opset = 17,
}: MadeModel): ModelProto {
  const tensorType = (dims: readonly (number | null)[] | null) => ({
    value: {
      case: 'tensorType' as const,
      value: {
        elemType: DataType.FLOAT,
        ...(dims && {
          shape: {
            dim: dims.map((extent) =>
              extent === null
                ? { value: { case: 'dimParam' as const, value: 'N' } }
                : { value: { case: 'dimValue' as const, value: BigInt(extent) } },
            ),
          },
        }),
      },
    },
  });
  return create(ModelProtoSchema, {
    irVersion: 8n,
    opsetImport: [{ domain: '', version: BigInt(opset) }],
    graph: {
      name: 'made',
      node: nodes.map((node) => ('$typeName' in node ? node : madeNode(node))),
      initializer: [...initializers],
      input: [{ name: 'x', type: tensorType(input) }],
      output: [{ name: output, type: tensorType(null) }],
    },
  });
}

export function encodeModel(model: ModelProto): Uint8Array {
  return toBinary(ModelProtoSchema, model);
}

export function decodeModel(bytes: Uint8Array): ModelProto {
  return fromBinary(ModelProtoSchema, new Uint8Array(bytes)); // no views of a Buffer, which is no equal of an array
}

/** The whole graph as a network. */
export function networkOf(model: ModelProto): OnnxNetwork {
  const graph = readGraph(model);
  return new OnnxNetwork({ sources: ['made.onnx'], model, external: new Map() }, graph, graph.output);
}

/** The output that onnxruntime gives. */
export async function runtimeOutput(
  bytes: Uint8Array,
  x: tf.Tensor,
): Promise<{ shape: number[]; values: Float32Array }> {
  const session = await InferenceSession.create(bytes, { logSeverityLevel: 3 });
  try {
    const feeds = { [session.inputNames[0]!]: new Tensor('float32', x.dataSync() as Float32Array, x.shape) };
    const output = (await session.run(feeds))[session.outputNames[0]!]!;
    return { shape: [...output.dims], values: Float32Array.from(output.data as Float32Array) };
  } finally {
    await session.release();
  }
}

/**
 * Fails unless a made model gives what onnxruntime gives, and the gradient of a weighted sum of its output is, for
 * input and weights, that of central differences along a random direction.
 *
 * @param shape  of the input
 */
export async function expectLikeRuntime(made: MadeModel, shape: readonly number[], seed = 3): Promise<void> {
  const model = madeModel(made);
  const x = tf.tensor(
    noise(
      shape.reduce((product, extent) => product * extent, 1),
      seed,
    ),
    [...shape],
  );
  const expected = await runtimeOutput(encodeModel(model), x);
  const network = networkOf(model);
  try {
    const y = network.run(x, INFERENCE);
    expect(y.shape).toEqual(expected.shape);
    expectClose(y.dataSync(), expected.values, 1e-5);
    expectGradients(network, x, noise(y.size, seed + 1));
    y.dispose();
  } finally {
    x.dispose();
    network.dispose();
  }
}

/** The slope along a direction by differences is that by gradients. Steps are small, so it holds beside kinks. */
function expectGradients(network: OnnxNetwork, x: tf.Tensor, factors: Float32Array): void {
  const weights = network.weights.filter(({ role }) => role === 'weight');
  const variables = [tf.variable(x), ...weights.map(({ variable }) => variable)];
  const scalar = () =>
    tf.tidy(() => {
      const y = network.run(variables[0]!, INFERENCE);
      return tf.sum(tf.mul(tf.reshape(y, [-1]), factors)) as tf.Scalar;
    });
  const { value, grads } = tf.variableGrads(scalar, variables);
  value.dispose();
  const starts = variables.map((variable) => variable.dataSync().slice() as Float32Array);
  const ways = variables.map(({ size }, place) => noise(size, 100 + place));
  const slope = variables.reduce((sum, { name }, place) => {
    const gradient = grads[name]?.dataSync();
    return (
      sum + (gradient === undefined ? 0 : ways[place]!.reduce((dot, way, at) => dot + way * gradient[at]!, 0))
    );
  }, 0);
  const valueAt = (step: number) => {
    variables.forEach((variable, place) => {
      const moved = starts[place]!.map((start, at) => start + step * ways[place]![at]!);
      tf.tidy(() => variable.assign(tf.tensor(moved, variable.shape)));
    });
    return tf.tidy(() => scalar().dataSync()[0]!);
  };
  const step = 2 ** -8;
  const measured = (valueAt(step) - valueAt(-step)) / (2 * step);
  valueAt(0);
  tf.dispose([variables[0]!, ...Object.values(grads)]);
  const scale = Math.max(Math.abs(slope), Math.sqrt(factors.length), 1);
  expect(Math.abs(measured - slope) / scale, `slope ${slope}, measured ${measured}`).toBeLessThan(0.02);
}

/**
 * Fails unless a constant `r` that nodes make of others is what onnxruntime makes of them: it is added to the one
 * number that is the model's input.
 */
export async function expectFoldedLikeRuntime(
  nodes: readonly MadeNode[],
  initializers: readonly TensorProto[],
): Promise<void> {
  const sum = [
    { op: 'Cast', inputs: ['r'], outputs: ['float'], attributes: { to: DataType.FLOAT } },
    { op: 'Add', inputs: ['x', 'float'] },
  ];
  await expectLikeRuntime({ nodes: [...nodes, ...sum], initializers, input: [1] }, [1]);
}

/** A convolution with batch norm and dropout, and a head of some units. */
export function madeCnn(units: number, after: MadeModel['nodes'] = []): MadeModel {
  const last = after.length > 0 ? 'logits' : 'y';
  return {
    nodes: [
      { op: 'Conv', inputs: ['x', 'conv.weight'], outputs: ['a'], attributes: { pads: [1, 1, 1, 1] } },
      { op: 'BatchNormalization', inputs: ['a', 'scale', 'offset', 'mean', 'variance'], outputs: ['b'] },
      { op: 'Relu', inputs: ['b'], outputs: ['c'] },
      { op: 'Dropout', inputs: ['c', 'ratio'], outputs: ['d'] },
      { op: 'ReduceMean', inputs: ['d'], outputs: ['features'], attributes: { axes: [2, 3], keepdims: 0 } },
      {
        op: 'Gemm',
        name: 'classifier',
        inputs: ['features', 'fc.weight', 'fc.bias'],
        outputs: [last],
        attributes: { transB: 1 },
      },
      ...after,
    ],
    initializers: [
      madeWeight('conv.weight', [4, 3, 3, 3]),
      madeWeight('scale', [4], 2),
      madeWeight('offset', [4], 3),
      madeWeight('mean', [4], 4),
      madeTensor('variance', [4], [1, 2, 0.5, 1.5]),
      madeTensor('ratio', [], [0.25]),
      madeWeight('fc.weight', [units, 4], 5),
      madeWeight('fc.bias', [units], 6),
    ],
    input: [null, 3, 6, 5],
  };
}
