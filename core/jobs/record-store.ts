import { parseWith } from '../data/parse.ts';
import { ConflictError, JobNotFoundError } from '../errors.ts';
import type { ObjectStore } from '../storage/object-store.ts';
import { recordKey } from './keys.ts';
import type { JobChange, JobRecord } from './record.ts';
import { changeRecord, jobRecordSchema } from './record.ts';

/** Tries of a change against writers that got there first. */
const TRIES = 10;

/** @throws JobNotFoundError when no job has this id */
export async function readRecord(
  store: ObjectStore,
  jobId: string,
): Promise<{ record: JobRecord; etag: string }> {
  const object = await store.read(recordKey(jobId));
  if (object === null) throw new JobNotFoundError(`job "${jobId}": not found`, { jobId });
  const value: unknown = JSON.parse(Buffer.from(object.body).toString('utf8'));
  return { record: parseWith(jobRecordSchema, value, `record of job "${jobId}"`), etag: object.etag };
}

/** @throws ConflictError when the job exists already */
export async function createRecord(store: ObjectStore, record: JobRecord): Promise<void> {
  await store.write(recordKey(record.jobId), JSON.stringify(record), {
    contentType: 'application/json',
    onlyIf: 'absent',
  });
}

/**
 * Changes a record by conditional writes, so that of two writers neither is lost.
 *
 * @param change  what to change, from the record as it is; null for nothing
 * @returns the record as it then is
 * @throws JobNotFoundError when no job has this id
 * @throws JobConflictError when the status may not follow
 * @throws ConflictError when others kept winning
 */
export async function updateRecord(
  store: ObjectStore,
  jobId: string,
  { change, now }: { change: (record: JobRecord) => JobChange | null; now: () => Date },
): Promise<JobRecord> {
  for (let attempt = 1; ; attempt += 1) {
    const { record, etag } = await readRecord(store, jobId);
    const wanted = change(record);
    if (wanted === null) return record;
    const changed = changeRecord(record, wanted, now());
    try {
      await store.write(recordKey(jobId), JSON.stringify(changed), {
        contentType: 'application/json',
        onlyIf: { etag },
      });
      return changed;
    } catch (error) {
      if (!(error instanceof ConflictError) || attempt === TRIES) throw error;
    }
  }
}
