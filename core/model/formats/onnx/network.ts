import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { NonFiniteError, UnsupportedModelError } from '../../../errors.ts';
import type { ForwardMode } from '../../classifier.ts';
import type { Call } from './call.ts';
import { unsupported, valueAt } from './call.ts';
import type { OnnxFile } from './file/read-model.ts';
import type { ChangedEntries } from './file/tensor-data.ts';
import { kindOf, readEntries, shapeOf } from './file/tensor-data.ts';
import type { GraphNode, OnnxGraph } from './graph.ts';
import { Lowering } from './lowering.ts';
import { applyOperator } from './operators/index.ts';
import { Plan } from './plan.ts';
import { isIdentity, range } from './shapes.ts';
import type { Slot, Value } from './values.ts';
import { FoldBudget, makeConstant } from './values.ts';
import type { WeightSpec } from './weights.ts';
import { findWeights } from './weights.ts';

/** Plans that are kept: batches of training, of scoring, and the smaller last ones of each. */
const MOST_PLANS = 8;

/** A weight or a running statistic, held in the order of axes that the backends read. */
export interface Weight extends WeightSpec {
  readonly variable: tf.Variable;
  /** Entries in the file's order, as they were when the file was read. */
  readonly original: Float32Array;
}

/** A value of the graph with the node that made it, for a listing of layers. */
export interface NodeSummary {
  readonly node: GraphNode;
  readonly shape: readonly number[];
}

/**
 * The part of a graph that makes one value, as a function of one input with weights that can be trained. Values on the
 * way there can be had too.
 */
export class OnnxNetwork {
  readonly weights: readonly Weight[];
  readonly #graph: OnnxGraph;
  readonly #target: string;
  readonly #nodes: readonly GraphNode[];
  readonly #constants: ReadonlyMap<string, Value>;
  /** Batch norms that do the relu behind them, with those relus. */
  readonly #rectified: ReadonlyMap<GraphNode, GraphNode>;
  readonly #plans = new Map<string, Plan>();

  /**
   * @param target  name of the value
   * @throws NonFiniteError when a weight is NaN or infinite
   */
  constructor({ external }: OnnxFile, graph: OnnxGraph, target: string) {
    this.#graph = graph;
    this.#target = target;
    this.#nodes = nodesTowards(graph, target);
    this.#rectified = rectifiedPairs(this.#nodes, target);
    const specs = findWeights(graph, this.#nodes);
    const names = new Set(specs.map(({ name }) => name));
    const read = (name: string) => readEntries(graph.initializers.get(name)!, external.get(name));
    const inputs = new Set(this.#nodes.flatMap((node) => node.inputs));
    this.#constants = new Map(
      [...graph.initializers]
        .filter(([name]) => inputs.has(name) && !names.has(name))
        .map(([name, tensor]) => [name, makeConstant(kindOf(tensor), shapeOf(tensor), read(name))]),
    );
    const values = specs.map(({ name }) => finite(name, new Float32Array(read(name))));
    this.weights = specs.map((spec, place) => makeWeight(spec, values[place]!));
  }

  /** @returns the value for a batch of inputs; the caller disposes */
  run(inputs: Tensor, mode: ForwardMode): Tensor {
    return this.values(inputs, mode, [this.#target])[0]!;
  }

  /**
   * @param names  of values that depend on the input
   * @returns them for a batch of inputs; the caller disposes
   */
  values(inputs: Tensor, mode: ForwardMode, names: readonly string[]): Tensor[] {
    const given = new Map<number, Tensor>([[0, inputs]]);
    this.weights.forEach(({ variable }, place) => {
      given.set(place + 1, variable);
    });
    return this.plan(inputs.shape, names).run(given, mode);
  }

  /** The plan for inputs of a shape: made once, with all arithmetic of shapes done. */
  plan(shape: readonly number[], names: readonly string[] = [this.#target]): Plan {
    const key = JSON.stringify([shape, names]);
    const plan = this.#plans.get(key) ?? this.trace(shape, names).plan;
    this.#plans.delete(key);
    this.#plans.set(key, plan); // the last that goes
    const [oldest] = this.#plans.keys();
    if (this.#plans.size > MOST_PLANS) {
      this.#plans.get(oldest!)!.dispose();
      this.#plans.delete(oldest!);
    }
    return plan;
  }

  /**
   * Turns the graph into steps for inputs of one shape.
   *
   * @param names  of the values to make; a batch norm whose own output is among them leaves the relu to itself
   * @throws UnsupportedModelError naming the node when the graph has one that is not read
   */
  trace(
    shape: readonly number[],
    names: readonly string[] = [this.#target],
  ): { plan: Plan; output: Slot; nodes: readonly NodeSummary[] } {
    const rectified = new Map([...this.#rectified].filter(([{ outputs }]) => !names.includes(outputs[0]!)));
    const relus = new Set(rectified.values());
    const lowering = new Lowering(this.weights.length + 1, new FoldBudget());
    const values = new Map<string, Value>(this.#constants);
    values.set(this.#graph.input.name, { type: 'slot', id: 0, shape, order: range(shape.length) });
    this.weights.forEach(({ name, shape, order }, place) => {
      values.set(name, { type: 'slot', id: place + 1, shape, order });
    });
    const nodes = this.#nodes.flatMap((node): NodeSummary[] => {
      const context = { opset: this.#graph.opset, lowering, isRectified: rectified.has(node) };
      const call = callOf(node, values, context);
      const results = relus.has(node) ? [valueAt(call, 0)] : applyOperator(call);
      node.outputs.forEach((name, place) => {
        if (name !== '' && results[place] !== undefined) values.set(name, results[place]);
      });
      const [result] = results;
      return result?.type === 'slot' ? [{ node, shape: result.shape }] : [];
    });
    const outputs = names.map((name) => {
      const value = values.get(name);
      if (value?.type === 'slot') return lowering.plain(value);
      throw new UnsupportedModelError(
        `model value "${name}": expected it to depend on the model's input, received a constant`,
      );
    });
    return { plan: new Plan(lowering, outputs), output: outputs[0]!, nodes };
  }

  /** The weights whose values are not those of the file any more, in the file's order. */
  changes(): Map<string, ChangedEntries> {
    return new Map(
      this.weights.map((weight) => [weight.name, { before: weight.original, after: fileOrder(weight) }]),
    );
  }

  dispose(): void {
    for (const plan of this.#plans.values()) plan.dispose();
    this.#plans.clear();
    for (const { variable } of this.weights) variable.dispose();
  }
}

function nodesTowards({ nodes, makers }: OnnxGraph, target: string): GraphNode[] {
  const needed = new Set<GraphNode>();
  const maker = makers.get(target);
  if (maker !== undefined) needed.add(maker);
  for (const node of needed) {
    for (const name of node.inputs) {
      const input = makers.get(name);
      if (input !== undefined) needed.add(input);
    }
  }
  return nodes.filter((node) => needed.has(node));
}

/** Batch norms whose output a relu reads and nothing else, with that relu. */
function rectifiedPairs(nodes: readonly GraphNode[], target: string): Map<GraphNode, GraphNode> {
  const readers = new Map<string, GraphNode[]>();
  for (const node of nodes) {
    for (const name of node.inputs) {
      const others = readers.get(name);
      if (others === undefined) readers.set(name, [node]);
      else others.push(node);
    }
  }
  const pairs = nodes.flatMap((node): [GraphNode, GraphNode][] => {
    const output = node.outputs[0]!;
    const [reader, ...others] = readers.get(output) ?? [];
    const isPair = node.op === 'BatchNormalization' && reader?.op === 'Relu';
    return isPair && others.length === 0 && output !== target ? [[node, reader]] : [];
  });
  return new Map(pairs);
}

function callOf(
  node: GraphNode,
  values: ReadonlyMap<string, Value>,
  context: Pick<Call, 'opset' | 'lowering' | 'isRectified'>,
): Call {
  const call: Call = { node, inputs: [], ...context };
  const inputs = node.inputs.map((name) => {
    const value = name === '' ? null : values.get(name);
    if (value !== undefined) return value;
    throw unsupported(
      call,
      `expected the first outputs of nodes, received "${name}", the mask or the like of one`,
    );
  });
  return { ...call, inputs };
}

export function finite(name: string, values: Float32Array): Float32Array {
  const place = values.findIndex((value) => !Number.isFinite(value));
  if (place < 0) return values;
  throw new NonFiniteError(`model weight "${name}": expected finite numbers, received ${values[place]}`, {
    weight: name,
  });
}

function makeWeight(spec: WeightSpec, original: Float32Array): Weight {
  const { shape, order, role } = spec;
  const variable = tf.tidy(() => {
    const tensor = tf.tensor(original, [...shape]);
    return tf.variable(isIdentity(order) ? tensor : tf.transpose(tensor, [...order]), role === 'weight');
  });
  return { ...spec, variable, original };
}

function fileOrder({ variable, order }: Weight): Float32Array {
  if (isIdentity(order)) return variable.dataSync() as Float32Array;
  const back = order.map((_, axis) => order.indexOf(axis));
  const turned = tf.transpose(variable, back); // in no tidy, which goes through every entry of what it returns
  const values = turned.dataSync() as Float32Array;
  turned.dispose();
  return values;
}
