import path from 'node:path';

/** File of a tfjs LayersModel; its weights lie beside it. */
export const MODEL_JSON = 'model.json';

/** Says how a model's inputs are made; lies beside its file. */
export const PREPROCESS_FILE = 'preprocess.json';

/** Endings of model files, in lower case. */
export const MODEL_ENDINGS = ['.h5', '.hdf5', '.json', '.keras', '.onnx'] as const;
export type ModelEnding = (typeof MODEL_ENDINGS)[number];

/** Endings of what `torch.save`, `pickle` and `joblib` write. */
export const PICKLE_ENDINGS = ['.ckpt', '.joblib', '.pickle', '.pkl', '.pt', '.pth'] as const;

/** The most that one read of a file gives, and that a protobuf message holds. */
export const MAX_MODEL_FILE_BYTES = 2 ** 31 - 1;

/** What is said of a pickle: it is a program, and reading one runs it. */
export const NO_PICKLE =
  'a pickle runs code when it is read, so none is; export the network to ONNX, in PyTorch by torch.onnx.export(model.eval(), (sample,), "model.onnx", input_names=["input"], dynamic_axes={"input": {0: "N"}})';

/** What a folder must have to be a model. */
export const ONE_MODEL = `a ${MODEL_JSON}, or one file that ends in .onnx, .keras or .h5`;

/** Ending of a path or key, if it is that of a model; null for any other. */
export function modelEnding(name: string): ModelEnding | null {
  const ending = path.posix.extname(name).toLowerCase();
  return MODEL_ENDINGS.find((known) => known === ending) ?? null;
}

export function isPickle(name: string): boolean {
  const ending = path.posix.extname(name).toLowerCase();
  return PICKLE_ENDINGS.some((known) => known === ending);
}

/**
 * Which of the files in a folder may be its model: `model.json` where there is one, else every file with the ending
 * of another format, else the first pickle, which nothing reads.
 *
 * @param names  of the files in the folder itself
 * @returns one name where the folder is a model
 */
export function modelCandidates(names: readonly string[]): readonly string[] {
  if (names.includes(MODEL_JSON)) return [MODEL_JSON];
  const models = names.filter((name) => ![null, '.json'].includes(modelEnding(name)));
  return models.length > 0 ? models : names.filter(isPickle).slice(0, 1);
}
