import type { Command } from 'commander';
import { Option } from 'commander';
import { InvalidInputError } from '../../core/errors.ts';
import { DEFAULT_SPLITS } from '../../core/jobs/schema.ts';
import { startBackend } from '../backend.ts';
import type { CheckFilesInput } from '../check-files.ts';
import { assertAbsent } from '../run-folder.ts';
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

interface CheckFlags extends DataFlags {
  readonly model: string;
  readonly external: string;
  readonly test: string[];
  readonly testManifest?: string[];
  readonly reference?: string;
  readonly referenceSplit?: string;
  readonly seed: number;
  readonly out?: string;
  readonly list?: boolean;
  readonly json?: boolean;
}

const EXAMPLES = `
Examples:
  Is this set fit to lower the gap between sexes, and what is to be collected if not?
    counterweight check labels.csv --model model/ --image file --label melanoma --sensitive sex --subject patient \\
      --split-column split
  Does it resemble the patients that the model is for?
    counterweight check labels.csv --model model/ ... --reference clinic.csv
  Which rows are duplicates? Lines of the manifest, on this screen only:
    counterweight check labels.csv --model model/ ... --list

The verdict is fit, usable with care, or unfit (docs/check.md says what makes it so).

Exit codes: 0 fit or usable with care, 64 wrong input, 65 data or model unfit, 70 failed, 75 try again, 130 stopped.`;

export function addCheckCommand(program: Command, console: Console): void {
  const command = program
    .command('check')
    .summary('say whether data is fit for a mitigation')
    .description(
      'Looks for what makes a mitigation fail or mislead: small cells, duplicates, subjects in two parts, shifted, swapped or doubtful labels and groups, pictures that give groups away, inputs unlike those of training.',
    )
    .argument('[manifest]', 'table with one sample a row (as --manifest)');
  command.requiredOption(
    '--model <path>',
    'model file (.onnx, .keras, .h5) or folder with a model.json (tfjs)',
  );
  addDataOptions(command)
    .option('--external <split>', 'split to tune on (with --split-column)', DEFAULT_SPLITS.external)
    .option(
      '--test <split...>',
      'splits to audit on (with --split-column)',
      DEFAULT_SPLITS.test as unknown as string[],
    )
    .option('--test-manifest <name=csv...>', 'further sets to audit on, in tables with the same columns')
    .option('--reference <csv>', 'table that the data should resemble, with the same columns')
    .option('--reference-split <split>', 'split of the manifest that the rest should resemble');
  addModelOptions(command);
  command
    .optionsGroup('Division:')
    .addOption(
      new Option('--seed <integer>', 'seed by which a mitigation divides the data')
        .default(0)
        .argParser(parseSeed),
    )
    .optionsGroup('Output:')
    .option('--out <json>', 'file to make with the check; must not exist')
    .option('--list', 'print the lines of duplicates and blank images; keep them on this machine')
    .option('--json', 'print the check as JSON')
    .addHelpText('after', EXAMPLES)
    .action((manifest: string | undefined, flags: CheckFlags) =>
      check(withManifest(flags, manifest), console),
    );
}

function withManifest(flags: CheckFlags, manifest: string | undefined): CheckFlags {
  if (manifest === undefined) return flags;
  if (flags.manifest === undefined) return { ...flags, manifest };
  throw new InvalidInputError('--manifest: expected it or a table without a flag, received both', {
    flag: '--manifest',
  });
}

async function check(flags: CheckFlags, console: Console): Promise<void> {
  if (flags.out !== undefined) await assertAbsent(flags.out, 'file');
  const { checkFiles } = await import('../check-files.ts');
  const { checkText, linesText } = await import('./check-text.ts');
  const { writeNewFile } = await import('../new-file.ts');
  const source = await readDataSource(flags.model, flags);
  const reference = referenceOf(flags);
  await startBackend(flags.backend, { threads: flags.threads });
  const { check: found, lines } = await checkFiles({
    source,
    splits: { external: flags.external, test: flags.test },
    testManifests: flags.testManifest?.map(parseTestManifest),
    ...(reference && { reference }),
    seed: flags.seed,
    progress: console.progress,
    signal: console.signal,
  });
  if (flags.out !== undefined) await writeNewFile(flags.out, `${JSON.stringify(found, null, 2)}\n`);
  console.print(flags.json ? JSON.stringify(found, null, 2) : checkText(found));
  if (flags.list) console.print(linesText(lines));
  console.exitCode = found.verdict === 'unfit' ? EXIT_CODES.DATA_UNFIT : 0;
}

function referenceOf({ reference, referenceSplit }: CheckFlags): CheckFilesInput['reference'] {
  if (reference !== undefined && referenceSplit !== undefined) {
    throw new InvalidInputError('--reference: expected it or --reference-split, received both', {
      flag: '--reference',
    });
  }
  if (reference !== undefined) return { manifest: reference };
  return referenceSplit === undefined ? undefined : { split: referenceSplit };
}
