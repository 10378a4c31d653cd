import { UnsupportedModelError } from '../../../errors.ts';
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

/** What the outputs of a head of one or of two units are, by the activations after it. */
const OUTPUTS: Readonly<Record<1 | 2, Readonly<Record<string, 'logit' | 'score'>>>> = {
  1: { '': 'logit', Sigmoid: 'score' },
  2: { '': 'logit', Softmax: 'score', LogSoftmax: 'logit' },
};

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
  /** Two are the negative and the positive class of a softmax. */
  readonly units: 1 | 2;
  readonly afterHead: readonly GraphNode[];
  readonly output: 'logit' | 'score';
}

/**
 * Finds the head by walking back from the output; `headName` only confirms the walk.
 *
 * @throws UnsupportedModelError when the output is not that of a binary dense head
 */
export function findHead(graph: OnnxGraph, headName?: string): OnnxHead {
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
  const [width, units] = dense.isTransposed ? shape.toReversed() : shape;
  if (shape.length !== 2 || (units !== 1 && units !== 2)) {
    throw unfit(
      nodes[0]!,
      `expected 1 unit, or 2 of a softmax (a binary classifier), received ${shape.length === 2 ? units : `weights [${shape.join(', ')}]`}`,
    );
  }
  assertOwnWeights(graph, dense);
  const activations = afterHead.map(({ op }) => op).filter((op) => /Sigmoid|Softmax/.test(op));
  const output = OUTPUTS[units][activations.join(' then ')];
  if (output === undefined) {
    const expected = units === 1 ? 'no activation or one sigmoid' : 'no activation or one softmax';
    throw unfit(nodes[0]!, `expected ${expected} after it, received ${activations.join(' then ')}`);
  }
  return { ...dense, width: width!, units, afterHead, output };
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
