import type { QueueState } from '../queue/job-queue.ts';
import type { JobDeps } from './deps.ts';
import { isQueued, resumeSubmission } from './enqueue.ts';
import { applyQueueState } from './queue-state.ts';
import { changeRecord, isFinal, type JobRecord } from './record.ts';
import { updateRecord } from './records.ts';
import { publishedResults } from './results.ts';
import { queueOf } from './work.ts';

/** Without news for so long, the queue is asked; a worker tells its progress every few seconds. */
const STALE_AFTER_SECONDS = 60;

const LOST = 'the queue does not know the job any longer, and no results were published';

/**
 * Brings a record up to date whose events were lost: asks the queue when there was no news for a minute, and goes
 * on with a submission that was left half-way.
 *
 * @param heardAt  when the worker last told its progress; null when it never did
 * @returns the record as it then is
 */
export async function reconcile(deps: JobDeps, record: JobRecord, heardAt: Date | null): Promise<JobRecord> {
  if (isFinal(record.status)) return record;
  if (!isQueued(record)) return resumeSubmission(deps, record);
  if (heardAt !== null && isFresh(heardAt, deps.now())) return markRunning(deps, record);
  if (isFresh(new Date(record.updatedAt), deps.now())) return record;
  const state = await tellingState(deps, record);
  const applied = await applyQueueState(deps, record.jobId, state);
  // The time of the question goes into the record, so that the queue is asked once a minute however many look.
  const touched = await updateRecord(deps, record.jobId, (current) =>
    isFinal(current.status) || isFresh(new Date(current.updatedAt), deps.now())
      ? null
      : changeRecord(current, {}, deps.now()),
  );
  return touched?.value ?? applied ?? record;
}

function isFresh(time: Date, now: Date): boolean {
  return now.getTime() - time.getTime() < STALE_AFTER_SECONDS * 1000;
}

async function markRunning(deps: JobDeps, record: JobRecord): Promise<JobRecord> {
  if (record.status === 'running') return record;
  const updated = await updateRecord(deps, record.jobId, (current) =>
    isFinal(current.status) || current.status === 'running'
      ? null
      : changeRecord(current, { status: 'running' }, deps.now()),
  );
  return updated?.value ?? record;
}

/** The one state that decides: a part that failed, else the end of the last part, else whatever runs. */
async function tellingState(deps: JobDeps, record: JobRecord): Promise<QueueState> {
  const states = await queueOf(deps, record.request).describe(record.queueIds);
  const find = (status: QueueState['status']) => states.find((state) => state?.status === status);
  const last = states.at(-1);
  const telling = find('failed') ?? (last?.status === 'succeeded' ? last : (find('running') ?? last));
  return telling ?? forgotten(deps, record);
}

/** Queues forget what ended long ago; what was published then tells how it ended. */
async function forgotten(deps: JobDeps, record: JobRecord): Promise<QueueState> {
  const isPublished = (await publishedResults(deps.store, record)) !== null;
  const queueId = record.queueIds.at(-1)!;
  return isPublished
    ? { queueId, status: 'succeeded', attempts: 0 }
    : { queueId, status: 'failed', attempts: 0, reason: LOST };
}
