import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { InvalidInputError, StorageError } from '../../../errors.ts';
import type { Classifier, LoadOptions } from '../../classifier.ts';
import { MAX_MODEL_FILE_BYTES, modelEnding } from '../../model-file.ts';
import { classifierOf, withoutLeak } from '../layers-classifier.ts';
import { buildModel } from './build.ts';
import type { KerasGraph } from './config.ts';
import { parseKerasConfig } from './config.ts';
import type { Hdf5Dataset, Hdf5File } from './hdf5.ts';
import { readHdf5, writeHdf5 } from './hdf5.ts';
import type { StoredWeights } from './weights.ts';
import { changedBytes, weightsByClass, weightsByName } from './weights.ts';
import { openZip } from './zip.ts';

/** The configuration of the largest public networks has 2 MB. */
const MAX_CONFIG_BYTES = 2 ** 26;
const CONFIG = 'config.json';
const WEIGHTS = 'model.weights.h5';

/** A model of Keras, and how to write its file with other weights. */
export interface KerasModel {
  readonly model: LayersModel;
  /** For users, about how it was read. */
  readonly notes: readonly string[];
  /** The whole file with new values by name of the weight; every other byte stays. */
  withWeights(changed: ReadonlyMap<string, Float32Array>): Promise<Uint8Array>;
}

/** Where a file keeps what. */
interface Container {
  readonly config: unknown;
  readonly hdf5: Uint8Array;
  readonly assign: (graph: KerasGraph, file: Hdf5File) => StoredWeights;
  /** The file around other HDF5 bytes. */
  readonly wrap: (hdf5: Uint8Array) => Uint8Array;
}

/**
 * Loads a model that Keras saved: `.keras` of Keras 3, or `.h5`.
 *
 * @returns the classifier; the caller disposes it
 * @throws InvalidInputError when the file is damaged, or larger than it may be, or the positive class is not one of the
 *   head's
 * @throws UnsupportedModelError when a layer is not supported or no dense head is found
 * @throws NonFiniteError when a weight is NaN or infinite
 */
export async function loadKeras(file: string, options: LoadOptions = {}): Promise<Classifier> {
  const { model, notes, withWeights } = await readKerasModel(file);
  return classifierOf(
    {
      format: modelEnding(file) === '.keras' ? 'keras' : 'keras-h5',
      sources: [file],
      model,
      notes,
      save: async (folder, changed) => {
        await mkdir(folder, { recursive: true });
        await writeFile(path.join(folder, path.basename(file)), await withWeights(changed));
      },
    },
    options,
  );
}

/** The network alone, with its head or without one. */
export async function readKerasModel(file: string): Promise<KerasModel> {
  const where = `model file "${path.basename(file)}"`;
  const bytes = await readOrThrow(file, where);
  const isZip = modelEnding(file) === '.keras';
  const read = isZip ? null : await readHdf5(bytes, where);
  const container = isZip ? openKeras(bytes, where) : openH5(bytes, read!, where);
  const graph = parseKerasConfig(container.config, where);
  const hdf5 = read ?? (await readHdf5(container.hdf5, `${where}, ${WEIGHTS}`));
  const { model, stored } = await withoutLeak(() => buildModel(graph, container.assign(graph, hdf5)));
  return {
    model,
    notes: notesOn(model, [...stored.values()]),
    withWeights: async (changed) =>
      changed.size === 0
        ? bytes
        : container.wrap(await writeHdf5(container.hdf5, byPath(stored, changed), where)),
  };
}

function notesOn(model: LayersModel, stored: readonly Hdf5Dataset[]): string[] {
  const isAugmented = model.layers.some((layer) => layer.getClassName().startsWith('Random'));
  const isHalf = stored.some(({ dtype }) => dtype === 'float16');
  return [
    ...(isAugmented ? ['Random augmentation layers of the file pass images on as they are.'] : []),
    ...(isHalf
      ? [
          'The file holds weights of half precision: tuned ones are rounded when they are written, so scores move by about 0.001.',
        ]
      : []),
  ];
}

function byPath(
  stored: ReadonlyMap<string, Hdf5Dataset>,
  changed: ReadonlyMap<string, Float32Array>,
): Map<string, Uint8Array> {
  return new Map(
    [...changed].map(([name, values]) => {
      const dataset = stored.get(name)!;
      return [dataset.path, changedBytes(dataset, values)];
    }),
  );
}

function openKeras(bytes: Buffer, where: string): Container {
  const zip = openZip(bytes, where);
  const config = zip.read(CONFIG);
  if (config.length > MAX_CONFIG_BYTES) {
    throw new InvalidInputError(
      `${where}, ${CONFIG}: expected at most ${MAX_CONFIG_BYTES} bytes, received ${config.length}`,
    );
  }
  return {
    config: parseJson(config.toString('utf8'), `${where}, ${CONFIG}`),
    hdf5: zip.read(WEIGHTS),
    assign: weightsByClass,
    wrap: (hdf5) => zip.replace(WEIGHTS, hdf5),
  };
}

function openH5(bytes: Buffer, { attributes }: Hdf5File, where: string): Container {
  const config = attributes['/']?.model_config;
  if (typeof config !== 'string') {
    throw new InvalidInputError(
      `${where}: expected a model with its configuration, received weights alone; save it with model.save()`,
    );
  }
  return {
    config: parseJson(config, `${where}, model_config`),
    hdf5: bytes,
    assign: weightsByName,
    wrap: (hdf5) => hdf5,
  };
}

function parseJson(text: string, where: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new InvalidInputError(`${where}: expected JSON, received text that does not parse`, {}, { cause });
  }
}

async function readOrThrow(file: string, where: string): Promise<Buffer> {
  try {
    const { size } = await stat(file);
    if (size > MAX_MODEL_FILE_BYTES) {
      throw new InvalidInputError(
        `${where}: expected at most ${MAX_MODEL_FILE_BYTES} bytes, received ${size}`,
      );
    }
    return await readFile(file);
  } catch (cause) {
    if (cause instanceof InvalidInputError) throw cause;
    throw new StorageError(`${where}: cannot be read`, { file: path.basename(file) }, { cause });
  }
}
