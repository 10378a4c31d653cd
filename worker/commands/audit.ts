import path from 'node:path';
import type { Command } from 'commander';
import { InvalidInputError } from '../../core/errors.ts';
import type { AuditReport } from '../../core/fairness/types.ts';
import { auditFiles, auditToFolder } from '../audit-files.ts';
import { startBackend } from '../backend.ts';
import type { Console } from './console.ts';
import type { DataFlags } from './data-options.ts';
import { addDataOptions, addModelOptions, readDataConfig, readDataSource } from './data-options.ts';
import { auditTable } from './tables.ts';

interface AuditFlags extends DataFlags {
  readonly model?: string;
  readonly predictions?: string;
  readonly only?: string;
  readonly out?: string;
  readonly json?: boolean;
}

const EXAMPLES = `
Examples:
  A table of predictions, as any tool can write it:
    counterweight audit --predictions scores.csv --label y --score p --sensitive sex race
  A model and its images, test split only:
    counterweight audit --model model/ --manifest labels.csv --image file --label melanoma \\
      --sensitive sex --split-column split --only test --out audit/

Exit codes: 0 done, 64 wrong input, 65 data or model unfit, 70 failed, 75 try again, 130 stopped.`;

export function addAuditCommand(program: Command, console: Console): void {
  const command = program
    .command('audit')
    .summary('measure rates and disparities by group')
    .description(
      'Measures rates, AUC and disparities of each group, for a model on its data or for a table of predictions. Groups without support are named, never counted as equal.',
    );
  command
    .option('--model <path>', 'model file (.onnx, .keras, .h5) or folder with a model.json (tfjs)')
    .option('--predictions <csv>', 'table of predictions instead of a model');
  addDataOptions(command)
    .option('--score <column>', 'column with scores in [0, 1] (with --predictions)')
    .option('--prediction <column>', 'column with predicted labels (with --predictions)')
    .option('--only <split>', 'audit the rows of this split only');
  addModelOptions(command);
  command
    .optionsGroup('Output:')
    .option('--out <folder>', 'write audit.json and report.html into a new folder')
    .option('--json', 'print the audit as JSON')
    .addHelpText('after', EXAMPLES)
    .action(async (flags: AuditFlags) => {
      const report = await runAudit(flags, console);
      console.print(flags.json ? JSON.stringify(report, null, 2) : auditTable(report));
      if (flags.out !== undefined) console.note(`report: ${path.join(flags.out, 'report.html')}`);
    });
}

async function runAudit(flags: AuditFlags, console: Console): Promise<AuditReport> {
  const { model, predictions, out } = flags;
  if ((model === undefined) === (predictions === undefined)) {
    throw new InvalidInputError(
      `audit: expected either --model or --predictions, received ${model === undefined ? 'neither' : 'both'}`,
    );
  }
  await startBackend(flags.backend, { threads: flags.threads });
  const request =
    predictions === undefined
      ? { ...flags, source: await readDataSource(model!, flags) }
      : { ...flags, predictions, columns: (await readDataConfig(flags)).columns };
  return out === undefined
    ? auditFiles(request, console)
    : auditToFolder(request, { ...console, folder: out });
}
