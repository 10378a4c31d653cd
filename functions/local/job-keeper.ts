import type { JobDeps } from '../../core/jobs/deps.ts';
import { enqueue, isQueued, takeOver } from '../../core/jobs/enqueue.ts';
import { applyQueueState } from '../../core/jobs/queue-state.ts';
import { changeRecord, isFinal, type JobRecord } from '../../core/jobs/record.ts';
import { readRecord, updateRecord } from '../../core/jobs/records.ts';
import { publishedResults } from '../../core/jobs/results.ts';
import { partsOf, queueOf } from '../../core/jobs/work.ts';
import type { JobQueue, QueueState } from '../../core/queue/job-queue.ts';

/** Given to the queue for work that the record did not take. */
const NOT_NEEDED = 'the job has ended meanwhile';

/** Does on one machine what EventBridge's events do on AWS: tells the records what the queue says. */
export interface JobKeeper {
  /**
   * Once, before anything else: goes on with what an earlier server left, also where the queue forgot it.
   *
   * @param jobIds  of every record, in the order in which work is to be queued again
   */
  recover(jobIds: readonly string[]): Promise<void>;
  /** Tells the records of all jobs that have not ended. */
  tick(): Promise<void>;
}

/** The same queue; the ids of the jobs that it was given gather in a set. */
export function noteJobs(queue: JobQueue, jobIds: Set<string>): JobQueue {
  return {
    ...queue,
    async submit(work) {
      jobIds.add(work.jobId);
      return queue.submit(work);
    },
  };
}

/**
 * @param open  ids of jobs that may not have ended yet; those that have are taken out
 * @param onError  hears of a job that could not be looked at; it has its turn again
 */
export function makeJobKeeper(
  deps: JobDeps,
  open: Set<string>,
  onError: (jobId: string, error: unknown) => void,
): JobKeeper {
  /** What each job's queue said last, so that no news costs no read. */
  const told = new Map<string, string>();
  const forEach = async (jobIds: Iterable<string>, work: (jobId: string) => Promise<void>) => {
    for (const jobId of jobIds) await work(jobId).catch((error: unknown) => onError(jobId, error));
  };
  const look = async (jobId: string) => {
    const record = await readRecord(deps, jobId);
    if (record === null) return;
    const state = await tellingState(deps, record);
    const news = JSON.stringify(state);
    const known = state === null || told.get(jobId) === news;
    const current = known ? record : ((await applyQueueState(deps, jobId, state)) ?? record);
    told.set(jobId, news);
    if (!isFinal(current.status)) return;
    open.delete(jobId);
    told.delete(jobId);
  };
  return {
    recover: (jobIds) =>
      forEach(jobIds, async (jobId) => {
        const record = await readRecord(deps, jobId);
        if (record === null || isFinal(record.status)) return;
        open.add(jobId);
        await goOn(deps, record);
      }),
    tick: () => forEach([...open], look),
  };
}

/** Nobody else serves this root, so a submission that is not complete was left by a server that died. */
async function goOn(deps: JobDeps, record: JobRecord): Promise<void> {
  if (!isQueued(record)) {
    const known = await takeOver(deps, record);
    // What the queue does not know now runs nowhere, whatever the record says.
    if (!isQueued(known) && !isFinal(known.status)) await enqueue(deps, known);
    return;
  }
  const states = await queueOf(deps, record.request).describe(record.queueIds);
  if (states.every((state) => state !== null)) return;
  const queueId = record.queueIds.at(-1)!;
  if ((await publishedResults(deps.store, record)) === null) await submitAgain(deps, record);
  else await applyQueueState(deps, record.jobId, { queueId, status: 'succeeded', attempts: 0 });
}

/** Work that the queue has no trace of. It goes on from its checkpoints, so nothing is lost but the last step. */
async function submitAgain(deps: JobDeps, record: JobRecord): Promise<void> {
  const queue = queueOf(deps, record.request);
  const queueIds: string[] = [];
  for (const part of partsOf(record)) {
    const after = queueIds.slice(-1);
    queueIds.push(await queue.submit({ ...part, ...(after.length > 0 && { after }) }));
  }
  const updated = await updateRecord(deps, record.jobId, (current) =>
    isFinal(current.status) ? null : changeRecord({ ...current, queueIds }, { status: 'queued' }, deps.now()),
  );
  if (updated?.isChanged) return;
  for (const queueId of queueIds.toReversed()) await queue.terminate(queueId, NOT_NEEDED);
}

/** The one state that decides: a part that failed, else the end of the last part, else whatever runs. */
async function tellingState(deps: JobDeps, record: JobRecord): Promise<QueueState | null> {
  if (record.queueIds.length === 0) return null;
  const states = await queueOf(deps, record.request).describe(record.queueIds);
  const last = states.at(-1) ?? null;
  const find = (status: QueueState['status']) => states.find((state) => state?.status === status);
  return find('failed') ?? (last?.status === 'succeeded' ? last : (find('running') ?? last));
}
