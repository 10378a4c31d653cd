import * as tf from '@tensorflow/tfjs-core';
import { initializers } from '@tensorflow/tfjs-layers';
import { ShapeMismatchError, UnsupportedModelError } from '../../../errors.ts';
import { floatOfHalf, halfOfFloat } from '../onnx/file/half.ts';
import type { KerasGraph, KerasLayer } from './config.ts';
import type { Hdf5Dataset, Hdf5File } from './hdf5.ts';

export type Initializer = ReturnType<typeof initializers.zeros>;

/** The datasets that hold the weights of each layer, in Keras's order: trained ones, then statistics. */
export type StoredWeights = ReadonlyMap<KerasLayer, readonly Hdf5Dataset[]>;

/** Weights of a `.keras` file: `layers/{class}_{count}/vars/{n}`, and likewise inside models. */
export function weightsByClass(graph: KerasGraph, { datasets }: Hdf5File): StoredWeights {
  const folders = new Map<string, Hdf5Dataset[]>();
  for (const dataset of datasets) {
    const folder = dataset.path.slice(0, dataset.path.lastIndexOf('/'));
    const others = folders.get(folder);
    if (others) others.push(dataset);
    else folders.set(folder, [dataset]);
  }
  const isOld = datasets.some(({ path }) => path.startsWith('/_layer_checkpoint_dependencies/'));
  const list = isOld ? '_layer_checkpoint_dependencies' : 'layers'; // the first in Keras 2.13
  const placed = placeLayers(graph, { folder: '', list });
  return new Map(placed.map(([layer, folder]) => [layer, inOrder(folders.get(`${folder}/vars`) ?? [])]));
}

interface Place {
  readonly folder: string;
  readonly list: string;
}

/** Folder of each layer that is no model. The input of a Sequential model is counted, which Keras does not do: no other class has its name. */
function placeLayers({ layers }: KerasGraph, { folder, list }: Place): [KerasLayer, string][] {
  const used = new Map<string, number>();
  return layers.flatMap((layer): [KerasLayer, string][] => {
    if (layer.isOperation) return [];
    const name = snakeCase(layer.kind === 'Model' ? 'Functional' : layer.kind);
    const count = used.get(name) ?? 0;
    used.set(name, count + 1);
    const own = `${folder}/${list}/${count === 0 ? name : `${name}_${count}`}`;
    return layer.graph ? placeLayers(layer.graph, { folder: own, list }) : [[layer, own]];
  });
}

function inOrder(datasets: readonly Hdf5Dataset[]): Hdf5Dataset[] {
  const place = ({ path }: Hdf5Dataset) => Number(path.slice(path.lastIndexOf('/') + 1));
  return datasets.toSorted((a, b) => place(a) - place(b));
}

/** As Keras makes the name of a variable out of a class: `GlobalMaxPooling2D` → `global_max_pooling2d`. */
function snakeCase(kind: string): string {
  return kind
    .replace(/\W+/g, '')
    .replace(/(.)([A-Z][a-z]+)/g, '$1_$2')
    .replace(/([a-z])([A-Z])/g, '$1_$2')
    .toLowerCase();
}

/** Weights of a `.h5` file: one group for each layer of the outer model, with the names of its weights in order. */
export function weightsByName(graph: KerasGraph, { attributes, datasets }: Hdf5File): StoredWeights {
  const byPath = new Map(datasets.map((dataset) => [dataset.path, dataset]));
  const found = new Map<KerasLayer, readonly Hdf5Dataset[]>();
  for (const layer of graph.layers) {
    const group = `/model_weights/${layer.name}`;
    const names = listAttribute(attributes[group] ?? {}, 'weight_names');
    const stored = names.flatMap((name) => byPath.get(`${group}/${name}`) ?? []);
    if (layer.graph === null) found.set(layer, stored);
    else for (const inner of leavesOf(layer.graph)) found.set(inner, stored.filter(belongsTo(inner.name)));
  }
  return found;
}

function leavesOf({ layers }: KerasGraph): KerasLayer[] {
  return layers.flatMap((layer) => (layer.graph ? leavesOf(layer.graph) : [layer]));
}

/** The name of a weight ends in layer and weight. */
function belongsTo(layer: string): (dataset: Hdf5Dataset) => boolean {
  return ({ path }) => path.split('/').at(-2) === layer;
}

/** Lists that do not fit into one attribute are cut: `weight_names0`, `weight_names1`, … */
function listAttribute(attributes: Readonly<Record<string, unknown>>, name: string): string[] {
  const parts: unknown[] = [attributes[name]];
  for (let part = 0; attributes[`${name}${part}`] !== undefined; part += 1)
    parts.push(attributes[`${name}${part}`]);
  return parts.flat().filter((entry) => typeof entry === 'string');
}

/** Hands out the stored weights of a layer one after the other, as the layer asks for them. */
export class WeightQueue {
  readonly #layer: KerasLayer;
  readonly #stored: readonly Hdf5Dataset[];
  #next = 0;

  constructor(layer: KerasLayer, stored: readonly Hdf5Dataset[]) {
    this.#layer = layer;
    this.#stored = stored;
  }

  /** Where the next weight starts: at its stored values. Nothing is allocated for a shape that the file lacks. */
  next(): Initializer {
    const dataset = this.#stored[this.#next];
    this.#next += 1;
    const { name, kind } = this.#layer;
    if (dataset === undefined) {
      throw new UnsupportedModelError(
        `model layer "${name}" (${kind}): expected ${this.#next} weights or more, received ${this.#stored.length}`,
        { layer: name },
      );
    }
    return initializerOf(dataset, `layer "${name}" (${kind})`);
  }

  /** @throws UnsupportedModelError when the file holds weights that the layer did not ask for, but for counters */
  assertEmpty(): void {
    if (this.#stored.slice(this.#next).every(({ dtype }) => dtype === null)) return;
    const { name, kind } = this.#layer;
    throw new UnsupportedModelError(
      `model layer "${name}" (${kind}): expected ${this.#next} weights, received ${this.#stored.length}`,
      { layer: name },
    );
  }
}

/** Lets go of the stored bytes once they are read: the layer keeps its initializer. */
function initializerOf(dataset: Hdf5Dataset, reader: string): Initializer {
  const { path, shape: stored } = dataset;
  let source: Hdf5Dataset | null = dataset;
  const apply = (shape: readonly (number | null)[]) => {
    if (stored.length !== shape.length || shape.some((extent, axis) => extent !== stored[axis])) {
      throw new ShapeMismatchError(
        `model weight "${path}": expected shape [${shape.join(', ')}] by the configuration of ${reader}, received [${stored.join(', ')}]`,
        { where: path, expected: shape, received: stored },
      );
    }
    const tensor = tf.tensor(valuesOf(source!), [...stored], 'float32');
    source = null;
    return tensor;
  };
  return Object.assign(initializers.zeros(), { apply });
}

/** @throws UnsupportedModelError when the weights are no floating-point numbers: they were quantised */
export function valuesOf({ path, dtype, bytes }: Hdf5Dataset): Float32Array {
  if (dtype === null || bytes === null) {
    throw new UnsupportedModelError(
      `model weight "${path}": expected floating-point numbers, received others`,
    );
  }
  if (dtype === 'float32') return new Float32Array(new Uint8Array(bytes).buffer); // a copy: aligned at 0
  const view = viewOf(bytes);
  const { width, read } = DTYPES[dtype];
  return Float32Array.from({ length: bytes.length / width }, (_, place) => read(view, place * width));
}

/** What is needed to write a weight: in single precision the new values alone, else the old bytes too. */
export function toWrite(dataset: Hdf5Dataset): Hdf5Dataset {
  return dataset.dtype === 'float32' ? { ...dataset, bytes: null } : dataset;
}

/** Bytes of the dataset with new values; one that did not change keeps its bits, which another dtype needs. */
export function changedBytes(dataset: Hdf5Dataset, after: Float32Array): Uint8Array {
  if (dataset.dtype === 'float32') return new Uint8Array(after.buffer, after.byteOffset, after.byteLength);
  const before = valuesOf(dataset);
  const { width, write } = DTYPES[dataset.dtype!];
  const bytes = Uint8Array.from(dataset.bytes!);
  const view = viewOf(bytes);
  after.forEach((value, place) => {
    if (!Object.is(value, before[place])) write(view, place * width, value);
  });
  return bytes;
}

const viewOf = ({ buffer, byteOffset, byteLength }: Uint8Array) =>
  new DataView(buffer, byteOffset, byteLength);

const DTYPES = {
  float16: {
    width: 2,
    read: (view: DataView, offset: number) => floatOfHalf(view.getUint16(offset, true)),
    write: (view: DataView, offset: number, value: number) =>
      view.setUint16(offset, halfOfFloat(value), true),
  },
  float64: {
    width: 8,
    read: (view: DataView, offset: number) => view.getFloat64(offset, true),
    write: (view: DataView, offset: number, value: number) => view.setFloat64(offset, value, true),
  },
};
