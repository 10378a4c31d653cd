import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { InvalidInputError, StorageError, UnsupportedModelError } from '../errors.ts';
import type { Classifier, LoadOptions } from './classifier.ts';
import type { ModelEnding } from './model-file.ts';
import { isPickle, modelCandidates, modelEnding, NO_PICKLE, ONE_MODEL } from './model-file.ts';

type Load = (location: string, options?: LoadOptions) => Promise<Classifier>;

// each format is a chunk of its own, read when a model has it
const tfjsLayers = async () => (await import('./formats/tfjs-layers.ts')).loadTfjsLayers;
const keras = async () => (await import('./formats/keras/load.ts')).loadKeras;
const onnx = async () => (await import('./formats/onnx.ts')).loadOnnx;

const FORMATS = {
  '.h5': keras,
  '.hdf5': keras,
  '.json': tfjsLayers,
  '.keras': keras,
  '.onnx': onnx,
} satisfies Record<ModelEnding, () => Promise<Load>>;

/**
 * Loads a classifier, whatever format it has.
 *
 * @param location  a model's file, or a folder that holds one
 * @returns the classifier; the caller disposes it
 * @throws InvalidInputError, UnsupportedModelError, StorageError or NonFiniteError when it is none that can be tuned
 */
export async function loadClassifier(location: string, options: LoadOptions = {}): Promise<Classifier> {
  const file = await findModel(location);
  if (isPickle(file)) throw new UnsupportedModelError(`model "${file}": ${NO_PICKLE}`, { path: file });
  const ending = modelEnding(file);
  if (ending !== null) return (await FORMATS[ending]())(file, options);
  throw new InvalidInputError(
    `model "${location}": expected a file that ends in .onnx, .keras or .h5, or a folder with the model.json of a tfjs LayersModel, received a file of type "${path.extname(file).toLowerCase()}"`,
    { path: location },
  );
}

/** The file itself, or the one that a folder is about. */
async function findModel(location: string): Promise<string> {
  const isFolder = await stat(location).then(
    (stats) => stats.isDirectory(),
    (cause) => {
      throw new StorageError(`model "${location}": no such file or folder`, { path: location }, { cause });
    },
  );
  if (!isFolder) return location;
  const entries = await readdir(location, { withFileTypes: true });
  const names = entries.filter((entry) => !entry.isDirectory()).map(({ name }) => name);
  const candidates = modelCandidates(names);
  const [name] = candidates;
  if (name !== undefined && candidates.length === 1) return path.join(location, name);
  const received = name === undefined ? 'none' : `${candidates.length}: ${candidates.join(', ')}`;
  throw new InvalidInputError(`model "${location}": expected ${ONE_MODEL}, received ${received}`, {
    path: location,
    received: candidates,
  });
}
