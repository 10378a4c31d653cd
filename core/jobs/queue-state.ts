import type { QueueState } from '../queue/job-queue.ts';
import type { JobDeps } from './deps.ts';
import { isQueued } from './enqueue.ts';
import { CANCEL_REASON, failureOf } from './failure.ts';
import { changeRecord, isFinal, type JobChange, type JobRecord } from './record.ts';
import { readRecord, updateRecord } from './records.ts';
import { publishedResults } from './results.ts';
import { partsOf, queueOf } from './work.ts';

/** A queue that says "succeeded" about work that left nothing behind is not believed. */
const NO_RESULTS = {
  code: 'NO_RESULTS',
  message: 'the work ended without an error, but published no results',
};

/**
 * Tells a job's record what its queue says. News that is late, repeated, about a job that has ended or about work
 * that is not this job's changes nothing; news that overtakes the submission's own note of its id is taken.
 *
 * @param state  `queueId` may name one process of an array: `{id}:{index}`
 * @returns the record as it then is; null when no job has this id
 */
export async function applyQueueState(
  deps: JobDeps,
  jobId: string,
  state: QueueState,
): Promise<JobRecord | null> {
  const stored = await readRecord(deps, jobId);
  if (stored === null) return null;
  // Results are whole before the queue knows of the end, and however the process ended after it published them.
  const hasEnded = state.status === 'succeeded' || state.status === 'failed';
  const results = hasEnded && !isFinal(stored.status) ? await publishedResults(deps.store, stored) : null;
  const updated = await updateRecord(deps, jobId, (record) => {
    const known = adopt(record, state);
    const change = changeBy(known, state, results);
    if (known === record && change === null) return null;
    return changeRecord(known, change ?? {}, deps.now());
  });
  const record = updated?.value ?? stored;
  if (record.status === 'failed' && hasFailedItself(state)) await stopRest(deps, record);
  return record;
}

/** Not because of what we stopped ourselves, which would go round in circles. */
function hasFailedItself(state: QueueState): boolean {
  return state.status === 'failed' && !['CANCELLED', 'DEPENDENCY_FAILED'].includes(failureOf(state).code);
}

/** The only part of a job is known by the job's id, even before its own id was recorded. */
function adopt(record: JobRecord, { queueId }: QueueState): JobRecord {
  if (isFinal(record.status) || record.queueIds.length > 0 || partsOf(record).length > 1) return record;
  return { ...record, queueIds: [queueId] };
}

/** null where they are not all published. */
type Results = Pick<JobChange, 'results' | 'outcome'> | null;

function changeBy(record: JobRecord, state: QueueState, results: Results): JobChange | null {
  const [queueId] = state.queueId.split(':') as [string];
  if (isFinal(record.status) || !record.queueIds.includes(queueId)) return null;
  switch (state.status) {
    case 'queued':
      return isNewInQueue(record, state) ? { status: 'queued' } : null;
    case 'running':
      // A sweep whose reduction is not in the queue yet stays submitted, so that its submission is gone on with.
      return record.status !== 'running' && isQueued(record) ? { status: 'running' } : null;
    case 'succeeded':
    case 'failed':
      return endBy(record, state, results);
    default:
      return state.status satisfies never;
  }
}

/** The last part ends the job, and so does whatever fails; an array's end is not that of its processes. */
function endBy(record: JobRecord, state: QueueState, results: Results): JobChange | null {
  const isLast = record.queueIds.indexOf(state.queueId) === partsOf(record).length - 1;
  if (isLast && results !== null) return { status: 'succeeded', ...results };
  if (state.status === 'failed') return failedBy(state);
  return isLast ? { status: 'failed', error: NO_RESULTS } : null;
}

/** A running job is back in the queue only for another attempt; parts that wait for others do not count. */
function isNewInQueue(record: JobRecord, { attempts }: QueueState): boolean {
  if (record.status === 'submitted') return isQueued(record);
  return record.status === 'running' && attempts > 0 && partsOf(record).length === 1;
}

function failedBy(state: QueueState): JobChange {
  const { code, message } = failureOf(state);
  const index = state.queueId.split(':')[1];
  if (code === 'CANCELLED') return { status: 'cancelled' };
  const where = index === undefined ? '' : `shard ${Number(index) + 1}: `;
  return { status: 'failed', error: { code, message: `${where}${message}` } };
}

/** What is left of a sweep cannot help any more once a part has failed. */
async function stopRest(deps: JobDeps, { request, queueIds }: JobRecord): Promise<void> {
  if (queueIds.length < 2) return;
  for (const queueId of queueIds.toReversed()) {
    await queueOf(deps, request).terminate(queueId, CANCEL_REASON);
  }
}
