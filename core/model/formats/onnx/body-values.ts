import type { LayerOutput, Normalization, Parameter } from '../../classifier.ts';
import { inputNameOf, uniqueNames } from '../../classifier.ts';
import type { GraphNode, OnnxGraph } from './graph.ts';
import type { NodeSummary } from './network.ts';

/** What can be looked at inside a body. */
export interface BodyValues {
  readonly bodyOutputs: readonly LayerOutput[];
  readonly normalizations: readonly Normalization[];
  /** The graph's value by the name that the classifier gives it. */
  readonly valueOf: ReadonlyMap<string, string>;
}

/**
 * @param nodes  those whose output depends on the input, in forward order
 * @param statistics  running ones, by which a batch norm is known; one whose statistics the file computes has no trace
 *   of training, and is left out
 */
export function bodyValuesOf(
  nodes: readonly NodeSummary[],
  statistics: readonly Parameter[],
  graph: OnnxGraph,
): BodyValues {
  const names = uniqueNames(nodes.map(({ node }) => node.name));
  const normalizations = nodes.flatMap(({ node }, place): Normalization[] => {
    if (node.op !== 'BatchNormalization') return [];
    const [mean, variance] = [3, 4].map((at) => {
      const source = sourceOf(node.inputs[at]!, graph);
      return statistics.find(({ name }) => name === source);
    });
    if (mean === undefined || variance === undefined) return [];
    const layer = names[place]!;
    const epsilon = node.attributes.float('epsilon', 1e-5);
    return [{ layer, input: inputNameOf(layer), channelAxis: 1, mean, variance, epsilon }];
  });
  const inputs = normalizations.map(({ layer, input }) => [
    input,
    nodes[names.indexOf(layer)]!.node.inputs[0]!,
  ]);
  const outputs = nodes.map(({ node }, place) => [names[place]!, node.outputs[0]!]);
  return {
    bodyOutputs: nodes.map(({ node, shape }, place) => ({
      name: names[place]!,
      kind: node.op,
      shape: [null, ...shape.slice(1)],
      channelAxis: channelAxisOf(node, shape.length),
    })),
    normalizations,
    valueOf: new Map([...outputs, ...inputs] as [string, string][]),
  };
}

/** The initializer behind nodes that pass it on. */
function sourceOf(name: string, { makers }: OnnxGraph): string {
  const maker = makers.get(name);
  return maker?.op === 'Identity' ? sourceOf(maker.inputs[0]!, { makers } as OnnxGraph) : name;
}

const CHANNELS_FIRST = new Set(['BatchNormalization', 'Conv', 'InstanceNormalization']);

/** Images have their channels first; of anything else the last axis is that of features. */
function channelAxisOf({ op }: GraphNode, rank: number): number {
  return rank > 3 || CHANNELS_FIRST.has(op) ? 1 : rank - 1;
}
