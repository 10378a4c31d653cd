import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { auditPredictions } from '../core/data/audit-predictions.ts';
import { assertGroupCount, type Columns } from '../core/data/columns.ts';
import type { JoinRequest } from '../core/data/groups/join.ts';
import type { Samples } from '../core/data/types.ts';
import { InvalidInputError } from '../core/errors.ts';
import type { AuditOptions } from '../core/fairness/audit.ts';
import type { AuditReport } from '../core/fairness/types.ts';
import { renderAuditReport } from '../core/report/audit-report.ts';
import { auditPart } from './audit-part.ts';
import type { DataSource } from './load-data.ts';
import { loadModelAndData } from './load-data.ts';
import type { Progress } from './progress.ts';
import { assertAbsent, writeFolder } from './run-folder.ts';

interface AuditChoices extends AuditOptions {
  readonly threshold: number;
  /** Audit the rows of this split only. */
  readonly only?: string | undefined;
}

interface TableAudit extends AuditChoices {
  /** CSV, JSONL or Parquet. */
  readonly predictions: string;
  readonly columns: Columns;
  /** Sensitive features that are combined at most; 1 for none. */
  readonly intersections?: number | undefined;
  /** A second table that holds some of the sensitive features. */
  readonly join?: JoinRequest | undefined;
}

/** An audit of files of this machine: a table of predictions, or a model with its data. */
export type FileAudit = TableAudit | (AuditChoices & { readonly source: DataSource });

export interface AuditHooks {
  readonly progress: Progress;
  readonly signal: AbortSignal;
}

export function auditFiles(request: FileAudit, hooks: AuditHooks): Promise<AuditReport> {
  if ('source' in request) return auditModel(request.source, request, hooks);
  return auditPredictions({ ...request, path: request.predictions });
}

/** Audits and writes audit.json and report.html into a new folder. */
export async function auditToFolder(
  request: FileAudit,
  { folder, ...hooks }: AuditHooks & { readonly folder: string },
): Promise<AuditReport> {
  await assertAbsent(folder);
  const report = await auditFiles(request, hooks);
  const source = path.basename('source' in request ? request.source.model : request.predictions);
  await writeFolder(folder, async (partial) => {
    await writeFile(path.join(partial, 'audit.json'), `${JSON.stringify(report, null, 2)}\n`);
    const page = renderAuditReport(report, { title: 'Fairness audit', source });
    await writeFile(path.join(partial, 'report.html'), page);
  });
  return report;
}

async function auditModel(
  source: DataSource,
  { threshold, only }: AuditChoices,
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
