import { existsSync, statSync } from 'node:fs';
import path from 'node:path';
import type { Columns } from '../core/data/columns.ts';
import { type ImageInputOptions, openImageInputs, openTableInputs } from '../core/data/inputs.ts';
import { loadManifest } from '../core/data/manifest.ts';
import type { InputSpec, Preprocess } from '../core/data/preprocess.ts';
import { completePreprocess, isPreset, loadPreprocess, resolvePreprocess } from '../core/data/preprocess.ts';
import type { InputSource, Manifest } from '../core/data/types.ts';
import { InvalidInputError, UnsupportedModelError } from '../core/errors.ts';
import type { Classifier } from '../core/model/classifier.ts';
import { loadClassifier } from '../core/model/load-classifier.ts';
import { PREPROCESS_FILE } from '../core/model/model-file.ts';

/** Where a model and its data lie on this machine, and how they are read. */
export interface DataSource {
  /** A model file, or the folder with it. */
  readonly model: string;
  readonly head?: string | undefined;
  readonly positiveClass?: number | undefined;
  readonly manifest: string;
  /** Folder that image paths start from; the manifest's own when absent. */
  readonly root?: string;
  readonly columns: Columns;
  /** Preset name or path of a file, or what such a file holds; absent: preprocess.json beside the model. */
  readonly preprocess?: string | Preprocess;
}

/** A model with the data that it reads. */
export interface ModelAndData {
  readonly model: Classifier;
  readonly spec: InputSpec;
  readonly manifest: Manifest;
  readonly inputs: InputSource;
  /** As the user gave it, with the size that the model takes. */
  readonly preprocess: Preprocess;
  /** Preprocess file that was read; null for a preset or one that came inline. */
  readonly preprocessFile: string | null;
}

/** Loads model, preprocess and manifest and checks that they fit together. The caller disposes the model. */
export async function loadModelAndData(
  source: DataSource,
  signal: AbortSignal,
  onImage?: ImageInputOptions['onImage'],
): Promise<ModelAndData> {
  const { preprocess, preprocessFile } = await choosePreprocess(source);
  const model = await loadClassifier(source.model, { ...source, classes: source.columns.classes });
  try {
    const spec = resolvePreprocess(preprocess, model.inputShape);
    assertOutput(model, spec);
    const table = await loadTable(source, spec, { signal, onImage });
    return {
      model,
      spec,
      ...table,
      preprocess: completePreprocess(preprocess, spec),
      preprocessFile,
    };
  } catch (error) {
    model.dispose();
    throw error;
  }
}

/** A manifest with what the model reads. */
async function loadTable(
  { manifest: path, columns, root }: Pick<DataSource, 'manifest' | 'columns' | 'root'>,
  spec: InputSpec,
  options: Pick<ImageInputOptions, 'signal' | 'onImage'>,
): Promise<Pick<ModelAndData, 'manifest' | 'inputs'>> {
  const manifest = await loadManifest(path, columns, {
    ...(spec.kind === 'table' && { features: spec.features }),
    ...(root !== undefined && { root }),
  });
  const inputs =
    spec.kind === 'image' ? openImageInputs(manifest, spec, options) : openTableInputs(manifest, spec);
  return { manifest, inputs };
}

async function choosePreprocess({ model, preprocess }: DataSource) {
  if (typeof preprocess === 'object') return { preprocess, preprocessFile: null };
  const chosen = preprocess ?? besideModel(model);
  if (chosen === null) {
    throw new InvalidInputError(
      'preprocess: expected imagenet, unit, none or a file, received nothing; the model has no preprocess.json, and a guess would change every score',
    );
  }
  return { preprocess: await loadPreprocess(chosen), preprocessFile: isPreset(chosen) ? null : chosen };
}

/** `preprocess.json` in the model's folder, if there is one. */
export function besideModel(modelPath: string): string | null {
  const isFolder = statSync(modelPath, { throwIfNoEntry: false })?.isDirectory() ?? false;
  const folder = isFolder ? modelPath : path.dirname(modelPath);
  const file = path.join(folder, PREPROCESS_FILE);
  return existsSync(file) ? file : null;
}

function assertOutput(model: Classifier, { output }: InputSpec): void {
  if (output === undefined || output === model.output) return;
  throw new UnsupportedModelError(
    `model output: expected a ${output}, as the preprocess file says, received a ${model.output} (${model.output === 'logit' ? 'no sigmoid' : 'a sigmoid'} at its end)`,
    { expected: output, received: model.output },
  );
}

/** A table beside the manifest, with the same columns but for the split's: all of its rows are meant. */
export function loadSecondTable(
  { columns: { split: _, ...columns } }: Pick<DataSource, 'columns'>,
  { manifest, root }: { readonly manifest: string; readonly root?: string | undefined },
  { spec, ...options }: Pick<ModelAndData, 'spec'> & Pick<ImageInputOptions, 'signal' | 'onImage'>,
): Promise<Pick<ModelAndData, 'manifest' | 'inputs'>> {
  return loadTable({ manifest, columns, ...(root !== undefined && { root }) }, spec, options);
}

/**
 * For what is defined for one label.
 *
 * @throws InvalidInputError when the data has several classes
 */
export function assertOneLabel({ classNames }: Pick<Manifest, 'classNames'>): void {
  if (classNames === undefined) return;
  throw new InvalidInputError(
    `labels: expected one label, 0 or 1 or with a positive value, received ${classNames.length} classes`,
    { classes: classNames.length },
  );
}
