import type { JobDeps } from './deps.ts';
import { CANCEL_REASON } from './failure.ts';
import { changeRecord, isFinal, type JobRecord } from './record.ts';
import { updateRecord } from './records.ts';
import { partsOf, queueOf, type WorkPart } from './work.ts';

/** A submission that has not reached the queue by then was left by a process that died. */
const ABANDONED_AFTER_SECONDS = 60;

/**
 * Submits the parts of a new job, each recorded before the next.
 *
 * @throws StorageError when the queue or the store fails; `resumeSubmission` then goes on from there
 */
export function enqueue(deps: JobDeps, record: JobRecord): Promise<JobRecord> {
  return addParts(deps, record, (current, part) => submitPart(deps, current, part));
}

/**
 * Goes on with a submission that another process left: a part that the queue has accepted already, whose id nobody
 * came to record, is recorded and not submitted again.
 *
 * @throws StorageError when the queue or the store fails
 */
export function takeOver(deps: JobDeps, record: JobRecord): Promise<JobRecord> {
  const queue = queueOf(deps, record.request);
  return addParts(deps, record, async (current, part) => {
    const accepted = await queue.find(part);
    // What runs was accepted, even if the queue has forgotten it.
    return accepted === null && current.status !== 'running' ? submitPart(deps, current, part) : accepted;
  });
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
  return taken.isChanged ? takeOver(deps, taken.value) : taken.value;
}

function isAbandoned(record: JobRecord, now: Date): boolean {
  const { status, error, updatedAt } = record;
  if (isFinal(status) || isQueued(record)) return false;
  const ageMs = now.getTime() - Date.parse(updatedAt);
  return error !== undefined || ageMs >= ABANDONED_AFTER_SECONDS * 1000;
}

/** Is every part in the queue? */
export function isQueued(record: JobRecord): boolean {
  return record.queueIds.length >= partsOf(record).length;
}

/** Where a part is in the queue; null when that cannot be known. */
type Place = (record: JobRecord, part: WorkPart) => Promise<string | null>;

async function addParts(deps: JobDeps, record: JobRecord, place: Place): Promise<JobRecord> {
  let current = record;
  for (const part of partsOf(record).slice(record.queueIds.length)) {
    if (isFinal(current.status)) return current;
    const queueId = await place(current, part).catch((error) => giveUp(deps, current, error));
    if (queueId === null) return current;
    current = await addQueueId(deps, current, queueId);
  }
  return current;
}

function submitPart(deps: JobDeps, { request, queueIds }: JobRecord, part: WorkPart): Promise<string> {
  const after = queueIds.slice(-1);
  return queueOf(deps, request).submit({ ...part, ...(after.length > 0 && { after }) });
}

/** The mark lets the next caller go on at once; the reason reaches this one. */
async function giveUp(deps: JobDeps, { jobId }: JobRecord, error: unknown): Promise<never> {
  await updateRecord(deps, jobId, (current) =>
    isFinal(current.status) ? null : changeRecord(current, { error: NOT_QUEUED }, deps.now()),
  );
  throw error;
}

const NOT_QUEUED = {
  code: 'NOT_QUEUED',
  message: 'the job could not be queued yet; it is tried again by itself, and by the same request at once',
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
