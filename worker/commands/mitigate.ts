import path from 'node:path';
import type { Command } from 'commander';
import { Option } from 'commander';
import { readJson } from '../../core/data/read-json.ts';
import { InvalidInputError } from '../../core/errors.ts';
import type { DecisionRecord } from '../../core/jobs/decision-record.ts';
import type { RunRecord } from '../../core/jobs/run-record.ts';
import type { PresetName } from '../../core/jobs/schema.ts';
import { budgetSchema, DEFAULT_SPLITS, METRIC_NAMES, PRESET_NAMES } from '../../core/jobs/schema.ts';
import { startBackend } from '../backend.ts';
import type { MitigationOptions } from '../bmft/options.ts';
import { optionsOf } from '../bmft/options.ts';
import { NO_CHECKPOINTS } from '../checkpoints.ts';
import { assertAbsent } from '../run-folder.ts';
import type { MitigationResult } from '../run-job.ts';
import type { Console } from './console.ts';
import type { DataFlags } from './data-options.ts';
import {
  addDataOptions,
  addModelOptions,
  parseSeed,
  parseTestManifest,
  readDataSource,
} from './data-options.ts';
import { EXIT_CODES } from './exit-codes.ts';
import { setsTable } from './set-tables.ts';
import { mitigationTable } from './tables.ts';

interface MitigateFlags extends DataFlags {
  readonly model: string;
  readonly out: string;
  readonly external: string;
  readonly test: string[];
  readonly testManifest?: string[];
  readonly preset: PresetName;
  readonly classes?: string[];
  readonly mitigate?: string[];
  readonly intersections: number;
  readonly metric?: MitigationOptions['metric'];
  readonly options?: string;
  readonly search?: string | true;
  readonly seed: number;
  readonly despiteCheck?: boolean;
  readonly controls?: boolean;
  readonly explain?: boolean;
  readonly showImages?: boolean;
  readonly json?: boolean;
}

const EXAMPLES = `
Examples:
  Lower the gap between sexes of a skin lesion classifier, with a test split for the audit:
    counterweight mitigate --model model/ --manifest labels.csv --image file --label melanoma \\
      --sensitive sex --subject patient --split-column split --out run/
  With the figures of two other sets beside the verdict, a split and another hospital's table:
    counterweight mitigate ... --split-column split --test test later --test-manifest clinic-b=b/labels.csv
  Lower the gaps by sex, by age and by both together, so that no combination of the two is left behind:
    counterweight mitigate ... --sensitive sex age --mitigate sex age --intersections 2 --out run/
  One class of several, here that of the head's fourth unit, for a label that is 1 for it and 0 for all others:
    counterweight mitigate --model model.onnx --positive-class 3 --manifest labels.csv ... --out run/
  All classes of a softmax at once, labels spelled as in the table and in the order of the head's units:
    counterweight mitigate --model model.onnx --label diagnosis --classes nv mel bcc --manifest labels.csv ... --out run/
  With settings found automatically, at most three times as long; or in ten minutes:
    counterweight mitigate ... --search --out run/
    counterweight mitigate ... --search 10m --out run/
  The method as the paper's code has it, five epochs of stage 1:
    echo '{"body": {"epochs": 5}}' > options.json
    counterweight mitigate ... --preset bmft-released --options options.json --out run/

  Also why: where the mask lies, how stable it is, what can be read from the layers before and after:
    counterweight mitigate ... --explain --out run/

The data is checked first (counterweight check); what is unfit is refused, unless with --despite-check.
The run folder holds model/, mask.safetensors, check.json, audit-before.json, audit-after.json, decision.json,
report.html and run.json; further sets have audit-before-2.json, audit-after-2.json and so on.
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
  command.requiredOption(
    '--model <path>',
    'model file (.onnx, .keras, .h5) or folder with a model.json (tfjs)',
  );
  command.requiredOption('--out <folder>', 'run folder to make; must not exist');
  addDataOptions(command)
    .option('--external <split>', 'split to tune on (with --split-column)', DEFAULT_SPLITS.external)
    .option(
      '--test <split...>',
      'splits to audit on (with --split-column); the first decides the outcome',
      DEFAULT_SPLITS.test as unknown as string[],
    )
    .option(
      '--test-manifest <name=csv...>',
      'further sets to audit on, such as another site, in tables with the same columns but for the split',
    );
  addModelOptions(command).option(
    '--classes <label...>',
    "three labels or more, in the order of the head's units: all are tuned together, the highest score is predicted",
  );
  addMethodOptions(command);
  command
    .optionsGroup('Output:')
    .option('--json', 'print run.json to stdout')
    .addHelpText('after', EXAMPLES)
    .action((flags: MitigateFlags) => mitigate(flags, console));
}

function addMethodOptions(command: Command): void {
  command
    .optionsGroup('Method:')
    .option(
      '--mitigate <column...>',
      'sensitive features whose disparities are to be lowered (default: the first of --sensitive)',
    )
    .addOption(
      new Option(
        '--intersections <depth>',
        'features of --mitigate that are combined at most; the disparity of each combination is lowered too',
      )
        .default(1)
        .argParser(parseDepth),
    )
    .addOption(
      new Option('--preset <name>', 'settings of the method').choices(PRESET_NAMES).default('robust'),
    )
    .addOption(
      new Option('--metric <name>', 'disparity to lower (default: equalizedOdds)').choices(METRIC_NAMES),
    )
    .addOption(
      new Option(
        '--search [budget]',
        "also search settings beyond the preset's: 2.5x its epochs unless told 60epochs, 10m, 2h or 2usd",
      ).argParser(parseBudget),
    )
    .option('--options <json>', 'file with settings that replace those of the preset (docs/method.md)')
    .option(
      '--controls',
      'run a random mask, no mask and the head alone beside it, and say whether the mask earned its keep',
    )
    .option(
      '--explain',
      'write explanation.json and a report section: what the mask holds and what it changed (docs/explain.md)',
    )
    .option(
      '--show-images',
      'with --explain: write explanation-images.html with images of the data; clinical images must not leave this machine',
    )
    .addOption(new Option('--seed <integer>', 'seed of every random draw').default(0).argParser(parseSeed))
    .option('--despite-check', 'go on with data that the check calls unfit; the report says so at its top');
}

function parseDepth(text: string): number {
  if (/^[1-9]\d?$/.test(text)) return Number(text);
  throw new InvalidInputError(
    `--intersections: expected a whole number from 1, the number of features combined at most, received "${text}"`,
    { flag: '--intersections' },
  );
}

function parseBudget(text: string): string {
  if (budgetSchema.safeParse(text).success) return text;
  throw new InvalidInputError(
    `--search: expected a budget above 0, like 2.5x, 60epochs, 10m, 2h or 2usd, received "${text}"`,
  );
}

async function mitigate(flags: MitigateFlags, console: Console): Promise<void> {
  assertExplained(flags);
  await assertAbsent(flags.out);
  const changes = flags.options === undefined ? {} : await readJson(flags.options);
  const where = flags.options === undefined ? 'options' : `options "${flags.options}"`;
  const options = optionsOf({ ...flags, changes }, where);
  const { mitigateFiles } = await import('../mitigate-files.ts');
  const { result, record } = await mitigateFiles({
    source: await readDataSource(flags.model, flags, { classes: flags.classes }),
    config: flags.config,
    splits: { external: flags.external, test: flags.test },
    testManifests: flags.testManifest?.map(parseTestManifest),
    mitigate: { sensitiveFeatures: flags.mitigate, intersections: flags.intersections },
    preset: flags.preset,
    options,
    seed: flags.seed,
    threshold: flags.threshold,
    despiteCheck: flags.despiteCheck,
    controls: flags.controls,
    explain: flags.explain,
    showImages: flags.showImages,
    folder: flags.out,
    backend: await startBackend(flags.backend, { threads: flags.threads }),
    progress: console.progress,
    checkpoints: NO_CHECKPOINTS,
    signal: console.signal,
  });
  console.print(flags.json ? JSON.stringify(record, null, 2) : mitigationTable(result));
  if (!flags.json && record.audited.length > 1) console.print(`\n${setsTable(record)}`);
  if (!flags.json) await printDecision(flags.out, record, console);
  if (record.search) {
    const { searchSentence } = await import('../../core/report/facts/search-text.ts');
    console.note(searchSentence(record.search));
  }
  console.note(`report: ${path.join(flags.out, 'report.html')}`);
  console.exitCode = exitCodeOf(result);
}

async function printDecision(folder: string, { check }: RunRecord, console: Console): Promise<void> {
  const { decisionText } = await import('./decision-text.ts');
  const { DECISION_FILE, readFolderJson } = await import('../run-report.ts');
  const text = decisionText(await readFolderJson<DecisionRecord>(folder, DECISION_FILE), check);
  if (text !== '') console.print(`\n${text}`);
}

function assertExplained({ explain = false, showImages = false }: MitigateFlags): void {
  if (explain || !showImages) return;
  throw new InvalidInputError('--show-images: expected --explain beside it, received none');
}

function exitCodeOf({ outcome: { status } }: MitigationResult): number {
  if (status === 'improved') return 0;
  return status === 'rejected' ? EXIT_CODES.EMPTY_GROUP : EXIT_CODES.NOT_IMPROVED;
}
