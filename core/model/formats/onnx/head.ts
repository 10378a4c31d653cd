import { UnsupportedModelError } from '../../../errors.ts';
import type { LoadOptions } from '../../classifier.ts';
import type { Units } from '../../units.ts';
import { readUnits } from '../../units.ts';
import { shapeOf } from './file/tensor-data.ts';
import type { GraphNode, OnnxGraph } from './graph.ts';

/** Nodes that may stand between the head and the output: they do not change which class wins. */
const PASS_THROUGH = new Set([
  'Cast',
  'Dropout',
  'Flatten',
  'Identity',
  'LogSoftmax',
  'Reshape',
  'Sigmoid',
  'Softmax',
  'Squeeze',
  'Unsqueeze',
]);

const isActivation = ({ op }: GraphNode) => /Sigmoid|Softmax/.test(op);

/** The last dense layer of a graph. */
export interface OnnxHead {
  /** The product, and the sum with the bias where that is a node of its own. */
  readonly nodes: readonly GraphNode[];
  /** Name of the value that the head reads. */
  readonly features: string;
  readonly width: number;
  /** Initializer of the weights: [width, units], or [units, width]. */
  readonly kernel: string;
  readonly isTransposed: boolean;
  readonly bias: string | null;
  readonly units: Units;
  readonly afterHead: readonly GraphNode[];
}

/**
 * Finds the head by walking back from the output; its name in `options` only confirms the walk.
 *
 * @throws UnsupportedModelError when the output is not that of a dense head
 * @throws InvalidInputError when the positive class is not one of the head's
 */
export function findHead(
  graph: OnnxGraph,
  { head: headName, positiveClass, classes }: LoadOptions = {},
): OnnxHead {
  const { node, afterHead } = walkBack(graph);
  const dense = asDense(graph, node);
  if (dense === null) throw noHead(node, headName);
  const { nodes, kernel } = dense;
  if (
    headName !== undefined &&
    ![nodes[0]!.name, kernel, kernel.replace(/[./]weight$/, '')].includes(headName)
  ) {
    throw noHead(nodes[0]!, headName);
  }
  const shape = shapeOf(graph.initializers.get(kernel)!);
  const [width = 0, count = 0] = dense.isTransposed ? shape.toReversed() : shape;
  if (shape.length !== 2 || width === 0 || count === 0) {
    throw unfit(nodes[0]!, `expected weights [features, units], received [${shape.join(', ')}]`);
  }
  assertOwnWeights(graph, dense);
  const units = readUnits({
    head: nodes[0]!.name,
    count,
    activations: afterHead.filter(isActivation).map(({ op }) => op),
    positiveClass,
    classes,
  });
  if (units.isShared) assertSharedByAll(nodes[0]!, afterHead);
  return { ...dense, width, units, afterHead };
}

/** Nodes that leave [N, K] as it is, K > 1. */
const KEEP_SHAPE = new Set(['Cast', 'Dropout', 'Identity', 'Squeeze']);

/** A softmax has to be one over all units: not over pairs of them, nor over samples. */
function assertSharedByAll(head: GraphNode, afterHead: readonly GraphNode[]): void {
  const end = afterHead.findIndex(isActivation);
  for (const node of end < 0 ? afterHead : afterHead.slice(0, end + 1)) {
    const { op, name, attributes } = node;
    const keepsShape = KEEP_SHAPE.has(op) || (op === 'Flatten' && attributes.int('axis', 1) === 1);
    if (keepsShape || (isActivation(node) && [-1, 1].includes(attributes.int('axis', -1)))) continue;
    throw unfit(
      head,
      `expected one softmax over all of its units, received "${name}" (${op}) before or in it`,
    );
  }
}

function walkBack({ output, makers, input }: OnnxGraph) {
  const afterHead: GraphNode[] = [];
  let node = makers.get(output)!;
  while (PASS_THROUGH.has(node.op)) {
    afterHead.unshift(node);
    const next = makers.get(node.inputs[0]!);
    if (next === undefined) {
      throw new UnsupportedModelError(
        `no head found: expected a Gemm or MatMul before the output, received the input "${input.name}"`,
      );
    }
    node = next;
  }
  return { node, afterHead };
}

type Dense = Pick<OnnxHead, 'nodes' | 'features' | 'kernel' | 'isTransposed' | 'bias'>;

/** The layer that ends in a node: Gemm, MatMul, or Add after a MatMul. Null when it is none with weights of its own. */
function asDense(graph: OnnxGraph, node: GraphNode): Dense | null {
  if (node.op === 'Gemm') return asGemm(graph, node);
  if (node.op === 'MatMul') {
    const kernel = initializerOf(graph, node.inputs[1] ?? '');
    if (kernel === null) return null;
    return { nodes: [node], features: node.inputs[0]!, kernel, isTransposed: false, bias: null };
  }
  if (node.op !== 'Add') return null;
  const place = node.inputs.findIndex((name) => graph.makers.get(name)?.op === 'MatMul');
  const dense = place < 0 ? null : asDense(graph, graph.makers.get(node.inputs[place]!)!);
  const bias = initializerOf(graph, node.inputs[1 - place] ?? '');
  return dense && bias !== null ? { ...dense, nodes: [...dense.nodes, node], bias } : null;
}

function asGemm(graph: OnnxGraph, node: GraphNode): Dense | null {
  const { attributes, inputs } = node;
  const [features = '', weights = '', addend = ''] = inputs;
  const kernel = initializerOf(graph, weights);
  const bias = addend === '' ? null : initializerOf(graph, addend);
  const isPlain =
    attributes.float('alpha', 1) === 1 &&
    attributes.float('beta', 1) === 1 &&
    attributes.int('transA', 0) === 0 &&
    (addend === '') === (bias === null);
  if (kernel === null || !isPlain) return null;
  return { nodes: [node], features, kernel, isTransposed: attributes.int('transB', 0) === 1, bias };
}

/** Through the Identity nodes by which exporters share a tensor. */
function initializerOf({ makers, initializers }: OnnxGraph, name: string): string | null {
  let source = name;
  for (let node = makers.get(source); node?.op === 'Identity'; node = makers.get(source))
    source = node.inputs[0]!;
  return initializers.has(source) ? source : null;
}

/** Weights that are used elsewhere too cannot be refitted on their own. */
function assertOwnWeights(graph: OnnxGraph, { nodes, kernel, bias }: Dense): void {
  const sharing = graph.nodes.find(
    (node) =>
      !nodes.includes(node) &&
      node.op !== 'Identity' &&
      node.inputs.some((name) => {
        const source = initializerOf(graph, name);
        return source !== null && (source === kernel || source === bias);
      }),
  );
  if (sharing === undefined) return;
  throw unfit(nodes[0]!, `expected weights of its own, received some that "${sharing.name}" uses too`);
}

function noHead({ name, op }: GraphNode, headName: string | undefined): UnsupportedModelError {
  const received = `node "${name}" (${op})`;
  return new UnsupportedModelError(
    headName === undefined
      ? `no head found: expected a Gemm or MatMul with weights from initializers at the output, received ${received}`
      : `head "${headName}": expected the last Gemm or MatMul before the output, which is where the walk back met ${received}`,
    { head: headName ?? null, received: name },
  );
}

function unfit({ name }: GraphNode, what: string): UnsupportedModelError {
  return new UnsupportedModelError(`head "${name}": ${what}`, { head: name });
}
