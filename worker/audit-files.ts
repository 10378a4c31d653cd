import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { assertGroupCount, type Columns } from '../core/data/columns.ts';
import type { JoinRequest } from '../core/data/groups/join.ts';
import type { Samples } from '../core/data/types.ts';
import { InvalidInputError } from '../core/errors.ts';
import type { AuditOptions } from '../core/fairness/audit-defaults.ts';
import type { AuditReport } from '../core/fairness/types.ts';
import type { ExportName } from '../core/report/exports/formats.ts';
import type { LanguageCode } from '../core/report/language/language.ts';
import type { AuditOutcome } from './audit-outcome.ts';
import { auditPart } from './audit-part.ts';
import type { DataSource } from './load-data.ts';
import { loadModelAndData } from './load-data.ts';
import type { Progress } from './progress.ts';
import { writeFolder } from './run-folder.ts';

interface AuditChoices extends AuditOptions {
  readonly threshold: number;
  /** Audit the rows of this split only. */
  readonly only?: string | undefined;
  /** Sensitive features that are combined at most; 1 for none. */
  readonly intersections?: number | undefined;
}

interface TableAudit extends AuditChoices {
  /** CSV, JSONL or Parquet. */
  readonly predictions: string;
  readonly columns: Columns;
  /** A second table that holds some of the sensitive features. */
  readonly join?: JoinRequest | undefined;
}

/** An audit of files of this machine: a table of predictions, or a model with its data. */
export type FileAudit = TableAudit | (AuditChoices & { readonly source: DataSource });

export interface AuditHooks {
  readonly progress: Progress;
  readonly signal: AbortSignal;
}

export async function auditFiles(request: FileAudit, hooks: AuditHooks): Promise<AuditReport> {
  if ('source' in request) return auditModel(request.source, request, hooks);
  // readers of other kinds of tables are loaded by who has a table
  const { auditPredictions } = await import('../core/data/audit-predictions.ts');
  const { progress, signal } = hooks;
  const path = request.predictions;
  const report = await auditPredictions({
    ...request,
    path,
    hooks: {
      signal,
      onPass: (table) => startPass(progress, table === path ? 'read table' : 'read second table'),
      onRead: () => progress.start('audit', 1),
    },
  });
  progress.finish();
  return report;
}

/** A stage of total 1, which hears of the share that is done. */
function startPass(progress: Progress, stage: string): (share: number) => void {
  let done = 0;
  progress.start(stage, 1);
  return (share) => {
    progress.advance(share - done);
    done = share;
  };
}

interface ReportOptions {
  /** Where the scores or predictions came from. */
  readonly source: string;
  readonly lang?: LanguageCode;
  /** Name of the model, for forms that ask for it; the source when absent. */
  readonly model?: string | undefined;
  /** Forms that are written as well. */
  readonly exports?: readonly ExportName[];
}

/**
 * Writes audit.json, report.html and the forms asked for into a new folder, and drift.json where there were earlier
 * audits.
 *
 * @throws InvalidInputError when the folder exists, StorageError when it cannot be written
 */
export async function writeAudit(
  folder: string,
  { report, drift }: AuditOutcome,
  { source, lang = 'en', model = source, exports = [] }: ReportOptions,
): Promise<void> {
  const [{ renderAuditReport }, { EXPORT_FORMATS }] = await Promise.all([
    import('../core/report/audit-report.ts'),
    import('../core/report/exports/formats.ts'),
  ]);
  const json = (value: unknown) => `${JSON.stringify(value, null, 2)}\n`;
  await writeFolder(folder, async (partial) => {
    const put = (name: string, content: string) => writeFile(path.join(partial, name), content);
    await put('audit.json', json(report));
    if (drift !== null) await put('drift.json', json(drift));
    const title = lang === 'ja' ? '公平性監査' : 'Fairness audit';
    const about = { title, source, lang, gate: report.gate, drift: drift ?? undefined };
    await put('report.html', renderAuditReport(report, about));
    for (const name of exports) {
      const { file, render } = EXPORT_FORMATS[name];
      await put(file, render(report, { model, source, gate: report.gate }));
    }
  });
}

async function auditModel(
  source: DataSource,
  { threshold, only, ...options }: AuditChoices,
  { progress, signal }: AuditHooks,
): Promise<AuditReport> {
  const { model, manifest, inputs } = await loadModelAndData(source, signal);
  try {
    assertGroupCount(manifest.sensitiveFeatures, 'manifest');
    const report = await auditPart({
      model,
      inputs,
      samples: manifest,
      sensitiveFeatures: manifest.sensitiveFeatures,
      rows: rowsOf(manifest, only),
      threshold,
      auditOptions: options,
      stage: 'audit',
      progress,
      signal,
    });
    progress.finish();
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
