import { ownEntry } from '../../own-entry.ts';
import { TensorProto_DataType as DataType } from './file/onnx-pb.ts';
import { kindOf, shapeOf } from './file/tensor-data.ts';
import type { GraphNode, OnnxGraph } from './graph.ts';
import { KERNEL_ORDER } from './operators/convolution.ts';
import { range, sizeOf } from './shapes.ts';

/** What an initializer is in the network that the graph describes. */
export interface WeightSpec {
  /** As the file spells it. */
  readonly name: string;
  /** As the file spells it. */
  readonly shape: readonly number[];
  /** Order of axes in which the weight is held. */
  readonly order: readonly number[];
  readonly role: 'weight' | 'statistic';
  /** The node that reads it first. */
  readonly node: GraphNode;
}

interface Reader {
  readonly node: GraphNode;
  readonly place: number;
}

/** Inputs that are settings of an operator, floats though they may be. */
const SETTINGS: Readonly<Record<string, readonly number[]>> = {
  Clip: [1, 2],
  Dropout: [1, 2],
  Pad: [1, 2, 3],
  Pow: [1],
  Range: [0, 1, 2],
  Resize: [1, 2, 3],
};

/** Operators whose one number is a constant of the formula (√2, ½, ε), not a weight. */
const ARITHMETIC = new Set(['Add', 'Div', 'Max', 'Min', 'Mul', 'Sub', 'Where']);

/**
 * The initializers that are weights or running statistics, in the order in which the graph reads them. The rest
 * are constants.
 */
export function findWeights(graph: OnnxGraph, nodes: readonly GraphNode[]): WeightSpec[] {
  const readers = readersOf(graph, nodes);
  return [...readers].flatMap(([name, uses]): WeightSpec[] => {
    const tensor = graph.initializers.get(name)!;
    if (!isFloat(graph, name)) return [];
    const shape = shapeOf(tensor);
    const role = uses.some(isStatistic) ? 'statistic' : 'weight';
    if (role === 'weight' && uses.every((use) => isSetting(use, sizeOf(shape), graph))) return [];
    return [{ name, shape, order: orderOf(uses, shape.length), role, node: uses[0]!.node }];
  });
}

/** Numbers only: text initializers are left to whoever reads them. */
function isFloat({ initializers }: OnnxGraph, name: string): boolean {
  const tensor = initializers.get(name)!;
  return tensor.dataType !== DataType.STRING && kindOf(tensor) === 'float';
}

/** Exporters give a tensor that is used under two names once, and pass it on by Identity. */
function readersOf({ initializers }: OnnxGraph, nodes: readonly GraphNode[]): Map<string, Reader[]> {
  const sources = new Map([...initializers.keys()].map((name) => [name, name]));
  const readers = new Map<string, Reader[]>();
  for (const node of nodes) {
    node.inputs.forEach((input, place) => {
      const name = sources.get(input);
      if (name === undefined) return;
      const others = readers.get(name);
      if (node.op === 'Identity') sources.set(node.outputs[0]!, name);
      else if (others === undefined) readers.set(name, [{ node, place }]);
      else others.push({ node, place });
    });
  }
  return readers;
}

function isStatistic({ node, place }: Reader): boolean {
  return node.op === 'BatchNormalization' && place >= 3;
}

function isSetting({ node, place }: Reader, size: number, graph: OnnxGraph): boolean {
  if (ownEntry(SETTINGS, node.op)?.includes(place)) return true;
  return size === 1 && ARITHMETIC.has(node.op) && !isBias(node, graph);
}

/** Does the node add to a product? A layer of one unit has a bias of one number. */
function isBias({ op, inputs }: GraphNode, { makers }: OnnxGraph): boolean {
  return op === 'Add' && inputs.some((name) => makers.get(name)?.op === 'MatMul');
}

/** Kernels as the backends read them: [H, W, I, O] of a convolution, [I, O] of a dense layer. */
function orderOf(uses: readonly Reader[], rank: number): readonly number[] {
  const [{ node, place }] = uses as [Reader];
  if (node.op === 'Conv' && place === 1 && rank === KERNEL_ORDER.length) return KERNEL_ORDER;
  if (node.op === 'Gemm' && place === 1 && rank === 2 && node.attributes.int('transB', 0) === 1)
    return [1, 0];
  return range(rank);
}
