import { existsSync } from 'node:fs';
import type { Command } from 'commander';
import { Option } from 'commander';
import { readJson } from '../../core/data/read-json.ts';
import { InterruptedError, InvalidInputError, isCounterweightError } from '../../core/errors.ts';
import { DEFAULT_SPLITS, METRIC_NAMES } from '../../core/jobs/schema.ts';
import { startBackend } from '../backend.ts';
import type { MitigationOptions } from '../bmft/options.ts';
import { optionsOf } from '../bmft/options.ts';
import { DEFAULT_METHODS, METHOD_NAMES } from '../methods/names.ts';
import type { Console } from './console.ts';
import type { DataFlags } from './data-options.ts';
import { addDataOptions, addModelOptions, readDataSource } from './data-options.ts';

interface CompareFlags extends DataFlags {
  readonly model: string;
  readonly methods: string[];
  readonly baseline: string;
  readonly seeds: number;
  readonly out?: string;
  readonly external: string;
  readonly test: string;
  readonly metric?: MitigationOptions['metric'];
  readonly options?: string;
  readonly json?: boolean;
}

const MOST_SEEDS = 100;

const EXAMPLES = `
Examples:
  Does the mask earn its keep? BMFT against its controls, five times:
    counterweight compare --model model/ --manifest labels.csv --image file --label melanoma \\
      --sensitive sex --subject patient --split-column split --seeds 5 --out comparison/
  Everything (${METHOD_NAMES.length} methods; docs/compare.md says what each does and costs):
    counterweight compare ... --methods all --out comparison/
  Two of them against a third:
    counterweight compare ... --methods dfr robust --baseline group-thresholds

Methods: ${METHOD_NAMES.join(', ')}.

Stopped with --out, the same command goes on where it was. Exit codes: 0 compared, 64 wrong input, 65 model
unfit, 70 failed, 75 try again, 130 stopped.`;

export function addCompareCommand(program: Command, console: Console): void {
  const command = program
    .command('compare')
    .summary('run methods and controls over seeds, compare what they reach and cost')
    .description(
      'Runs mitigation methods, published ones and controls, over the same data, selection and audit, and prints paired differences with intervals and the cost of each.',
    );
  command.requiredOption(
    '--model <path>',
    'model file (.onnx, .keras, .h5) or folder with a model.json (tfjs)',
  );
  addDataOptions(command)
    .option('--external <split>', 'split to tune on (with --split-column)', DEFAULT_SPLITS.external)
    .option('--test <split>', 'split to audit on (with --split-column)', DEFAULT_SPLITS.test[0]);
  addModelOptions(command);
  command
    .optionsGroup('Methods:')
    .option('--methods <name...>', 'methods to run, or all', [...DEFAULT_METHODS])
    .addOption(
      new Option('--baseline <name>', 'method that differences are against')
        .choices(METHOD_NAMES)
        .default('untouched'),
    )
    .addOption(
      new Option('--seeds <number>', 'how often each method runs, with seeds 0, 1, …')
        .default(3)
        .argParser(parseSeeds),
    )
    .addOption(
      new Option('--metric <name>', 'disparity to lower (default: equalizedOdds)').choices(METRIC_NAMES),
    )
    .option('--options <json>', 'file with settings that replace those of robust (docs/method.md)')
    .optionsGroup('Output:')
    .option(
      '--out <folder>',
      'folder for the figures of each method and seed; an unfinished one is gone on with',
    )
    .option('--json', 'print comparison.json to stdout')
    .addHelpText('after', EXAMPLES)
    .action((flags: CompareFlags) => compare(flags, console));
}

function parseSeeds(text: string): number {
  const seeds = Number(text);
  if (/^\d+$/.test(text) && seeds >= 1 && seeds <= MOST_SEEDS) return seeds;
  throw new InvalidInputError(
    `--seeds: expected a whole number from 1 to ${MOST_SEEDS}, received "${text}"`,
    { flag: '--seeds' },
  );
}

/** In the order of the table, the baseline among them. */
function chosenMethods({ methods, baseline }: CompareFlags): string[] {
  const unknown = methods.find((name) => name !== 'all' && !METHOD_NAMES.some((known) => known === name));
  if (unknown !== undefined) {
    throw new InvalidInputError(
      `--methods: expected all or some of ${METHOD_NAMES.join(', ')}, received "${unknown}"`,
      { flag: '--methods' },
    );
  }
  const isAll = methods.includes('all');
  return METHOD_NAMES.filter((name) => isAll || methods.includes(name) || name === baseline);
}

/** What is finished by the time of a stop stays, where there is a folder for it. */
function stopped(error: unknown, folder: string | undefined): unknown {
  if (!isCounterweightError(error) || error.code !== 'INTERRUPTED') return error;
  if (folder === undefined || !existsSync(folder)) return error;
  return new InterruptedError(
    `stopped; what is finished is in "${folder}", and the same command goes on with it`,
    { keptIn: folder },
    { cause: error },
  );
}

async function compare(flags: CompareFlags, console: Console): Promise<void> {
  const methods = chosenMethods(flags);
  const changes = flags.options === undefined ? {} : await readJson(flags.options);
  const options = optionsOf(
    { preset: 'robust', metric: flags.metric, changes },
    `options "${flags.options}"`,
  );
  const { compareFiles } = await import('../compare-files.ts');
  const { comparisonTable } = await import('./comparison-table.ts');
  const comparison = await compareFiles({
    source: await readDataSource(flags.model, flags),
    splits: { external: flags.external, test: [flags.test] },
    options,
    threshold: flags.threshold,
    methods,
    reference: flags.baseline,
    seeds: Array.from({ length: flags.seeds }, (_, seed) => seed),
    folder: flags.out ?? null,
    backend: await startBackend(flags.backend, { threads: flags.threads }),
    progress: console.progress,
    signal: console.signal,
    now: () => performance.now(),
  }).catch((error: unknown) => {
    throw stopped(error, flags.out);
  });
  console.print(flags.json ? JSON.stringify(comparison, null, 2) : comparisonTable(comparison));
}
