import type { JobDeps } from './deps.ts';
import { CANCEL_REASON } from './failure.ts';
import { changeRecord, isFinal, type JobRecord } from './record.ts';
import { updateRecord } from './records.ts';
import { partsOf, queueOf, type WorkPart } from './work.ts';

/** A submission that has not reached the queue by then was left by a process that died. */
const ABANDONED_AFTER_SECONDS = 60;

/**
 * Submits the parts of a job that are not in the queue yet, each recorded before the next.
 *
 * @throws StorageError when the queue or the store fails; `resumeSubmission` then goes on from there
 */
export async function enqueue(deps: JobDeps, record: JobRecord): Promise<JobRecord> {
  let current = record;
  for (const part of partsOf(record).slice(record.queueIds.length)) {
    if (isFinal(current.status)) return current;
    current = await addQueueId(deps, current, await submitPart(deps, current, part));
  }
  return current;
}

/**
 * Takes over a submission that failed or was abandoned half-way; any other record is returned as it is. Of
 * several callers one takes it over.
 */
export async function resumeSubmission(deps: JobDeps, record: JobRecord): Promise<JobRecord> {
  if (!isAbandoned(record, deps.now())) return record;
  const taken = await updateRecord(deps, record.jobId, (current) => {
    if (!isAbandoned(current, deps.now())) return null;
    const { error: _, ...rest } = current;
    return changeRecord(rest, {}, deps.now());
  });
  if (taken === null) return record;
  return taken.isChanged ? enqueue(deps, taken.value) : taken.value;
}

function isAbandoned(record: JobRecord, now: Date): boolean {
  const { status, error, updatedAt } = record;
  // What runs was queued, whether or not its id was noted.
  if (status !== 'submitted' || isQueued(record)) return false;
  const ageMs = now.getTime() - Date.parse(updatedAt);
  return error !== undefined || ageMs >= ABANDONED_AFTER_SECONDS * 1000;
}

/** Is every part in the queue? */
export function isQueued(record: JobRecord): boolean {
  return record.queueIds.length >= partsOf(record).length;
}

async function submitPart(deps: JobDeps, record: JobRecord, part: WorkPart): Promise<string> {
  const after = record.queueIds.slice(-1);
  try {
    return await queueOf(deps, record.request).submit({ ...part, ...(after.length > 0 && { after }) });
  } catch (error) {
    // The mark lets the next caller go on at once; the reason reaches this one.
    await updateRecord(deps, record.jobId, (current) =>
      isFinal(current.status) ? null : changeRecord(current, { error: NOT_QUEUED }, deps.now()),
    );
    throw error;
  }
}

const NOT_QUEUED = {
  code: 'NOT_QUEUED',
  message: 'the job could not be queued yet; the same request tries again',
};

/**
 * Records a submitted part. What the record does not take is stopped: it was cancelled meanwhile, or another
 * process has submitted the same part.
 */
async function addQueueId(deps: JobDeps, record: JobRecord, queueId: string): Promise<JobRecord> {
  const place = record.queueIds.length;
  const updated = await updateRecord(deps, record.jobId, (current) => {
    if (isFinal(current.status) || current.queueIds.length > place) return null;
    const next = { ...current, queueIds: [...current.queueIds, queueId] };
    const isComplete = isQueued(next) && current.status === 'submitted';
    return changeRecord(next, isComplete ? { status: 'queued' } : {}, deps.now());
  });
  const current = updated?.value ?? record;
  if (!current.queueIds.includes(queueId)) {
    await queueOf(deps, record.request).terminate(queueId, CANCEL_REASON);
  }
  return current;
}
