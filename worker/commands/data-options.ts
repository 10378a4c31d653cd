import { existsSync } from 'node:fs';
import path from 'node:path';
import type { Command } from 'commander';
import { Option } from 'commander';
import type { ColumnChoices, Columns } from '../../core/data/columns.ts';
import { mergeColumns } from '../../core/data/columns.ts';
import type { DataConfig } from '../../core/data/data-config.ts';
import { loadDataConfig } from '../../core/data/data-config.ts';
import { openImageInputs, openTableInputs } from '../../core/data/inputs.ts';
import { loadManifest } from '../../core/data/manifest.ts';
import type { InputSpec, Preprocess } from '../../core/data/preprocess.ts';
import { loadPreprocess, resolvePreprocess } from '../../core/data/preprocess.ts';
import type { InputSource, Manifest } from '../../core/data/types.ts';
import { InvalidInputError, UnsupportedModelError } from '../../core/errors.ts';
import type { Classifier } from '../../core/model/classifier.ts';
import { loadTfjsLayers } from '../../core/model/formats/tfjs-layers.ts';
import { BACKENDS } from '../backend.ts';

/** Flags that say where the data is and which column means what. */
export interface DataFlags extends ModelFlags {
  readonly config?: string;
  readonly manifest?: string;
  readonly root?: string;
  readonly image?: string;
  readonly label?: string;
  readonly positiveLabel?: string;
  readonly sensitive?: string[];
  readonly subject?: string;
  readonly splitColumn?: string;
  readonly score?: string;
  readonly prediction?: string;
  readonly preprocess?: string;
  readonly threshold: number;
}

export interface ModelFlags {
  readonly head?: string;
  readonly backend: (typeof BACKENDS)[number];
}

export function addDataOptions(command: Command): Command {
  return command
    .optionsGroup('Data:')
    .option(
      '--manifest <csv>',
      'table with one sample a row: image path or features, label, sensitive features',
    )
    .option('--config <json>', 'columns and preprocess in a file; flags win over it')
    .option('--root <folder>', "folder that image paths start from (default: the manifest's own)")
    .option('--image <column>', 'column with the path of each image')
    .option('--label <column>', 'column with the truth')
    .option('--positive-label <value>', 'label value that counts as positive (needed unless labels are 0/1)')
    .option('--sensitive <column...>', 'columns with sensitive features; the first is the one to mitigate')
    .option('--subject <column>', 'column with the subject (patient) of each sample')
    .option('--split-column <column>', 'column that says which split a sample is in')
    .option(
      '--preprocess <name|json>',
      'imagenet, unit, none, or a preprocess file (default: preprocess.json of the model)',
    );
}

export function addModelOptions(command: Command): Command {
  const threshold = new Option('--threshold <score>', 'score from which a sample is predicted positive');
  command
    .optionsGroup('Model:')
    .addOption(threshold.default(0.5).argParser(parseThreshold))
    .option('--head <layer>', 'name of the last dense layer (default: found from the output)');
  return addBackendOption(command);
}

export function addBackendOption(command: Command): Command {
  return command.addOption(new Option('--backend <name>', 'what computes').choices(BACKENDS).default('auto'));
}

function parseThreshold(text: string): number {
  const threshold = text.trim() === '' ? Number.NaN : Number(text);
  if (threshold > 0 && threshold < 1) return threshold;
  throw new InvalidInputError(`--threshold: expected a number between 0 and 1, received "${text}"`);
}

/** Columns and preprocess of the config file, with the flags over them. */
export async function readDataConfig(flags: DataFlags): Promise<DataConfig & { readonly columns: Columns }> {
  const file: DataConfig = flags.config ? await loadDataConfig(flags.config) : { columns: {} };
  const choices: ColumnChoices = {
    image: flags.image,
    label: flags.label,
    positiveLabel: flags.positiveLabel,
    sensitiveFeatures: flags.sensitive,
    subject: flags.subject,
    split: flags.splitColumn,
    score: flags.score,
    prediction: flags.prediction,
  };
  return { ...file, columns: mergeColumns(file.columns, choices) };
}

/** A model with the data that it reads. */
export interface ModelAndData {
  readonly model: Classifier;
  readonly spec: InputSpec;
  readonly manifest: Manifest;
  readonly inputs: InputSource;
  /** Preprocess file that was read; null for a preset or one inside the config. */
  readonly preprocessFile: string | null;
}

/** Loads model, preprocess and manifest and checks that they fit together. The caller disposes the model. */
export async function loadModelAndData(
  modelPath: string,
  flags: DataFlags,
  signal: AbortSignal,
): Promise<ModelAndData> {
  const config = await readDataConfig(flags);
  const { preprocess, preprocessFile } = await choosePreprocess(modelPath, flags, config);
  const model = await loadTfjsLayers(modelPath, flags);
  try {
    const spec = resolvePreprocess(preprocess, model.inputShape);
    assertOutput(model, spec);
    const manifest = await readManifest(flags, config, spec);
    const inputs =
      spec.kind === 'image' ? openImageInputs(manifest, spec, { signal }) : openTableInputs(manifest, spec);
    return { model, spec, manifest, inputs, preprocessFile };
  } catch (error) {
    model.dispose();
    throw error;
  }
}

function readManifest({ manifest, root }: DataFlags, { columns }: { columns: Columns }, spec: InputSpec) {
  if (manifest === undefined)
    throw new InvalidInputError('--manifest: expected a CSV file, received nothing');
  return loadManifest(manifest, columns, {
    ...(spec.kind === 'table' && { features: spec.features }),
    ...(root !== undefined && { root }),
  });
}

/** The flag wins over the config, the config over the file beside the model. */
async function choosePreprocess(
  modelPath: string,
  flags: DataFlags,
  config: DataConfig,
): Promise<{ preprocess: Preprocess; preprocessFile: string | null }> {
  if (flags.preprocess === undefined && config.preprocess) {
    return { preprocess: config.preprocess, preprocessFile: null };
  }
  const chosen = flags.preprocess ?? besideModel(modelPath);
  if (chosen === null) {
    throw new InvalidInputError(
      '--preprocess: expected imagenet, unit, none or a file, received nothing; the model has no preprocess.json, and a guess would change every score',
    );
  }
  return { preprocess: await loadPreprocess(chosen), preprocessFile: existsSync(chosen) ? chosen : null };
}

/** `preprocess.json` in the model's folder, if there is one. */
export function besideModel(modelPath: string): string | null {
  const folder = modelPath.endsWith('.json') ? path.dirname(modelPath) : modelPath;
  const file = path.join(folder, 'preprocess.json');
  return existsSync(file) ? file : null;
}

function assertOutput(model: Classifier, { output }: InputSpec): void {
  if (output === undefined || output === model.output) return;
  throw new UnsupportedModelError(
    `model output: expected a ${output}, as the preprocess file says, received a ${model.output} (${model.output === 'logit' ? 'no sigmoid' : 'a sigmoid'} at its end)`,
    { expected: output, received: model.output },
  );
}
