import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel, layers } from '@tensorflow/tfjs-layers';
import { loadLayersModel, model as makeModel } from '@tensorflow/tfjs-layers';
import { NonFiniteError, ShapeMismatchError, UnsupportedModelError } from '../../errors.ts';
import type { Classifier, ForwardMode, LayerSummary, LoadOptions, Parameter } from '../classifier.ts';
import { weightsOf } from '../classifier.ts';
import { denseLogits } from '../dense-head.ts';
import type { Partition } from '../partition.ts';
import { partitionModel } from '../partition.ts';
import type { LayersModelFiles } from './tfjs-layers-files.ts';
import { readLayersModel, writeLayersModel } from './tfjs-layers-files.ts';

type Layer = layers.Layer;
type LayerWeight = Layer['weights'][number];

/**
 * Loads a tfjs LayersModel (Sequential or Functional) from disk, without tfjs-node.
 *
 * @param location  folder with a model.json, or the model.json itself
 * @returns the classifier; the caller disposes it
 * @throws UnsupportedModelError when a layer class is unknown or no binary dense head is found
 * @throws NonFiniteError when a weight is NaN or infinite
 */
export async function loadTfjsLayers(location: string, options: LoadOptions = {}): Promise<Classifier> {
  const files = await readLayersModel(location);
  const model = await restoreModel(files);
  try {
    return new TfjsLayersClassifier(files, model, partitionModel(model, options.head));
  } catch (error) {
    model.dispose();
    throw error;
  }
}

async function restoreModel({ json, weights }: LayersModelFiles): Promise<LayersModel> {
  if (json.format === 'graph-model') {
    throw new UnsupportedModelError(
      'model format: expected "layers-model", received "graph-model", which is frozen and cannot be tuned',
    );
  }
  const before = new Set(Object.keys(tf.engine().registeredVariables));
  tf.engine().startScope(); // what a load that fails has decoded goes with the scope; variables stay
  try {
    return await loadLayersModel(
      tf.io.fromMemory({
        modelTopology: json.modelTopology,
        weightSpecs: weights.map(({ spec }) => spec as tf.io.WeightsManifestEntry),
        // a copy: small buffers share a pool, whose memory starts with other bytes
        weightData: new Uint8Array(Buffer.concat(weights.map(({ bytes }) => bytes))).buffer,
      }),
    );
  } catch (cause) {
    for (const [name, variable] of Object.entries(tf.engine().registeredVariables)) {
      if (!before.has(name)) variable.dispose(); // of layers that were built before the one that failed
    }
    throw new UnsupportedModelError(whyUnsupported(cause), {}, { cause });
  } finally {
    tf.engine().endScope();
  }
}

function whyUnsupported(cause: unknown): string {
  const reason = cause instanceof Error ? cause.message.split('\n')[0]! : 'unknown reason';
  const unknown = /^Unknown layer: (\S+?)\.? /.exec(`${reason} `)?.[1];
  if (unknown !== undefined) return `model layer class "${unknown}": expected a class of tfjs-layers`;
  return `model topology and weights do not fit together: ${reason}`;
}

class TfjsLayersClassifier implements Classifier {
  readonly format = 'tfjs-layers';
  readonly sources: readonly string[];
  readonly inputShape: readonly number[];
  readonly mirrorAxes: readonly number[];
  readonly notes: readonly string[] = [];
  readonly layers: readonly LayerSummary[];
  readonly body: readonly Parameter[];
  readonly head: Classifier['head'];
  readonly statistics: readonly Parameter[];
  readonly output: 'logit' | 'score';
  readonly hasTrainingMode: boolean;
  readonly #files: LayersModelFiles;
  readonly #model: LayersModel;
  /** From input to features; null when the head reads the input itself. */
  readonly #extractor: LayersModel | null;
  /** Layers that draw noise in training mode. */
  readonly #randomLayers: readonly Layer[];
  readonly #original: ReadonlyMap<string, Float32Array>;

  constructor(files: LayersModelFiles, model: LayersModel, partition: Partition) {
    this.#files = files;
    this.sources = files.sources;
    this.#model = model;
    const bodyLayers = flatten(partition.body);
    this.#randomLayers = bodyLayers.filter(isRandomLayer);
    this.#extractor =
      partition.features === model.inputs[0]
        ? null
        : makeModel({ inputs: model.inputs, outputs: partition.features });
    this.inputShape = model.inputs[0]!.shape.slice(1) as number[];
    this.mirrorAxes = this.inputShape.length === 3 ? [2, 1] : [];
    this.output = partition.output;
    unfreeze(model);
    this.body = bodyLayers.flatMap((layer) => parametersOf(layer, layer.trainableWeights));
    this.statistics = bodyLayers.flatMap((layer) => parametersOf(layer, layer.nonTrainableWeights));
    const [kernel, bias] = parametersOf(partition.head, partition.head.weights);
    this.head = { name: partition.head.name, kernel: kernel!, bias: bias ?? null };
    this.hasTrainingMode = this.statistics.length > 0 || this.#randomLayers.length > 0;
    this.layers = model.layers.map((layer) => summarise(layer, partition));
    this.#original = this.#values();
    assertFinite(this.#original);
  }

  features(inputs: tf.Tensor, mode: ForwardMode): tf.Tensor2D {
    this.#assertShape(inputs);
    if (this.#extractor === null) return tf.clone(inputs) as tf.Tensor2D;
    if (mode.training) this.#seedDropout(mode.nextSeed);
    return this.#extractor.apply(inputs, { training: mode.training }) as tf.Tensor2D;
  }

  headLogits(features: tf.Tensor2D): tf.Tensor1D {
    return denseLogits(features, this.head);
  }

  logits(inputs: tf.Tensor, mode: ForwardMode): tf.Tensor1D {
    return tf.tidy(() => this.headLogits(this.features(inputs, mode)));
  }

  async save(folder: string): Promise<void> {
    const replaced = new Map(
      [...this.#values()].filter(([name, values]) => !sameBits(values, this.#original.get(name)!)),
    );
    await writeLayersModel(folder, this.#files, byFileName(this.#files, replaced));
  }

  dispose(): void {
    this.#model.dispose();
    // tfjs counts the uses of a nested model's layers and keeps them alive for the extractor
    for (const { variable } of this.#parameters()) {
      if (!variable.isDisposed) variable.dispose();
    }
  }

  #values(): Map<string, Float32Array> {
    return new Map(
      this.#parameters().map(({ name, variable }) => [name, variable.dataSync() as Float32Array]),
    );
  }

  #parameters(): Parameter[] {
    return [...weightsOf(this), ...this.statistics];
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

  #assertShape(inputs: tf.Tensor): void {
    const received = inputs.shape.slice(1);
    const fits =
      received.length === this.inputShape.length &&
      this.inputShape.every((extent, axis) => extent === null || extent === received[axis]);
    if (fits) return;
    throw new ShapeMismatchError(
      `model input: expected [batch, ${this.inputShape.join(', ')}], received [${inputs.shape.join(', ')}]`,
      { where: 'model input', expected: this.inputShape, received },
    );
  }
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

/** Files of TensorFlow 2 name a cell between layer and weight (`lstm/lstm_cell/kernel`); tfjs drops it. */
function byFileName(
  { weights }: LayersModelFiles,
  values: ReadonlyMap<string, Float32Array>,
): Map<string, Float32Array> {
  const entries = weights.flatMap(({ spec: { name } }) => {
    const parts = name.split('/');
    const found = values.get(name) ?? values.get([...parts.slice(0, -2), parts.at(-1)].join('/'));
    return found ? [[name, found] as const] : [];
  });
  return new Map(entries);
}
