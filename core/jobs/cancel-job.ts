import { JobNotFoundError } from '../errors.ts';
import type { JobDeps } from './deps.ts';
import { CANCEL_REASON } from './failure.ts';
import { changeRecord, type JobRecord } from './record.ts';
import { updateRecord } from './records.ts';
import { partsOf, queueOf } from './work.ts';

/**
 * Cancels a job and stops its work, the last part first so that none starts in between. A job that is cancelled
 * already is stopped once more, in case that failed before.
 *
 * @throws JobNotFoundError when no job has this id
 * @throws JobConflictError when the job has succeeded or failed
 */
export async function cancelJob(deps: JobDeps, jobId: string): Promise<JobRecord> {
  const updated = await updateRecord(deps, jobId, (record) =>
    record.status === 'cancelled' ? null : changeRecord(record, { status: 'cancelled' }, deps.now()),
  );
  if (updated === null) throw noSuchJob(jobId);
  const queue = queueOf(deps, updated.value.request);
  for (const queueId of (await queueIdsOf(deps, updated.value)).toReversed()) {
    await queue.terminate(queueId, CANCEL_REASON);
  }
  return updated.value;
}

/** Those recorded, and of a submission that was left half-way those that nobody came to record. */
async function queueIdsOf(deps: JobDeps, record: JobRecord): Promise<string[]> {
  const unrecorded = partsOf(record).slice(record.queueIds.length);
  const found = await Promise.all(unrecorded.map((part) => queueOf(deps, record.request).find(part)));
  return [...record.queueIds, ...found.filter((queueId) => queueId !== null)];
}

export function noSuchJob(jobId: string): JobNotFoundError {
  return new JobNotFoundError('job: expected the id of a job, found none with this one', { jobId });
}
