import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel, layers } from '@tensorflow/tfjs-layers';
import { model as makeModel } from '@tensorflow/tfjs-layers';
import { NonFiniteError, UnsupportedModelError } from '../../errors.ts';
import { openDenseHead } from '../class-head.ts';
import type {
  Classifier,
  ForwardMode,
  LayerOutput,
  LayerSummary,
  LoadOptions,
  Normalization,
  Parameter,
} from '../classifier.ts';
import { assertActivations, assertInputShape, INFERENCE, inputNameOf, uniqueNames } from '../classifier.ts';
import type { Partition } from '../partition.ts';
import { partitionModel } from '../partition.ts';
import type { Head } from '../unit-head.ts';
import { notesOnUnits } from '../units.ts';
import { recordLayerCalls } from './layer-calls.ts';

type Layer = layers.Layer;
type LayerWeight = Layer['weights'][number];

/** A model of tfjs-layers, and what is particular to the format that it was read from. */
export interface LayersModelSource {
  readonly format: string;
  /** Files that it was read from. */
  readonly sources: readonly string[];
  readonly model: LayersModel;
  readonly notes?: readonly string[];
  /** Writes the model into a folder, with new values for the parameters whose bits have changed. */
  readonly save: (folder: string, changed: ReadonlyMap<string, Float32Array>) => Promise<void>;
}

/**
 * The classifier of a model of tfjs-layers, whatever file it came from. It owns the model, which is disposed when it
 * is refused.
 */
export function classifierOf(source: LayersModelSource, options: LoadOptions): Classifier {
  try {
    return new LayersClassifier(source, partitionModel(source.model, options));
  } catch (error) {
    source.model.dispose();
    throw error;
  }
}

/** What a build that fails has made goes with it: tensors with the scope, variables of layers that came before. */
export async function withoutLeak<Result>(build: () => Promise<Result> | Result): Promise<Result> {
  const before = new Set(Object.keys(tf.engine().registeredVariables));
  tf.engine().startScope();
  try {
    return await build();
  } catch (error) {
    for (const [name, variable] of Object.entries(tf.engine().registeredVariables)) {
      if (!before.has(name)) variable.dispose();
    }
    throw error;
  } finally {
    tf.engine().endScope(); // variables stay
  }
}

class LayersClassifier implements Classifier {
  readonly format: string;
  readonly sources: readonly string[];
  readonly inputShape: readonly number[];
  readonly mirrorAxes: readonly number[];
  readonly notes: readonly string[];
  readonly layers: readonly LayerSummary[];
  readonly body: readonly Parameter[];
  readonly head: Classifier['head'];
  readonly statistics: readonly Parameter[];
  readonly normalizations: Classifier['normalizations'];
  readonly bodyOutputs: Classifier['bodyOutputs'];
  readonly output: 'logit' | 'score';
  readonly hasTrainingMode: boolean;
  readonly #save: LayersModelSource['save'];
  readonly #model: LayersModel;
  readonly #head: Head;
  /** From input to features; null when the head reads the input itself. */
  readonly #extractor: LayersModel | null;
  /** Layers of the body by name, in forward order. */
  readonly #bodyLayers: ReadonlyMap<string, Layer>;
  /** Layers that draw noise in training mode. */
  readonly #randomLayers: readonly Layer[];
  readonly #original: ReadonlyMap<string, Float32Array>;

  constructor({ format, sources, model, notes = [], save }: LayersModelSource, partition: Partition) {
    this.format = format;
    this.sources = sources;
    this.notes = [...notesOnUnits(partition.units), ...notes];
    this.#save = save;
    this.#model = model;
    const bodyLayers = flatten(partition.body);
    this.#randomLayers = bodyLayers.filter(isRandomLayer);
    this.#extractor =
      partition.features === model.inputs[0]
        ? null
        : makeModel({ inputs: model.inputs, outputs: partition.features });
    this.inputShape = model.inputs[0]!.shape.slice(1) as number[];
    this.mirrorAxes = this.inputShape.length === 3 ? [2, 1] : [];
    this.output = partition.units.output;
    unfreeze(model);
    this.body = bodyLayers.flatMap((layer) => parametersOf(layer, layer.trainableWeights));
    this.statistics = bodyLayers.flatMap((layer) => parametersOf(layer, layer.nonTrainableWeights));
    const named = bodyLayers.filter((layer) => layer.getClassName() !== 'InputLayer');
    const names = uniqueNames(named.map(({ name }) => name));
    this.#bodyLayers = new Map(named.map((layer, place) => [names[place]!, layer]));
    this.bodyOutputs = [...this.#bodyLayers].map(([name, layer]) => outputOf(name, layer));
    this.normalizations = [...this.#bodyLayers].flatMap(([name, layer]) =>
      normalizationOf(name, layer, this.statistics),
    );
    this.#head = openHead(partition);
    this.head = this.#head.parameters;
    this.hasTrainingMode = this.statistics.length > 0 || this.#randomLayers.length > 0;
    this.layers = model.layers.map((layer) => summarise(layer, partition));
    this.#original = this.#values();
    try {
      assertFinite(this.#original);
    } catch (error) {
      this.#head.dispose();
      throw error;
    }
  }

  features(inputs: tf.Tensor, mode: ForwardMode): tf.Tensor2D {
    assertInputShape(this, inputs);
    if (this.#extractor === null) return tf.clone(inputs) as tf.Tensor2D;
    if (mode.training) this.#seedDropout(mode.nextSeed);
    return this.#extractor.apply(inputs, { training: mode.training }) as tf.Tensor2D;
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
    const run = () => this.features(inputs, INFERENCE).dispose();
    return recordLayerCalls({ layers: this.#bodyLayers, names, run });
  }

  async save(folder: string): Promise<void> {
    const changed = new Map(
      [...this.#values()].filter(([name, values]) => !sameBits(values, this.#original.get(name)!)),
    );
    await this.#save(folder, changed);
  }

  dispose(): void {
    this.#model.dispose();
    // tfjs counts the uses of a nested model's layers and keeps them alive for the extractor
    for (const { variable } of [...this.body, ...this.statistics]) {
      if (!variable.isDisposed) variable.dispose();
    }
    this.#head.dispose();
  }

  /** Of the file's tensors, by name. */
  #values(): Map<string, Float32Array> {
    const others = [...this.body, ...this.statistics].map(
      ({ name, variable }) => [name, variable.dataSync() as Float32Array] as const,
    );
    const ofHead = [...this.#head.changes()].map(([name, { after }]) => [name, after] as const);
    return new Map([...ofHead, ...others]);
  }

  /** tfjs draws dropout from Math.random unless the layer has a seed, so each forward pass gets its own. */
  #seedDropout(nextSeed: () => number): void {
    for (const layer of this.#randomLayers) {
      if (!('seed' in layer)) {
        throw new UnsupportedModelError(
          `layer "${layer.name}" (${layer.getClassName()}): its noise cannot be seeded, so training mode would not be reproducible; use the preset "robust"`,
          { layer: layer.name },
        );
      }
      layer.seed = nextSeed();
    }
  }
}

function openHead({ head, units }: Partition): Head {
  const [kernel, bias] = head.weights.map((weight) => ({
    name: weight.originalName,
    entries: (weight.read().dataSync() as Float32Array).slice(),
  }));
  return openDenseHead({
    name: head.name,
    units,
    width: kernel!.entries.length / units.count,
    kernel: { ...kernel!, isTransposed: false },
    bias: bias ?? null,
  });
}

/** Layers of nested models in place of the models. */
function flatten(all: readonly Layer[]): Layer[] {
  return all.flatMap((layer) => ('layers' in layer ? flatten(layer.layers as Layer[]) : [layer]));
}

/** A frozen layer is frozen for its first training; here every body weight is a candidate for the mask. */
function unfreeze(model: LayersModel): void {
  for (const layer of flatten(model.layers)) layer.trainable = true;
}

const RANDOM_LAYERS = new Set([
  'Dropout',
  'SpatialDropout1D',
  'AlphaDropout',
  'GaussianDropout',
  'GaussianNoise',
]);

/** Dropout and noise layers, and recurrent layers with dropout inside. */
function isRandomLayer(layer: Layer): boolean {
  const { dropout, recurrentDropout } = layer.getConfig() as { dropout?: number; recurrentDropout?: number };
  return RANDOM_LAYERS.has(layer.getClassName()) || Boolean(dropout) || Boolean(recurrentDropout);
}

function parametersOf(layer: Layer, weights: readonly LayerWeight[]): Parameter[] {
  return weights.map((weight) => ({
    name: weight.originalName,
    layer: layer.name,
    shape: weight.shape as number[],
    variable: weight.read() as tf.Variable,
  }));
}

/** tfjs-layers has channels last unless a layer says otherwise. */
function outputOf(name: string, layer: Layer): LayerOutput {
  const shape = layer.outputShape as (number | null)[];
  const { dataFormat } = layer.getConfig() as { dataFormat?: string };
  const isFirst = dataFormat === 'channelsFirst' && shape.length > 2;
  return { name, kind: layer.getClassName(), shape, channelAxis: isFirst ? 1 : shape.length - 1 };
}

function normalizationOf(name: string, layer: Layer, statistics: readonly Parameter[]): Normalization[] {
  if (layer.getClassName() !== 'BatchNormalization') return [];
  const [mean, variance] = layer.nonTrainableWeights.map(({ originalName }) =>
    statistics.find((parameter) => parameter.name === originalName),
  );
  const { axis, epsilon } = layer.getConfig() as { axis: number; epsilon: number };
  const rank = layer.outputShape.length;
  const channelAxis = axis < 0 ? rank + axis : axis;
  return [{ layer: name, input: inputNameOf(name), channelAxis, mean: mean!, variance: variance!, epsilon }];
}

function summarise(layer: Layer, { head, afterHead }: Partition): LayerSummary {
  const part = layer === head ? 'head' : afterHead.includes(layer) ? 'after-head' : 'body';
  return {
    name: layer.name,
    kind: layer.getClassName(),
    outputShape: layer.outputShape as (number | null)[],
    parameters: layer.countParams(),
    part,
  };
}

function assertFinite(values: ReadonlyMap<string, Float32Array>): void {
  for (const [name, entries] of values) {
    const place = entries.findIndex((entry) => !Number.isFinite(entry));
    if (place < 0) continue;
    throw new NonFiniteError(`model weight "${name}": expected finite numbers, received ${entries[place]}`, {
      weight: name,
    });
  }
}

function sameBits(a: Float32Array, b: Float32Array): boolean {
  return Buffer.from(a.buffer, a.byteOffset, a.byteLength).equals(
    Buffer.from(b.buffer, b.byteOffset, b.byteLength),
  );
}
