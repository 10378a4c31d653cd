import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { InvalidInputError, StorageError, UnsupportedModelError } from '../errors.ts';
import type { Classifier, LoadOptions } from './classifier.ts';

type Load = (location: string, options?: LoadOptions) => Promise<Classifier>;

// each format is a chunk of its own, read when a model has it
const tfjsLayers = async () => (await import('./formats/tfjs-layers.ts')).loadTfjsLayers;
const keras = async () => (await import('./formats/keras/load.ts')).loadKeras;
const onnx = async () => (await import('./formats/onnx.ts')).loadOnnx;

/** Formats by the ending of their file. */
const BY_ENDING: Readonly<Record<string, () => Promise<Load>>> = {
  '.h5': keras,
  '.hdf5': keras,
  '.json': tfjsLayers,
  '.keras': keras,
  '.onnx': onnx,
};

/** A pickle is a program: reading one runs it. */
const PICKLES = new Set(['.pt', '.pth', '.pkl', '.pickle', '.ckpt']);

/**
 * Loads a classifier, whatever format it has.
 *
 * @param location  a model's file, or a folder that holds one
 * @returns the classifier; the caller disposes it
 * @throws InvalidInputError, UnsupportedModelError, StorageError or NonFiniteError when it is none that can be tuned
 */
export async function loadClassifier(location: string, options: LoadOptions = {}): Promise<Classifier> {
  const { file, ending } = await findModel(location);
  if (PICKLES.has(ending)) throw refusePickle(file);
  const format = BY_ENDING[ending];
  if (format !== undefined) return (await format())(file, options);
  throw new InvalidInputError(
    `model "${location}": expected a file that ends in .onnx, .keras or .h5, or a folder with the model.json of a tfjs LayersModel, received a file of type "${ending}"`,
    { path: location },
  );
}

interface Found {
  readonly file: string;
  readonly ending: string;
}

const endingOf = (name: string) => path.extname(name).toLowerCase();

/** The file itself, or what a folder is about: its model.json, else the only file of a known ending. */
async function findModel(location: string): Promise<Found> {
  const isFolder = await stat(location).then(
    (stats) => stats.isDirectory(),
    (cause) => {
      throw new StorageError(`model "${location}": no such file or folder`, { path: location }, { cause });
    },
  );
  if (!isFolder) return { file: location, ending: endingOf(location) };
  const names = await readdir(location);
  const others = names.filter((name) => {
    const ending = endingOf(name);
    return ending !== '.json' && (Object.hasOwn(BY_ENDING, ending) || PICKLES.has(ending));
  });
  const [other] = others;
  if (names.includes('model.json') || other === undefined || others.length > 1) {
    return { file: location, ending: '.json' };
  }
  return { file: path.join(location, other), ending: endingOf(other) };
}

function refusePickle(file: string): UnsupportedModelError {
  return new UnsupportedModelError(
    `model "${file}": a pickle runs code when it is read, so none is; export the network to ONNX, in PyTorch by torch.onnx.export(model.eval(), (sample,), "model.onnx", input_names=["input"], dynamic_axes={"input": {0: "N"}})`,
    { path: file },
  );
}
