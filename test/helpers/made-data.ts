import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { layers, sequential } from '@tensorflow/tfjs-layers';
import type { InputSource, Samples } from '../../core/data/types.ts';
import type { Classifier, Parameter } from '../../core/model/classifier.ts';
import type { TrainingSet } from '../../worker/training/batch.ts';
import { noise } from './tensors.ts';

const SIDE = 16;
/** Side of the patch in the corner that is the artefact. */
const PATCH = 6;

/** Inputs held in memory, `values` row by row. */
export function memoryInputs(values: Float32Array, sampleShape: readonly number[]): InputSource {
  const length = sampleShape.reduce((product, extent) => product * extent, 1);
  return {
    size: values.length / length,
    sampleShape,
    batch: async (rows) => {
      const picked = new Float32Array(rows.length * length);
      Array.from(rows).forEach((row, place) => {
        picked.set(values.subarray(row * length, (row + 1) * length), place * length);
      });
      return tf.tensor(picked, [rows.length, ...sampleShape]);
    },
    verify: async () => {},
  };
}

export interface MadeSetOptions {
  readonly labels: readonly number[];
  readonly groups: readonly number[];
  readonly groupNames?: readonly string[];
  /** Noise of `sampleShape` (default [3]) when absent. */
  readonly inputs?: InputSource;
  readonly sampleShape?: readonly number[];
  readonly rows?: readonly number[];
}

/** A training set over all rows, unless told which. */
export function makeSet(options: MadeSetOptions): TrainingSet {
  const { labels, groups, groupNames = ['a', 'b'], sampleShape = [3] } = options;
  const length = sampleShape.reduce((product, extent) => product * extent, labels.length);
  return {
    inputs: options.inputs ?? memoryInputs(noise(length, 7), sampleShape),
    rows: options.rows ?? labels.map((_, row) => row),
    labels: Int32Array.from(labels),
    groups: Int32Array.from(groups),
    groupNames,
  };
}

export interface MadeData {
  readonly samples: Samples;
  readonly inputs: InputSource;
}

export interface MadeDataOptions {
  readonly size?: number;
  readonly seed?: number;
  /** Chance of the artefact in group "a" and in group "b", for rows outside the split "test" and in it. */
  readonly artefact?: readonly [number, number];
  readonly artefactInTest?: readonly [number, number];
  /** Every third four rows are then in the split "test", the others in "external". */
  readonly hasTest?: boolean;
}

/** Group and label take turns, so that all four cells are of one size. */
function makeRows(options: MadeDataOptions) {
  const { size = 160, seed = 1, artefact = [0.1, 0.9], artefactInTest = artefact, hasTest = false } = options;
  const rows = Array.from({ length: size }, (_, row) => row);
  const labels = Int32Array.from(rows, (row) => (row >> 1) % 2);
  const groups = Int32Array.from(rows, (row) => row % 2);
  const splits = rows.map((row) => (hasTest && (row >> 2) % 3 === 2 ? 'test' : 'external'));
  const spread = noise(size, seed);
  const chance = noise(size, seed + 1000);
  const samples: Samples = {
    size,
    labels,
    sensitiveFeatures: [{ name: 'site', groupNames: ['a', 'b'], groups }],
    ...(hasTest && { splits }),
  };
  const about = rows.map((row) => ({
    row,
    /** Tells the label apart, imperfectly. */
    sign: 0.2 * labels[row]! + 0.13 * spread[row]!,
    hasArtefact:
      (chance[row]! + 1) / 2 < (splits[row] === 'test' ? artefactInTest : artefact)[groups[row]! as 0 | 1],
  }));
  return { samples, about };
}

/** Images of 16 × 16 × 3: the level of red is the sign, a blue patch in the corner the artefact of group "b". */
export function makeImages(options: MadeDataOptions = {}): MadeData {
  const { samples, about } = makeRows(options);
  const values = noise(samples.size * SIDE * SIDE * 3, 2000).map((value) => 0.05 * (value + 1));
  for (const { row, sign, hasArtefact } of about) paint(values, row, { redLevel: 0.4 + sign, hasArtefact });
  return { samples, inputs: memoryInputs(values, [SIDE, SIDE, 3]) };
}

/** Rows of three numbers: the sign, the artefact (0 or 1), and noise. */
export function makeTable(options: MadeDataOptions = {}): MadeData {
  const { samples, about } = makeRows(options);
  const fog = noise(samples.size, 3000);
  const values = about.flatMap(({ row, sign, hasArtefact }) => [
    5 * (sign - 0.1),
    hasArtefact ? 1 : 0,
    fog[row]!,
  ]);
  return { samples, inputs: memoryInputs(Float32Array.from(values), [3]) };
}

function paint(values: Float32Array, row: number, about: { redLevel: number; hasArtefact: boolean }): void {
  for (let place = 0; place < SIDE * SIDE; place += 1) {
    const offset = (row * SIDE * SIDE + place) * 3;
    values[offset]! += about.redLevel;
    const isInPatch = place % SIDE < PATCH && place < PATCH * SIDE;
    if (about.hasArtefact && isInPatch) values[offset + 2]! += 1;
  }
}

/**
 * A classifier of made images that reads the artefact: filter 0 sees red, filter 1 blue, the other two are
 * noise, and the head adds red and blue up.
 */
export async function writePlantedClassifier(folder: string): Promise<string> {
  const model = sequential({
    layers: [
      layers.conv2d({
        name: 'conv',
        filters: 4,
        kernelSize: 3,
        inputShape: [SIDE, SIDE, 3],
        activation: 'relu',
      }),
      layers.globalAveragePooling2d({ name: 'pool' }),
      layers.dense({ name: 'head', units: 1 }),
    ],
  });
  const kernel = noise(3 * 3 * 3 * 4, 3).map((value) => 0.1 * value); // [3, 3, 3, 4]
  const centre = 4 * 3 * 4;
  for (const [channel, filter] of [
    [0, 0],
    [2, 1],
  ] as const) {
    for (let tap = filter; tap < kernel.length; tap += 4) kernel[tap] = 0;
    kernel[centre + channel * 4 + filter] = 1;
  }
  const artefactMean = (PATCH / SIDE) ** 2;
  tf.tidy(() => {
    model.setWeights([
      tf.tensor(kernel, [3, 3, 3, 4]),
      tf.tensor1d([0, 0, 0.05, 0.05]),
      tf.tensor2d([20, 30, 0.5, 0.5], [4, 1]),
      tf.tensor1d([-20 * 0.55 - 30 * (artefactMean / 2 + 0.05)]),
    ]);
  });
  await writeModel(folder, model);
  model.dispose();
  return folder;
}

export interface TableClassifierOptions {
  readonly useBias?: boolean;
  /** One hidden unit: no head can then undo what the body mixes. */
  readonly isNarrow?: boolean;
}

/** A classifier of made tables that reads the artefact as much as the sign. */
export async function writeTableClassifier(
  folder: string,
  { useBias = true, isNarrow = false }: TableClassifierOptions = {},
): Promise<string> {
  const units = isNarrow ? 1 : 4;
  const model = sequential({
    layers: [
      layers.dense({ name: 'hidden', units, inputShape: [3], activation: isNarrow ? 'linear' : 'tanh' }),
      layers.dense({ name: 'head', units: 1, useBias }),
    ],
  });
  tf.tidy(() => {
    const wide = [1, 0, 0.3, 0.1, 0, 1, -0.2, 0.3, 0.1, 0.1, 0.5, -0.6];
    model.setWeights([
      tf.tensor2d(isNarrow ? [1, 1, 0.05] : wide, [3, units]),
      tf.tensor1d(isNarrow ? [-0.5] : [0.1, 0, -0.1, 0.2]),
      tf.tensor2d(isNarrow ? [4] : [4, 5, 0.2, 0.1], [units, 1]),
      ...(useBias ? [tf.tensor1d([isNarrow ? 0.1 : -2])] : []),
    ]);
  });
  await writeModel(folder, model);
  model.dispose();
  return folder;
}

/** Gives every weight of a model repeatable values of a usual size, so that no layer is dead or saturated. */
export function fillWeights(model: LayersModel, seed = 1): LayersModel {
  tf.tidy(() => {
    const filled = model.weights.map(({ originalName, shape }, place) => {
      const extents = shape as number[];
      const size = extents.reduce((product, extent) => product * extent, 1);
      const fanIn = size / extents.at(-1)!;
      return tf.tensor(
        noise(size, seed * 100 + place).map((value) => weightFrom(originalName, value, fanIn)),
        extents,
      );
    });
    model.setWeights(filled);
  });
  return model;
}

function weightFrom(name: string, value: number, fanIn: number): number {
  if (/moving_variance$|gamma$/.test(name)) return 1 + 0.5 * value;
  return value * (/kernel$/.test(name) ? Math.sqrt(3 / fanIn) : 0.3);
}

/** What a saved model may have besides one float32 shard. */
export interface WriteOptions {
  readonly shards?: readonly string[];
}

/** Writes model.json and its shards, weights as float32, the bytes divided evenly among the shards. */
export async function writeModel(
  folder: string,
  model: LayersModel,
  { shards = ['weights.bin'] }: WriteOptions = {},
): Promise<string> {
  await mkdir(folder, { recursive: true });
  await model.save(
    tf.io.withSaveHandler(async ({ modelTopology, weightSpecs, weightData }) => {
      const json = {
        format: 'layers-model',
        generatedBy: 'made-data',
        convertedBy: null,
        modelTopology,
        weightsManifest: [{ paths: shards, weights: weightSpecs }],
      };
      const bytes = new Uint8Array(tf.io.CompositeArrayBuffer.join(weightData));
      const shardBytes = Math.ceil(bytes.length / shards.length);
      for (const [place, shard] of shards.entries()) {
        await mkdir(path.dirname(path.join(folder, shard)), { recursive: true });
        await writeFile(
          path.join(folder, shard),
          bytes.subarray(place * shardBytes, (place + 1) * shardBytes),
        );
      }
      await writeFile(path.join(folder, 'model.json'), JSON.stringify(json));
      return { modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: 'JSON' } };
    }),
  );
  return folder;
}

/** Fills, writes and disposes a model. */
export async function writeFilled(folder: string, model: LayersModel, seed = 1): Promise<string> {
  await writeModel(folder, fillWeights(model, seed));
  model.dispose();
  return folder;
}

/** Weights of body and head, then running statistics. */
export function allParameters({ body, head, statistics }: Classifier): Parameter[] {
  return [...body, head.kernel, ...(head.bias ? [head.bias] : []), ...statistics];
}

/** The bits of every weight and running statistic by name; -0 and 0 differ in them. */
export function bitsOf(model: Classifier): Record<string, number[]> {
  return Object.fromEntries(
    allParameters(model).map(({ name, variable }) => [
      name,
      Array.from(new Uint32Array(Float32Array.from(variable.dataSync()).buffer)),
    ]),
  );
}

/** Value and gradient of a scalar function of a vector; everything it made is disposed. */
export function valueAndGradient(
  compute: (at: tf.Tensor1D) => tf.Scalar,
  at: readonly number[],
): { value: number; gradient: number[] } {
  return tf.tidy(() => {
    const { value, grad } = tf.valueAndGrad(compute as (x: tf.Tensor) => tf.Tensor)(tf.tensor1d([...at]));
    return { value: value.dataSync()[0]!, gradient: Array.from(grad.dataSync()) };
  });
}

/** Central differences of a float64 function, one entry of `at` after the other. */
export function centralDifferences(
  value: (at: readonly number[]) => number,
  at: readonly number[],
): number[] {
  const step = 1e-5;
  const moved = (place: number, by: number) =>
    at.map((entry, other) => (other === place ? entry + by : entry));
  return at.map((_, place) => (value(moved(place, step)) - value(moved(place, -step))) / (2 * step));
}

type Quantization = 'uint8' | 'uint16' | 'float16';

interface StoredWeight {
  readonly name: string;
  readonly shape: readonly number[];
  readonly dtype: string;
}

/** Rewrites a saved float32 model of one shard with every weight quantised, as tfjs's converter has it. */
export async function quantizeWeights(folder: string, dtype: Quantization): Promise<void> {
  const file = path.join(folder, 'model.json');
  const json = JSON.parse(await readFile(file, 'utf8'));
  const bytes = new Uint8Array(await readFile(path.join(folder, 'weights.bin')));
  const values = new Float32Array(bytes.buffer);
  let offset = 0;
  const blocks: Uint8Array[] = [];
  const weights = (json.weightsManifest[0].weights as StoredWeight[]).map((spec) => {
    const size = spec.shape.reduce((product, extent) => product * extent, 1);
    const { block, quantization } = quantize(values.subarray(offset, offset + size), dtype);
    offset += size;
    blocks.push(block);
    return { ...spec, quantization };
  });
  await writeFile(path.join(folder, 'weights.bin'), Buffer.concat(blocks));
  json.weightsManifest[0].weights = weights;
  await writeFile(file, JSON.stringify(json));
}

function quantize(values: Float32Array, dtype: Quantization) {
  if (dtype === 'float16') {
    return { block: new Uint8Array(Uint16Array.from(values, toHalf).buffer), quantization: { dtype } };
  }
  const [min, levels] = [Math.min(...values), dtype === 'uint8' ? 255 : 65535];
  const scale = (Math.max(...values) - min) / levels || 1;
  const steps = Array.from(values, (value) => Math.round((value - min) / scale));
  const block = dtype === 'uint8' ? Uint8Array.from(steps) : new Uint8Array(Uint16Array.from(steps).buffer);
  return { block, quantization: { dtype, min, scale, original_dtype: 'float32' } };
}

/** The bits of a half, rounded towards 0; values below 2⁻¹⁴ become 0. */
function toHalf(value: number): number {
  const bits = new Uint32Array(Float32Array.of(value).buffer)[0]!;
  const exponent = ((bits >>> 23) & 0xff) - 127 + 15;
  const sign = (bits >>> 16) & 0x8000;
  return exponent <= 0 ? sign : sign | (exponent << 10) | ((bits >>> 13) & 0x3ff);
}
