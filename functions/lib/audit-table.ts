import { createWriteStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { output } from 'zod';
import { auditPredictions } from '../../core/data/audit-predictions.ts';
import { isTooLong } from '../../core/data/predictions.ts';
import { InvalidInputError, isCounterweightError, StorageError } from '../../core/errors.ts';
import type { AuditReport } from '../../core/fairness/types.ts';
import { withoutData, withoutPaths } from '../../core/jobs/redact.ts';
import type { predictionsAuditSchema } from '../../core/jobs/schema.ts';
import type { ObjectStore } from '../../core/storage/object-store.ts';

/** Largest table that is audited while a caller waits: some 200,000 rows of CSV, a few seconds on one Lambda core. */
export const LARGEST_DIRECT_AUDIT_BYTES = 8 * 2 ** 20;
/** What compressed tables may hold within those bytes. */
const MOST_ROWS = 1_000_000;

type AuditRequest = output<typeof predictionsAuditSchema>;

/** Audits a table of predictions at once; null when it is too large for that, or not there. */
export type AuditTable = (request: AuditRequest) => Promise<AuditReport | null>;

interface AuditTableDeps {
  readonly store: ObjectStore;
  readonly startBackend: () => Promise<void>;
  /** Rows above which a table is left to a job. */
  readonly mostRows?: number;
}

/**
 * An audit in this process. The table is streamed to a file of its own, which is gone afterwards.
 *
 * @throws InvalidInputError naming line and column; never a cell, a key or a path
 */
export function makeAuditTable({ store, startBackend, mostRows = MOST_ROWS }: AuditTableDeps): AuditTable {
  return async (request) => {
    const info = await store.info(request.predictions);
    if (info === null || info.bytes > LARGEST_DIRECT_AUDIT_BYTES) return null;
    await startBackend();
    const folder = await mkdtemp(path.join(tmpdir(), 'counterweight-'));
    try {
      const ending = /(?:\.[a-z]{1,8}){0,2}$/i.exec(request.predictions)![0];
      const file = path.join(folder, `predictions${ending}`);
      return (await fetchTable(store, request.predictions, file))
        ? await auditFile(request, file, mostRows)
        : null;
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

/** @returns null when the table has too many rows for this */
async function auditFile(request: AuditRequest, file: string, mostRows: number): Promise<AuditReport | null> {
  try {
    return await auditPredictions({ ...request, path: file, mostRows });
  } catch (error) {
    if (isTooLong(error)) return null;
    throw publicError(error, file, request);
  }
}

/** What is wrong with the table, for a reader who may not see the table. */
function publicError(error: unknown, file: string, request: AuditRequest): unknown {
  if (!isCounterweightError(error) || error.code !== 'INVALID_INPUT') return error;
  const message = withoutData(withoutPaths(error.message, { predictions: file }), request);
  return new InvalidInputError(message, { where: 'predictions', issues: [message] }, { cause: error });
}
