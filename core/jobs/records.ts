import type { JobDeps } from './deps.ts';
import { recordKey } from './keys.ts';
import { type JobRecord, jobRecordSchema } from './record.ts';
import { readState, type StatePlace, updateState } from './state.ts';

const placeOf = (jobId: string): StatePlace<JobRecord> => ({
  key: recordKey(jobId),
  schema: jobRecordSchema,
});

/** @returns null when no job has this id */
export async function readRecord(
  { store }: Pick<JobDeps, 'store'>,
  jobId: string,
): Promise<JobRecord | null> {
  const state = await readState(store, placeOf(jobId));
  return state?.value ?? null;
}

/**
 * Changes a record against other writers.
 *
 * @param change  the changed record, or null to leave it alone; called again after each lost round
 * @returns the record as it then is; null when no job has this id
 */
export function updateRecord(
  { store }: Pick<JobDeps, 'store'>,
  jobId: string,
  change: (record: JobRecord) => JobRecord | null,
): Promise<{ readonly value: JobRecord; readonly isChanged: boolean } | null> {
  return updateState(store, placeOf(jobId), change);
}
