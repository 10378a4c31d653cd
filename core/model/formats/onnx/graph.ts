import { InvalidInputError, UnsupportedModelError } from '../../../errors.ts';
import { Attributes } from './attributes.ts';
import { LIMITS } from './file/limits.ts';
import type { GraphProto, ModelProto, NodeProto, TensorProto, ValueInfoProto } from './file/onnx-pb.ts';
import { TensorProto_DataType as DataType } from './file/onnx-pb.ts';

/** Opsets whose operators are read as their version says. */
const OPSETS = { lowest: 11, highest: 21 } as const;

const FLOATS: readonly number[] = [DataType.FLOAT, DataType.FLOAT16, DataType.BFLOAT16, DataType.DOUBLE];

export interface GraphNode {
  readonly op: string;
  /** As the file spells it; of its first output where the node has none. */
  readonly name: string;
  /** Names of values; '' for an optional one that is left out. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: Attributes;
}

/** A graph whose names all lead somewhere. */
export interface OnnxGraph {
  readonly opset: number;
  /** Those that the output depends on, each after what it reads. */
  readonly nodes: readonly GraphNode[];
  /** The node that makes a value, by the value's name. */
  readonly makers: ReadonlyMap<string, GraphNode>;
  readonly initializers: ReadonlyMap<string, TensorProto>;
  /** Shape with the batch axis; null where any extent will do. */
  readonly input: { readonly name: string; readonly shape: readonly (number | null)[] };
  readonly output: string;
}

/**
 * @throws InvalidInputError when a name is missing or given twice, or the graph has a loop
 * @throws UnsupportedModelError when the graph has not one input and one output, or another opset
 */
export function readGraph(model: ModelProto): OnnxGraph {
  const graph = model.graph!;
  if (graph.node.length > LIMITS.nodes) {
    throw new InvalidInputError(
      `model graph: expected at most ${LIMITS.nodes} nodes, received ${graph.node.length}`,
      { expected: LIMITS.nodes, received: graph.node.length },
    );
  }
  if (graph.sparseInitializer.length > 0) {
    throw new UnsupportedModelError('model graph: expected dense initializers, received sparse ones');
  }
  const initializers = byName(graph.initializer);
  const makers = indexMakers(graph, initializers);
  const input = soleInput(graph, initializers);
  if (graph.output.length !== 1) throw notOne('outputs', graph.output);
  const output = graph.output[0]!.name;
  const isGiven = (name: string) => name === '' || name === input.name || initializers.has(name);
  return {
    opset: opsetOf(model),
    nodes: inOrder(output, makers, isGiven),
    makers,
    initializers,
    input,
    output,
  };
}

function opsetOf({ opsetImport }: ModelProto): number {
  const opset = Number(opsetImport.find(({ domain }) => domain === '' || domain === 'ai.onnx')?.version ?? 0);
  if (opset >= OPSETS.lowest && opset <= OPSETS.highest) return opset;
  throw new UnsupportedModelError(
    `model opset: expected ${OPSETS.lowest} to ${OPSETS.highest}, received ${opset}; export the model again with opset_version in this range`,
    { expected: OPSETS, received: opset },
  );
}

function byName(tensors: readonly TensorProto[]): Map<string, TensorProto> {
  const found = new Map<string, TensorProto>();
  for (const tensor of tensors) {
    if (tensor.name === '' || found.has(tensor.name)) throw givenTwice(tensor.name);
    found.set(tensor.name, tensor);
  }
  return found;
}

function indexMakers(
  graph: GraphProto,
  initializers: ReadonlyMap<string, TensorProto>,
): Map<string, GraphNode> {
  const makers = new Map<string, GraphNode>();
  const inputs = new Set(graph.input.map(({ name }) => name));
  for (const proto of graph.node) {
    const node = readNode(proto);
    for (const name of proto.output) {
      if (name === '') continue;
      if (makers.has(name) || initializers.has(name) || inputs.has(name)) throw givenTwice(name);
      makers.set(name, node);
    }
  }
  return makers;
}

function readNode(proto: NodeProto): GraphNode {
  const { opType, domain, input, output } = proto;
  const isOnnx = domain === '' || domain === 'ai.onnx';
  return {
    op: isOnnx ? opType : `${domain}.${opType}`,
    name: proto.name || output.find((name) => name !== '') || opType,
    inputs: input,
    outputs: output,
    attributes: new Attributes(proto),
  };
}

/** In files of before 2019 initializers are listed among the inputs. */
function soleInput(graph: GraphProto, initializers: ReadonlyMap<string, TensorProto>): OnnxGraph['input'] {
  const inputs = graph.input.filter(({ name }) => !initializers.has(name));
  if (inputs.length !== 1) throw notOne('inputs', inputs);
  const { name, type } = inputs[0]!;
  const tensor = type?.value.case === 'tensorType' ? type.value.value : undefined;
  const dims = tensor?.shape?.dim;
  if (dims === undefined || dims.length === 0 || !FLOATS.includes(tensor!.elemType)) {
    throw new UnsupportedModelError(
      `model input "${name}": expected a tensor of floats with a batch axis, received another type or no shape`,
      { input: name },
    );
  }
  const shape = dims.map(({ value }) => (value.case === 'dimValue' ? Number(value.value) : null));
  if (shape.some((extent) => extent !== null && !(extent > 0 && extent <= LIMITS.tensorEntries))) {
    throw new InvalidInputError(
      `model input "${name}": expected a shape of positive extents, received [${shape.join(', ')}]`,
      { input: name, received: shape },
    );
  }
  return { name, shape };
}

function notOne(what: string, values: readonly ValueInfoProto[]): UnsupportedModelError {
  const names = values.slice(0, 8).map(({ name }) => `"${name}"`);
  return new UnsupportedModelError(
    `model ${what}: expected 1, received ${values.length} ${names.join(', ')}`.trimEnd(),
    { where: what, expected: 1, received: values.length },
  );
}

function givenTwice(name: string): InvalidInputError {
  return new InvalidInputError(
    `model graph: expected each value to have a name of its own, received "${name}" twice or without one`,
    { value: name },
  );
}

/** Nodes that a value depends on, in the file's order, unless one there comes before what it reads. */
function inOrder(
  output: string,
  makers: ReadonlyMap<string, GraphNode>,
  isGiven: (name: string) => boolean,
): GraphNode[] {
  const inputsOf = (node: GraphNode) =>
    node.inputs.filter((name) => !isGiven(name)).map((name) => makerOf(name, makers));
  const needed = new Set([makerOf(output, makers)]);
  for (const node of needed) for (const input of inputsOf(node)) needed.add(input);
  const order = new Set<GraphNode>();
  for (const node of makers.values()) if (needed.has(node)) addAfterInputs(node, order, inputsOf);
  return [...order];
}

/** Without recursion, since a graph may be deeper than a stack. */
function addAfterInputs(
  root: GraphNode,
  order: Set<GraphNode>,
  inputsOf: (node: GraphNode) => readonly GraphNode[],
): void {
  const open = new Set<GraphNode>();
  const stack = [root];
  while (stack.length > 0) {
    const node = stack.at(-1)!;
    const missing = order.has(node) ? [] : inputsOf(node).filter((input) => !order.has(input));
    if (missing.length === 0) {
      order.add(node);
      open.delete(node);
      stack.pop();
      continue;
    }
    open.add(node);
    const loop = missing.find((input) => open.has(input));
    if (loop !== undefined) {
      throw new InvalidInputError(`model graph: expected no loops, received one through "${loop.name}"`, {
        node: loop.name,
      });
    }
    for (const input of missing) stack.push(input);
  }
}

function makerOf(name: string, makers: ReadonlyMap<string, GraphNode>): GraphNode {
  const maker = makers.get(name);
  if (maker !== undefined) return maker;
  throw new InvalidInputError(
    `model graph: expected a node, an input or an initializer named "${name}", received none`,
    { value: name },
  );
}
