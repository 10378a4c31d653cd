import type { Command } from 'commander';
import { Option } from 'commander';
import type { ColumnChoices, Columns } from '../../core/data/columns.ts';
import { mergeColumns } from '../../core/data/columns.ts';
import type { DataConfig } from '../../core/data/data-config.ts';
import { loadDataConfig } from '../../core/data/data-config.ts';
import { InvalidInputError } from '../../core/errors.ts';
import { BACKENDS } from '../backend.ts';
import type { DataSource } from '../load-data.ts';
import type { TestManifest } from '../mitigate-files.ts';

const MOST_THREADS = 256;

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
  readonly positiveClass?: number;
  readonly backend: (typeof BACKENDS)[number];
  readonly threads?: number;
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
    .option(
      '--sensitive <column...>',
      'columns with sensitive features; the first is mitigated unless others are named',
    )
    .option('--subject <column>', 'column with the subject (patient) of each sample')
    .option('--split-column <column>', 'column that says which split a sample is in')
    .option(
      '--preprocess <name|json>',
      'imagenet, unit, none, or a preprocess file (default: preprocess.json of the model)',
    );
}

export function addModelOptions(command: Command): Command {
  const threshold = new Option('--threshold <score>', 'score from which a sample is predicted positive');
  command.optionsGroup('Model:').addOption(threshold.default(0.5).argParser(parseThreshold));
  return addBackendOption(addHeadOptions(command));
}

export function addHeadOptions(command: Command): Command {
  return command
    .option('--head <layer>', 'name of the last dense layer (default: found from the output)')
    .option(
      '--positive-class <index>',
      'unit of the head that stands for the positive label, from 0 (needed for more than two; default of two: 1)',
      parsePositiveClass,
    );
}

function parsePositiveClass(text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new InvalidInputError(
    `--positive-class: expected a whole number from 0, the index of a unit, received "${text}"`,
    { flag: '--positive-class' },
  );
}

export function addBackendOption(command: Command): Command {
  return command
    .addOption(new Option('--backend <name>', 'what computes').choices(BACKENDS).default('auto'))
    .option(
      '--threads <number>',
      'that backend wasm computes on; results do not depend on it (default: one for each core)',
      parseThreads,
    );
}

function parseThreads(text: string): number {
  const threads = Number(text);
  if (/^\d+$/.test(text) && threads >= 1 && threads <= MOST_THREADS) return threads;
  throw new InvalidInputError(
    `--threads: expected a whole number from 1 to ${MOST_THREADS}, received "${text}"`,
    {
      flag: '--threads',
    },
  );
}

function parseThreshold(text: string): number {
  const threshold = text.trim() === '' ? Number.NaN : Number(text);
  if (threshold > 0 && threshold < 1) return threshold;
  throw new InvalidInputError(`--threshold: expected a number above 0 and below 1, received "${text}"`);
}

export function parseSeed(text: string): number {
  const seed = Number(text);
  if (text.trim() !== '' && Number.isInteger(seed) && Math.abs(seed) < 2 ** 31) return seed;
  throw new InvalidInputError(`--seed: expected an integer below 2^31, received "${text}"`);
}

/** `clinic-b=other/labels.csv`; image paths start from the table's own folder. */
export function parseTestManifest(text: string): TestManifest {
  const [, name, manifest] = /^([^=\p{C}]{1,100})=(.+)$/u.exec(text) ?? [];
  if (name !== undefined && manifest !== undefined) return { name, manifest };
  throw new InvalidInputError(
    `--test-manifest: expected name=table.csv, received "${text.replace(/\p{C}/gu, ' ')}"`,
    { flag: '--test-manifest' },
  );
}

/**
 * Columns and preprocess of the config file, with the flags over them.
 *
 * @param more  choices that only one command has flags for
 */
export async function readDataConfig(
  flags: Omit<DataFlags, 'threshold'>,
  more: ColumnChoices = {},
): Promise<DataConfig & { readonly columns: Columns }> {
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
    ...more,
  };
  const { label = file.columns.label, sensitiveFeatures = file.columns.sensitiveFeatures } = choices;
  if (label === undefined) throw missing('--label', 'the column with the truth');
  if (sensitiveFeatures === undefined) throw missing('--sensitive', 'at least one column');
  return { ...file, columns: mergeColumns(file.columns, choices) };
}

function missing(flag: string, expected: string): InvalidInputError {
  return new InvalidInputError(`${flag}: expected ${expected}, received nothing`, { flag });
}

/** Flags about a model and what it reads that are set, to refuse them where there is none. */
export function sourceFlags(flags: DataFlags): string[] {
  const { manifest, root, image, preprocess, head, positiveClass } = flags;
  return setFlags({ manifest, root, image, preprocess, head, 'positive-class': positiveClass });
}

/** Of flags by name, those that have a value, as they are typed. */
export function setFlags(values: Readonly<Record<string, unknown>>): string[] {
  return Object.entries(values).flatMap(([name, value]) => (value === undefined ? [] : [`--${name}`]));
}

/**
 * What the flags say about model and data.
 *
 * @param more  choices that only one command has flags for
 */
export async function readDataSource(
  model: string,
  flags: Omit<DataFlags, 'threshold'>,
  more: ColumnChoices = {},
): Promise<DataSource> {
  const { columns, preprocess: configured } = await readDataConfig(flags, more);
  if (flags.manifest === undefined) {
    throw missing('--manifest', 'a CSV file');
  }
  const { manifest, root, head, positiveClass, preprocess = configured } = flags;
  return {
    model,
    manifest,
    columns,
    head,
    positiveClass,
    ...(root !== undefined && { root }),
    ...(preprocess !== undefined && { preprocess }),
  };
}
