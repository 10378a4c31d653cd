import * as tf from '@tensorflow/tfjs-core';
import { InvalidInputError, UnsupportedModelError } from '../../errors.ts';
import { openDenseHead } from '../class-head.ts';
import type { Classifier, ForwardMode, LayerSummary, LoadOptions, Parameter } from '../classifier.ts';
import { assertActivations, assertInputShape, INFERENCE } from '../classifier.ts';
import type { Head } from '../unit-head.ts';
import { notesOnUnits } from '../units.ts';
import type { BodyValues } from './onnx/body-values.ts';
import { bodyValuesOf } from './onnx/body-values.ts';
import type { OnnxFile } from './onnx/file/read-model.ts';
import { readOnnxFile } from './onnx/file/read-model.ts';
import { readEntries } from './onnx/file/tensor-data.ts';
import { writeOnnxFile } from './onnx/file/write-model.ts';
import type { GraphNode, OnnxGraph } from './onnx/graph.ts';
import { readGraph } from './onnx/graph.ts';
import type { OnnxHead } from './onnx/head.ts';
import { findHead } from './onnx/head.ts';
import type { NodeSummary, Weight } from './onnx/network.ts';
import { finite, OnnxNetwork } from './onnx/network.ts';

/** Batch and side of the input that a graph is tried with where it takes any. */
const PROBE = { batch: 3, side: 224 } as const;

const FOLDED =
  'The file holds no batch normalisation: if the network had any, its exporter has folded it into the convolutions, and mask and tuning work on the folded weights.';

/**
 * Loads an ONNX model as its exporter wrote it.
 *
 * @param location  the .onnx file; external data lies in its folder
 * @returns the classifier; the caller disposes it
 * @throws UnsupportedModelError naming operator, node and opset of what is not read, or when no dense head is found
 * @throws InvalidInputError when the file is damaged, or the positive class is not one of the head's
 * @throws NonFiniteError when a weight is NaN or infinite
 */
export async function loadOnnx(location: string, options: LoadOptions = {}): Promise<Classifier> {
  const file = await readOnnxFile(location);
  const graph = readGraph(file.model);
  const place = findHead(graph, options);
  const network = new OnnxNetwork(file, graph, place.features);
  try {
    return new OnnxClassifier({ file, graph, place, network, probed: probe(network, graph, place) });
  } catch (error) {
    network.dispose();
    throw error;
  }
}

/** Goes through the graph once without computing anything, so that what is unsupported shows now. */
function probe(network: OnnxNetwork, { input }: OnnxGraph, place: OnnxHead): Probed {
  const [fixed, ...sample] = input.shape;
  const sides = sample.map((extent) => extent ?? PROBE.side);
  const batch = fixed === PROBE.batch ? PROBE.batch + 1 : PROBE.batch;
  try {
    const { output, nodes, plan } = network.trace([batch, ...sides]);
    const { shape } = output;
    if (shape.length === 2 && shape[0] === batch && shape[1] === place.width) {
      return { nodes, ops: new Set(plan.steps.map(({ op }) => op)) };
    }
    throw new InvalidInputError(
      `head "${place.nodes[0]!.name}": expected features of shape [${batch}, ${place.width}] for ${batch} samples, received [${shape.join(', ')}]`,
      { head: place.nodes[0]!.name, received: shape },
    );
  } catch (cause) {
    if (fixed === null || !(cause instanceof InvalidInputError)) throw cause;
    throw new UnsupportedModelError(
      `model input "${input.name}": expected a graph for batches of any size, received one for ${fixed} alone; export it with a dynamic batch axis (${cause.message})`,
      { input: input.name, received: input.shape },
      { cause },
    );
  }
}

/** What the body does with a batch: its nodes, and the operators that are left of them as steps. */
interface Probed {
  readonly nodes: readonly NodeSummary[];
  readonly ops: ReadonlySet<string>;
}

interface Parts {
  readonly file: OnnxFile;
  readonly graph: OnnxGraph;
  readonly place: OnnxHead;
  readonly network: OnnxNetwork;
  readonly probed: Probed;
}

class OnnxClassifier implements Classifier {
  readonly format = 'onnx';
  readonly sources: readonly string[];
  readonly inputShape: readonly number[];
  readonly mirrorAxes: readonly number[];
  readonly layers: readonly LayerSummary[];
  readonly body: readonly Parameter[];
  readonly head: Classifier['head'];
  readonly statistics: readonly Parameter[];
  readonly normalizations: Classifier['normalizations'];
  readonly bodyOutputs: Classifier['bodyOutputs'];
  readonly output: 'logit' | 'score';
  readonly hasTrainingMode: boolean;
  readonly notes: readonly string[];
  readonly #file: OnnxFile;
  readonly #network: OnnxNetwork;
  readonly #head: Head;
  readonly #valueOf: BodyValues['valueOf'];

  constructor({ file, graph, place, network, probed: { nodes, ops } }: Parts) {
    this.#file = file;
    this.#network = network;
    this.#head = openHead(file, graph, place);
    this.sources = file.sources;
    this.inputShape = graph.input.shape.slice(1) as number[];
    this.mirrorAxes = mirrorAxesOf(graph);
    this.output = place.units.output;
    this.head = this.#head.parameters;
    const { weights } = network;
    this.body = weights.filter(({ role }) => role === 'weight').map(asParameter);
    this.statistics = weights.filter(({ role }) => role === 'statistic').map(asParameter);
    const values = bodyValuesOf(nodes, this.statistics, graph);
    this.normalizations = values.normalizations;
    this.bodyOutputs = values.bodyOutputs;
    this.#valueOf = values.valueOf;
    this.hasTrainingMode = this.statistics.length > 0 || ops.has('Dropout');
    const isFolded = ops.has('Conv') && !ops.has('BatchNormalization');
    this.notes = [...notesOnUnits(place.units), ...(isFolded ? [FOLDED] : [])];
    this.layers = summarise(nodes, weights, place);
  }

  features(inputs: tf.Tensor, mode: ForwardMode): tf.Tensor2D {
    assertInputShape(this, inputs);
    return this.#network.run(inputs, mode) as tf.Tensor2D;
  }

  headLogits(features: tf.Tensor2D): tf.Tensor1D {
    return this.#head.logits(features);
  }

  logits(inputs: tf.Tensor, mode: ForwardMode): tf.Tensor1D {
    return tf.tidy(() => this.headLogits(this.features(inputs, mode)));
  }

  activations(inputs: tf.Tensor, names: readonly string[]): Map<string, tf.Tensor> {
    assertInputShape(this, inputs);
    assertActivations(this, names);
    const wanted = [...new Set(names)];
    const values = wanted.map((name) => this.#valueOf.get(name)!);
    const tensors = this.#network.values(inputs, INFERENCE, values);
    return new Map(wanted.map((name, place) => [name, tensors[place]!]));
  }

  async save(folder: string): Promise<void> {
    const changes = new Map([...this.#network.changes(), ...this.#head.changes()]);
    await writeOnnxFile(folder, this.#file, changes);
  }

  dispose(): void {
    this.#network.dispose();
    this.#head.dispose();
  }
}

function openHead({ external }: OnnxFile, { initializers }: OnnxGraph, head: OnnxHead): Head {
  const read = (name: string) => ({
    name,
    entries: finite(name, new Float32Array(readEntries(initializers.get(name)!, external.get(name)))),
  });
  return openDenseHead({
    name: head.nodes[0]!.name,
    units: head.units,
    width: head.width,
    kernel: { ...read(head.kernel), isTransposed: head.isTransposed },
    bias: head.bias === null ? null : read(head.bias),
  });
}

function asParameter({ name, node, variable }: Weight): Parameter {
  return { name, layer: node.name, shape: variable.shape, variable };
}

/** Width and height of an image. */
function mirrorAxesOf(graph: OnnxGraph): number[] {
  if (graph.input.shape.length !== 4) return [];
  return hasChannelsLast(graph) ? [2, 1] : [3, 2];
}

/** What may scale pixels before anything asks where their channels are. */
const POINTWISE = new Set(['Add', 'Cast', 'Div', 'Identity', 'Mul', 'Sub']);

/** The images of tf2onnx come so, and are turned before the first convolution. */
function hasChannelsLast({ input, nodes }: OnnxGraph): boolean {
  let { name } = input;
  for (const { op, inputs, outputs, attributes } of nodes) {
    if (!inputs.includes(name) || op === 'Shape') continue;
    if (op === 'Transpose') return attributes.ints('perm')?.join() === '0,3,1,2';
    if (!POINTWISE.has(op)) return false;
    name = outputs[0]!;
  }
  return false;
}

function summarise(
  nodes: readonly NodeSummary[],
  weights: readonly Weight[],
  { nodes: headNodes, afterHead, units, width, bias }: OnnxHead,
): LayerSummary[] {
  const sizeOf = (node: GraphNode) =>
    weights.reduce((sum, weight) => sum + (weight.node === node ? weight.variable.size : 0), 0);
  const summary = (node: GraphNode, rest: Omit<LayerSummary, 'name' | 'kind'>): LayerSummary => ({
    name: node.name,
    kind: node.op,
    ...rest,
  });
  const outputShape = [null, units.count];
  const ofHead = [units.count * width, bias === null ? 0 : units.count];
  const [first, second] = headNodes.length === 1 ? [ofHead[0]! + ofHead[1]!] : ofHead;
  return [
    ...nodes.map(({ node, shape }) =>
      summary(node, { outputShape: [null, ...shape.slice(1)], parameters: sizeOf(node), part: 'body' }),
    ),
    ...headNodes.map((node, place) =>
      summary(node, { outputShape, parameters: (place === 0 ? first : second) ?? 0, part: 'head' }),
    ),
    ...afterHead.map((node) => summary(node, { outputShape, parameters: 0, part: 'after-head' })),
  ];
}
