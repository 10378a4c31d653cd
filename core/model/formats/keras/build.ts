import type { LayersModel, layers, Shape, SymbolicTensor } from '@tensorflow/tfjs-layers';
import { input, model } from '@tensorflow/tfjs-layers';
import { z } from 'zod';
import { parseWith } from '../../../data/parse.ts';
import { InvalidInputError, isCounterweightError, UnsupportedModelError } from '../../../errors.ts';
import { ownEntry } from '../../own-entry.ts';
import type { KerasGraph, KerasLayer, KerasNode, TensorRef } from './config.ts';
import type { Hdf5Dataset } from './hdf5.ts';
import { KERAS_LAYERS } from './layers/index.ts';
import { makeOperation } from './layers/operations.ts';
import type { StoredWeights } from './weights.ts';
import { toWrite, WeightQueue } from './weights.ts';

/** Most numbers that one sample may become on its way: a photograph of 4000 × 3000 pixels has 36 million. */
const MAX_ACTIVATIONS = 2 ** 28;

/** A model inside that is used twice, in a model that is used twice, and so on, soon has more uses than layers. */
const MAX_USES = 10_000;

export interface BuiltModel {
  readonly model: LayersModel;
  /** Where each weight lies in the file, by its name in the model. */
  readonly stored: ReadonlyMap<string, Hdf5Dataset>;
}

/**
 * Builds a model of tfjs-layers. Models inside become part of the outer one, so that a head is found wherever it is;
 * the names of their layers and weights begin with those of the models.
 *
 * @throws UnsupportedModelError when a layer is not supported, or its weights are not those of the file
 */
export function buildModel(graph: KerasGraph, weights: StoredWeights): BuiltModel {
  const builder = new ModelBuilder(weights);
  const inputs = graph.inputs.map(({ layer }) => builder.makeInput(graph, layer));
  const outputs = builder.apply(graph, inputs, { prefix: '', isInference: false });
  try {
    return { model: model({ inputs, outputs }), stored: builder.stored };
  } catch (cause) {
    throw new UnsupportedModelError(`model graph: ${messageOf(cause)}`, {}, { cause });
  }
}

interface Scope {
  /** Names of the models around, each with a slash. */
  readonly prefix: string;
  readonly isInference: boolean;
}

const inputSchema = z.looseObject({
  batch_shape: z.array(z.int().positive().nullable()).min(2).max(8),
});

class ModelBuilder {
  readonly stored = new Map<string, Hdf5Dataset>();
  readonly #weights: StoredWeights;
  /** A layer that is used more than once is made once. */
  readonly #made = new Map<KerasLayer, layers.Layer>();
  #uses = 0;

  constructor(weights: StoredWeights) {
    this.#weights = weights;
  }

  makeInput({ layers: all }: KerasGraph, name: string): SymbolicTensor {
    const layer = all.find((own) => own.name === name && own.kind === 'InputLayer');
    if (!layer)
      throw new InvalidInputError(`model input "${name}": expected a layer of that name, received none`);
    const { config } = layer;
    const shape = config.batch_shape ?? config.batch_input_shape;
    const { batch_shape: checked } = parseWith(inputSchema, { batch_shape: shape }, `model input "${name}"`);
    assertSize(name, checked);
    return input({ name, batchShape: [null, ...checked.slice(1)] });
  }

  /** What the graph makes of the given tensors; its layers are applied as soon as what they read is there. */
  apply(graph: KerasGraph, given: readonly SymbolicTensor[], scope: Scope): SymbolicTensor[] {
    const tensors = new Map<string, SymbolicTensor>();
    if (given.length !== graph.inputs.length)
      throw new InvalidInputError('model inside: expected other inputs');
    graph.inputs.forEach((ref, place) => void tensors.set(keyOf(ref), given[place]!));
    const isInput = new Set(graph.inputs.map(({ layer }) => layer));
    let waiting = graph.layers
      .filter(({ name }) => !isInput.has(name))
      .flatMap((layer) =>
        layer.nodes.map((node, place) => ({
          layer,
          node,
          key: keyOf({ layer: layer.name, node: place }),
          reads: refsOf(node).map(keyOf),
        })),
      );
    while (waiting.length > 0) {
      const left = waiting.filter(({ layer, node, key, reads }) => {
        const inputs = reads.map((read) => tensors.get(read));
        if (inputs.includes(undefined)) return true;
        tensors.set(key, this.#use(layer, node, { inputs: inputs as SymbolicTensor[], scope }));
        return false;
      });
      if (left.length === waiting.length) {
        const names = left.slice(0, 3).map(({ layer }) => `"${layer.name}"`);
        throw new InvalidInputError(
          `model layers ${names.join(', ')}: expected inputs from other layers, received a loop or layers that are not there`,
        );
      }
      waiting = left;
    }
    return graph.outputs.map((ref) => {
      const tensor = tensors.get(keyOf(ref));
      if (tensor) return tensor;
      throw new InvalidInputError(
        `model output "${ref.layer}": expected a layer of that name, received none`,
      );
    });
  }

  #use(
    layer: KerasLayer,
    node: KerasNode,
    { inputs, scope }: { inputs: SymbolicTensor[]; scope: Scope },
  ): SymbolicTensor {
    const isInference = scope.isInference || node.isInference;
    this.#uses += 1;
    if (this.#uses > MAX_USES) {
      throw new InvalidInputError(`model graph: expected at most ${MAX_USES} uses of layers, received more`);
    }
    if (layer.graph) {
      const inside = { prefix: `${scope.prefix}${layer.name}/`, isInference };
      return this.apply(layer.graph, inputs, inside)[0]!;
    }
    const made = this.#made.get(layer) ?? this.#make(layer, scope);
    this.#made.set(layer, made);
    if (isInference || isFrozen(layer)) inInference(made);
    try {
      const output = made.apply(inputs.length === 1 ? inputs[0]! : inputs) as SymbolicTensor;
      assertSize(layer.name, output.shape);
      this.#keep(layer, made);
      return output;
    } catch (cause) {
      if (isCounterweightError(cause)) throw cause;
      throw new UnsupportedModelError(
        `model layer "${layer.name}" (${layer.kind}): ${messageOf(cause)}`,
        { layer: layer.name },
        { cause },
      );
    }
  }

  #make(layer: KerasLayer, { prefix }: Scope): layers.Layer {
    const { kind, name, config, nodes } = layer;
    const make = layer.isOperation ? makeOperation : ownEntry(KERAS_LAYERS, kind);
    if (make === undefined) throw new UnsupportedModelError(whyUnknown(layer), { layer: name, kind });
    const weights = new WeightQueue(layer, this.#weights.get(layer) ?? []);
    const made = make({ kind, name: prefix + name, config, weights, operands: nodes[0]!.operands });
    weights.assertEmpty();
    return made;
  }

  #keep(layer: KerasLayer, { weights }: layers.Layer): void {
    const datasets = this.#weights.get(layer) ?? [];
    weights.forEach((weight, place) => void this.stored.set(weight.originalName, toWrite(datasets[place]!)));
  }
}

const keyOf = ({ layer, node }: TensorRef) => `${node} ${layer}`;

function refsOf({ operands }: KerasNode): TensorRef[] {
  return operands.filter((operand) => typeof operand !== 'number');
}

function whyUnknown({ kind, name }: KerasLayer): string {
  const what = /lambda/i.test(kind)
    ? 'holds Python code, which is not run; write it with layers, or export to ONNX'
    : 'is a class of layers that is not supported';
  return `model layer "${name}" (${kind}): ${what}`;
}

/** In Keras a frozen batch norm keeps its statistics, and normalises by them, in training too. */
function isFrozen({ kind, config }: KerasLayer): boolean {
  return kind === 'BatchNormalization' && config.trainable === false;
}

/** Looks its method up at each call: a backend may replace it for the class. */
function inInference(layer: layers.Layer): void {
  const { call } = Object.getPrototypeOf(layer) as layers.Layer;
  if (layer.call !== call) return;
  layer.call = function (this: layers.Layer, inputs, kwargs) {
    const own = Object.getPrototypeOf(layer) as layers.Layer;
    return own.call.call(this, inputs, { ...kwargs, training: false });
  };
}

function assertSize(name: string, shape: Shape): void {
  const size = shape.reduce<number>((product, extent) => product * (extent ?? 1), 1);
  if (size >= 0 && size <= MAX_ACTIVATIONS) return;
  throw new InvalidInputError(
    `model layer "${name}": expected at most ${MAX_ACTIVATIONS} numbers for a sample, received shape [${shape.join(', ')}]`,
  );
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message.split('\n')[0]!.slice(0, 300) : 'unknown reason';
}
