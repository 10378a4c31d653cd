import path from 'node:path';
import type { Command } from 'commander';
import { InvalidInputError } from '../../core/errors.ts';
import { DEFAULT_SPLITS } from '../../core/jobs/schema.ts';
import { startBackend } from '../backend.ts';
import { assertAbsent } from '../run-folder.ts';
import type { SelectJob } from '../select-subset.ts';
import type { Console } from './console.ts';
import type { DataFlags } from './data-options.ts';
import { addBackendOption, addDataOptions, addHeadOptions, readDataSource } from './data-options.ts';

interface SelectFlags extends Omit<DataFlags, 'threshold'> {
  readonly model: string;
  readonly size: number;
  readonly external: string;
  readonly reference?: string;
  readonly referenceSplit?: string;
  readonly out: string;
  readonly json?: boolean;
}

const EXAMPLES = `
Examples:
  200 lesions of a pool, 50 of each sex and label, as much like the clinic's own patients as can be:
    counterweight select --model model/ --manifest pool.csv --image file --label melanoma --sensitive sex \\
      --subject patient --size 200 --reference clinic.csv --out chosen.csv
  From the split "external", like the split "clinic"; rows of other splits stay:
    counterweight select ... --split-column split --reference-split clinic --size 200 --out chosen.csv

chosen.csv has the columns of the table, image paths included, so keep it in the same folder or give --root.

Exit codes: 0 done, 64 wrong input, 65 model unfit, 70 failed, 75 try again, 130 stopped.`;

export function addSelectCommand(program: Command, console: Console): void {
  const command = program
    .command('select')
    .summary('choose a balanced subset that is like a reference')
    .description(
      "Chooses from a larger pool as many samples of every group with either label, whole subjects, closest to a reference by the model's features (kernel herding), and writes them as a manifest.",
    )
    .requiredOption('--model <path>', 'model file (.onnx, .keras, .h5) or folder with a model.json (tfjs)')
    .requiredOption('--size <samples>', 'samples to choose, a multiple of groups × 2', parseSize)
    .requiredOption('--out <csv>', 'manifest to make; must not exist');
  addDataOptions(command)
    .option('--external <split>', 'split that is the pool (with --split-column)', DEFAULT_SPLITS.external)
    .option(
      '--reference <csv>',
      'table to be like, with the same columns but for the split (default: the pool)',
    )
    .option('--reference-split <split>', 'split of the manifest to be like instead');
  addBackendOption(addHeadOptions(command.optionsGroup('Model:')))
    .optionsGroup('Output:')
    .option('--json', 'print cells, counts and distances as JSON')
    .addHelpText('after', EXAMPLES)
    .action((flags: SelectFlags) => select(flags, console));
}

function parseSize(text: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw new InvalidInputError(`--size: expected a whole number from 1, received "${text}"`, {
    flag: '--size',
  });
}

async function select(flags: SelectFlags, console: Console): Promise<void> {
  await assertAbsent(flags.out, 'file');
  const source = await readDataSource(flags.model, flags);
  const reference = referenceOf(flags);
  await startBackend(flags.backend, { threads: flags.threads });
  const { selectSubset } = await import('../select-subset.ts');
  const { progress, signal } = console;
  const summary = await selectSubset({ ...flags, source, reference, progress, signal });
  const { selectionTable, selectionNotes } = await import('./selection-table.ts');
  for (const note of selectionNotes(summary)) console.note(note);
  console.print(flags.json ? JSON.stringify(summary, null, 2) : selectionTable(summary));
  console.note(`manifest: ${flags.out}`);
  const root = source.root ?? path.dirname(source.manifest);
  if (source.columns.image !== undefined && path.resolve(root) !== path.resolve(path.dirname(flags.out))) {
    console.note(`image paths start from another folder: give --root ${root} with it`);
  }
}

function referenceOf({ reference, referenceSplit }: SelectFlags): SelectJob['reference'] {
  if (reference !== undefined && referenceSplit !== undefined) {
    throw new InvalidInputError('--reference: expected no --reference-split beside it, received both', {
      flag: '--reference-split',
    });
  }
  if (referenceSplit !== undefined) return { split: referenceSplit };
  return reference === undefined ? undefined : { manifest: reference };
}
