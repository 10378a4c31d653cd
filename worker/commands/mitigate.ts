import path from 'node:path';
import type { Command } from 'commander';
import { Option } from 'commander';
import { parseWith } from '../../core/data/parse.ts';
import { readJson } from '../../core/data/read-json.ts';
import { InvalidInputError } from '../../core/errors.ts';
import type { PresetName } from '../../core/jobs/schema.ts';
import { METRIC_NAMES, PRESET_NAMES } from '../../core/jobs/schema.ts';
import { startBackend } from '../backend.ts';
import type { MitigationOptions } from '../bmft/options.ts';
import { mitigationOptionsSchema, PRESETS } from '../bmft/options.ts';
import type { DivideInput } from '../parts.ts';
import { assertAbsent } from '../run-folder.ts';
import type { MitigationResult } from '../run-job.ts';
import { runMitigation } from '../run-job.ts';
import { saveRun } from '../save-run.ts';
import type { Console } from './console.ts';
import type { DataFlags, ModelAndData } from './data-options.ts';
import { addDataOptions, addModelOptions, loadModelAndData } from './data-options.ts';
import { EXIT_CODES } from './exit-codes.ts';
import { mitigationTable } from './tables.ts';

interface MitigateFlags extends DataFlags {
  readonly model: string;
  readonly out: string;
  readonly external: string;
  readonly test: string;
  readonly preset: PresetName;
  readonly metric?: MitigationOptions['metric'];
  readonly options?: string;
  readonly seed: number;
  readonly json?: boolean;
}

const EXAMPLES = `
Examples:
  Lower the gap between sexes of a skin lesion classifier, with a test split for the audit:
    counterweight mitigate --model model/ --manifest labels.csv --image file --label melanoma \\
      --sensitive sex --subject patient --split-column split --out run/
  The method as the paper's code has it, five epochs of stage 1:
    echo '{"body": {"epochs": 5}}' > options.json
    counterweight mitigate ... --preset bmft-released --options options.json --out run/

The run folder holds model/, mask.safetensors, audit-before.json, audit-after.json, report.html and run.json.
The model you pass is never changed. Same seed, same bytes.

Exit codes: 0 improved, 10 not improved, 64 wrong input, 65 data or model unfit, 70 failed, 75 try again,
130 stopped.`;

export function addMitigateCommand(program: Command, console: Console): void {
  const command = program
    .command('mitigate')
    .summary('tune the weights that carry a disparity, refit the head')
    .description(
      'Finds the weights that carry the disparity of a sensitive feature, tunes only those on external data, refits the head and audits before and after.',
    );
  command.requiredOption('--model <folder>', 'folder with a model.json (tfjs LayersModel)');
  command.requiredOption('--out <folder>', 'run folder to make; must not exist');
  addDataOptions(command)
    .option('--external <split>', 'split to tune on (with --split-column)', 'external')
    .option('--test <split>', 'split to audit on (with --split-column)', 'test');
  addModelOptions(command);
  command
    .optionsGroup('Method:')
    .addOption(
      new Option('--preset <name>', 'settings of the method').choices(PRESET_NAMES).default('robust'),
    )
    .addOption(
      new Option('--metric <name>', 'disparity to lower (default: equalizedOdds)').choices(METRIC_NAMES),
    )
    .option('--options <json>', 'file with settings that replace those of the preset (docs/method.md)')
    .addOption(new Option('--seed <integer>', 'seed of every random draw').default(0).argParser(parseSeed))
    .optionsGroup('Output:')
    .option('--json', 'print run.json to stdout')
    .addHelpText('after', EXAMPLES)
    .action((flags: MitigateFlags) => mitigate(flags, console));
}

function parseSeed(text: string): number {
  const seed = Number(text);
  if (text.trim() !== '' && Number.isInteger(seed) && Math.abs(seed) < 2 ** 31) return seed;
  throw new InvalidInputError(`--seed: expected an integer below 2^31, received "${text}"`);
}

async function mitigate(flags: MitigateFlags, console: Console): Promise<void> {
  await assertAbsent(flags.out);
  const options = await readOptions(flags);
  const backend = await startBackend(flags.backend);
  const loaded = await loadModelAndData(flags.model, flags, console.signal);
  try {
    const splits = splitsOf(flags, loaded);
    await verifyImages(loaded, splits, console);
    const { manifest, inputs, model } = loaded;
    const result = await runMitigation({
      model,
      samples: manifest,
      inputs,
      sensitiveFeature: manifest.sensitiveFeatures[0]!.name,
      splits,
      options,
      seed: flags.seed,
      threshold: flags.threshold,
      progress: console.progress,
      signal: console.signal,
    });
    const record = await saveRun({ ...flags, folder: flags.out, loaded, options, backend, result });
    console.print(flags.json ? JSON.stringify(record, null, 2) : mitigationTable(result));
    console.note(`report: ${path.join(flags.out, 'report.html')}`);
    console.exitCode = exitCodeOf(result);
  } finally {
    loaded.model.dispose();
  }
}

function exitCodeOf({ outcome: { status } }: MitigationResult): number {
  if (status === 'improved') return 0;
  return status === 'rejected' ? EXIT_CODES.EMPTY_GROUP : EXIT_CODES.NOT_IMPROVED;
}

/** The preset with the settings of `--options` and `--metric` in place of its own. */
async function readOptions({ preset, metric, options: file }: MitigateFlags): Promise<MitigationOptions> {
  const base = { ...PRESETS[preset], ...(metric && { metric }) };
  if (file === undefined) return base;
  return parseWith(mitigationOptionsSchema, merge(base, await readJson(file)), `options "${file}"`);
}

/** Objects are merged key by key; anything else is replaced. */
function merge(base: unknown, changes: unknown): unknown {
  if (!isPlainObject(base) || !isPlainObject(changes)) return changes;
  const merged = Object.entries(changes).map(([key, value]) => [key, merge(base[key], value)]);
  return { ...base, ...Object.fromEntries(merged) };
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function splitsOf({ external, test }: MitigateFlags, { manifest }: ModelAndData): DivideInput['splits'] {
  return manifest.splits ? { external, test } : null;
}

/** A bad image shows before the work starts, and all bad ones at once. */
async function verifyImages(
  { inputs, manifest }: ModelAndData,
  splits: DivideInput['splits'],
  { progress }: Console,
) {
  const used = splits === null ? null : new Set([splits.external, splits.test]);
  const rows = Array.from({ length: manifest.size }, (_, row) => row).filter(
    (row) => used === null || used.has(manifest.splits![row]!),
  );
  progress.start('read images', rows.length);
  await inputs.verify(rows, { onProgress: () => progress.advance() });
}
