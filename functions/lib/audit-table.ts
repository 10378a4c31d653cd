import { createWriteStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { output } from 'zod';
import { assertGroupCount } from '../../core/data/columns.ts';
import { loadPredictions } from '../../core/data/predictions.ts';
import type { PredictionTable } from '../../core/data/types.ts';
import { InvalidInputError, isCounterweightError, StorageError } from '../../core/errors.ts';
import { audit, type Decisions } from '../../core/fairness/audit.ts';
import type { AuditReport } from '../../core/fairness/types.ts';
import { withoutData, withoutPaths } from '../../core/jobs/redact.ts';
import type { predictionsAuditSchema } from '../../core/jobs/schema.ts';
import type { ObjectStore } from '../../core/storage/object-store.ts';

/** Largest table that is audited while a caller waits: some 200,000 rows, a few seconds on one Lambda core. */
export const LARGEST_DIRECT_AUDIT_BYTES = 8 * 2 ** 20;

type AuditRequest = output<typeof predictionsAuditSchema>;

/** Audits a table of predictions at once; null when it is too large for that, or not there. */
export type AuditTable = (request: AuditRequest) => Promise<AuditReport | null>;

interface AuditTableDeps {
  readonly store: ObjectStore;
  readonly startBackend: () => Promise<void>;
}

/**
 * An audit in this process. The table is streamed to a file of its own, which is gone afterwards.
 *
 * @throws InvalidInputError naming line and column; never a cell, a key or a path
 */
export function makeAuditTable({ store, startBackend }: AuditTableDeps): AuditTable {
  return async (request) => {
    const info = await store.info(request.predictions);
    if (info === null || info.bytes > LARGEST_DIRECT_AUDIT_BYTES) return null;
    await startBackend();
    const folder = await mkdtemp(path.join(tmpdir(), 'counterweight-'));
    try {
      const file = path.join(folder, 'predictions.csv');
      return (await fetchTable(store, request.predictions, file)) ? await auditFile(file, request) : null;
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  };
}

/** @returns false when the object is gone, or grew too large since it was looked at */
async function fetchTable(store: ObjectStore, key: string, file: string): Promise<boolean> {
  const source = await store.readStream(key);
  if (source === null) return false;
  let bytes = 0;
  const limited = async function* (chunks: AsyncIterable<Buffer>) {
    for await (const chunk of chunks) {
      bytes += chunk.length;
      if (bytes > LARGEST_DIRECT_AUDIT_BYTES) return;
      yield chunk;
    }
  };
  try {
    await pipeline(source, limited, createWriteStream(file));
  } catch (cause) {
    if (isCounterweightError(cause)) throw cause;
    throw new StorageError('predictions: cannot be fetched', { where: 'predictions' }, { cause });
  }
  return bytes <= LARGEST_DIRECT_AUDIT_BYTES;
}

async function auditFile(file: string, request: AuditRequest): Promise<AuditReport> {
  const table = await loadPredictions(file, request.columns).catch((error: unknown) => {
    throw publicError(error, file, request);
  });
  assertGroupCount(table.sensitiveFeatures, 'predictions');
  const rows = rowsOf(table, request.only);
  const pick = (values: Int32Array) => Int32Array.from(rows, (row) => values[row]!);
  return audit({
    labels: pick(table.labels),
    sensitiveFeatures: table.sensitiveFeatures.map((feature) => ({
      ...feature,
      groups: pick(feature.groups),
    })),
    decisions: decisionsOf(table, rows, request.threshold),
  });
}

/** What is wrong with the table, for a reader who may not see the table. */
function publicError(error: unknown, file: string, { columns }: AuditRequest): unknown {
  if (!isCounterweightError(error) || error.code !== 'INVALID_INPUT') return error;
  const message = withoutData(withoutPaths(error.message, { predictions: file }), columns);
  return new InvalidInputError(message, { where: 'predictions', issues: [message] }, { cause: error });
}

function decisionsOf(table: PredictionTable, rows: readonly number[], threshold: number): Decisions {
  const { scores, predictions } = table;
  if (scores) return { scores: Float64Array.from(rows, (row) => scores[row]!), threshold };
  return { predictions: Int32Array.from(rows, (row) => predictions![row]!) };
}

function rowsOf({ size, splits }: PredictionTable, only: string | undefined): number[] {
  const rows = Array.from({ length: size }, (_, row) => row);
  if (only === undefined) return rows;
  const refuse = (expected: string) =>
    new InvalidInputError(`only: expected ${expected}, received none`, { where: 'only' });
  if (!splits) throw refuse('"columns.split" as well');
  const chosen = rows.filter((row) => splits[row] === only);
  if (chosen.length === 0) throw refuse('a split with rows');
  return chosen;
}
