import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Command } from 'commander';
import { loadPredictions } from '../../core/data/predictions.ts';
import type { PredictionTable, Samples } from '../../core/data/types.ts';
import { InvalidInputError } from '../../core/errors.ts';
import type { Decisions } from '../../core/fairness/audit.ts';
import { audit } from '../../core/fairness/audit.ts';
import type { AuditReport } from '../../core/fairness/types.ts';
import { renderAuditReport } from '../../core/report/audit-report.ts';
import { auditPart } from '../audit-part.ts';
import { startBackend } from '../backend.ts';
import { loadModelAndData } from '../load-data.ts';
import { writeFolder } from '../run-folder.ts';
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
    .option('--model <folder>', 'folder with a model.json (tfjs LayersModel)')
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
      if (flags.out !== undefined) await writeAudit(flags.out, report, flags);
      console.print(flags.json ? JSON.stringify(report, null, 2) : auditTable(report));
      if (flags.out !== undefined) console.note(`report: ${path.join(flags.out, 'report.html')}`);
    });
}

async function runAudit(flags: AuditFlags, console: Console): Promise<AuditReport> {
  if ((flags.model === undefined) === (flags.predictions === undefined)) {
    throw new InvalidInputError(
      `audit: expected either --model or --predictions, received ${flags.model === undefined ? 'neither' : 'both'}`,
    );
  }
  await startBackend(flags.backend);
  return flags.predictions === undefined
    ? auditModel(flags.model!, flags, console)
    : auditPredictions(flags.predictions, flags);
}

async function auditPredictions(file: string, flags: AuditFlags): Promise<AuditReport> {
  const { columns } = await readDataConfig(flags);
  const table = await loadPredictions(file, columns);
  const rows = rowsOf(table, flags.only);
  const pick = (values: Int32Array) => Int32Array.from(rows, (row) => values[row]!);
  return audit({
    labels: pick(table.labels),
    sensitiveFeatures: table.sensitiveFeatures.map((feature) => ({
      ...feature,
      groups: pick(feature.groups),
    })),
    decisions: decisionsOf(table, rows, flags.threshold),
  });
}

function decisionsOf(
  { scores, predictions }: PredictionTable,
  rows: readonly number[],
  threshold: number,
): Decisions {
  if (scores) return { scores: Float64Array.from(rows, (row) => scores[row]!), threshold };
  return { predictions: Int32Array.from(rows, (row) => predictions![row]!) };
}

async function auditModel(modelPath: string, flags: AuditFlags, console: Console): Promise<AuditReport> {
  const source = await readDataSource(modelPath, flags);
  const { model, manifest, inputs } = await loadModelAndData(source, console.signal);
  try {
    const report = await auditPart({
      model,
      inputs,
      samples: manifest,
      sensitiveFeatures: manifest.sensitiveFeatures,
      rows: rowsOf(manifest, flags.only),
      threshold: flags.threshold,
      stage: 'audit',
      progress: console.progress,
      signal: console.signal,
    });
    console.progress.finish();
    return report;
  } finally {
    model.dispose();
  }
}

function rowsOf({ size, splits }: Samples, only: string | undefined): number[] {
  const rows = Array.from({ length: size }, (_, row) => row);
  if (only === undefined) return rows;
  if (!splits) throw new InvalidInputError('--only: expected --split-column as well, received none');
  const chosen = rows.filter((row) => splits[row] === only);
  if (chosen.length > 0) return chosen;
  throw new InvalidInputError(`--only "${only}": expected a split with rows, received none among ${size}`, {
    only,
  });
}

async function writeAudit(folder: string, report: AuditReport, flags: AuditFlags): Promise<void> {
  const source = path.basename(flags.predictions ?? flags.model!);
  await writeFolder(folder, async (partial) => {
    await writeFile(path.join(partial, 'audit.json'), `${JSON.stringify(report, null, 2)}\n`);
    await writeFile(
      path.join(partial, 'report.html'),
      renderAuditReport(report, { title: 'Fairness audit', source }),
    );
  });
}
