import path from 'node:path';
import { isCounterweightError, JobNotFoundError } from '../../core/errors.ts';
import type { JobChange, JobRecord } from '../../core/jobs/record.ts';
import { changeRecord, isFinal } from '../../core/jobs/record.ts';
import { readRecord, updateRecord } from '../../core/jobs/records.ts';
import type { JobRequest } from '../../core/jobs/schema.ts';
import type { QueuedWork } from '../../core/queue/job-queue.ts';
import type { ObjectStore } from '../../core/storage/object-store.ts';
import type { BackendChoice } from '../backend.ts';
import { exitCodeOf } from '../commands/exit-codes.ts';
import type { Log } from './log.ts';
import { bothProgress, logProgress, placesOf } from './log.ts';
import type { Work } from './produce.ts';
import { produce, produceShard } from './produce.ts';
import { clearCheckpoints, clearTemporary, publish } from './publish.ts';
import { reasonOf, withoutKeys } from './reason.ts';
import { makeStatusWriter } from './status.ts';

/** What this process is to do of a job. */
export interface Task {
  readonly jobId: string;
  readonly task: QueuedWork['task'];
  /** Which shard this process is; 0 for a process of its own. */
  readonly shard: number;
  /** 1 for the first attempt. */
  readonly attempt: number;
  /** Attempts that the queue makes; the last one records why it failed. */
  readonly attempts: number;
}

export interface TaskEnvironment {
  readonly store: ObjectStore;
  /** Folder of this process, empty at its start; absolute. */
  readonly folder: string;
  readonly backend: BackendChoice;
  /** Default false. */
  readonly requireGpu?: boolean;
  /** Of backend wasm; by default one for each core. */
  readonly threads?: number | undefined;
  readonly now: () => Date;
  readonly log: Log;
  /** Aborted when the machine or the queue takes the process away. */
  readonly signal: AbortSignal;
}

/** Exit code that asks the queue for another attempt. */
export const RETRY = 75;

/**
 * Runs one task of a job from its record to its published results. A job that has ended meanwhile, because a person
 * cancelled it or another attempt was faster, is left as it is, and nothing is published.
 *
 * @returns exit code of the process: 75 asks the queue for another attempt, which goes on from the checkpoints
 */
export async function runTask(task: Task, environment: TaskEnvironment): Promise<number> {
  const { store, log, signal } = environment;
  const seen: { request: JobRequest | null } = { request: null };
  try {
    const record = await readRecord({ store }, task.jobId);
    if (record === null)
      throw new JobNotFoundError('job: expected the id of a job, found none with this one');
    seen.request = record.request;
    await perform(record, task, environment);
    return 0;
  } catch (error) {
    if (!signal.aborted) return fail(error, { task, environment, request: seen.request });
    // Only the queue knows who stopped the work and why, and its event says so; the record does not.
    log('warn', 'stopped');
    return RETRY;
  }
}

async function perform(record: JobRecord, task: Task, environment: TaskEnvironment): Promise<void> {
  const { store, log, now } = environment;
  const { jobId, attempt, shard } = task;
  if (isFinal(record.status)) return leave(task, environment);
  const status = makeStatusWriter({ store, jobId, attempt, now });
  const told = logProgress(log, now);
  try {
    if (task.task === 'shard') {
      // One of many tells of its progress: they run beside each other, over shares of one size
      const progress = shard === 0 ? bothProgress(status, told) : told;
      await produceShard(record.request, shard, workOf(task, environment, progress));
    } else {
      await runWhole(record.request, { task, environment, progress: bothProgress(status, told) });
    }
  } finally {
    await status.settled();
  }
}

interface Run {
  readonly task: Task;
  readonly environment: TaskEnvironment;
  readonly progress: Work['progress'];
}

async function runWhole(request: JobRequest, { task, environment, progress }: Run): Promise<void> {
  const { store, log, signal } = environment;
  const { jobId, attempt } = task;
  if (!(await change(task, environment, { status: 'running' }))) return leave(task, environment);
  const work = workOf(task, environment, progress);
  const { last, outcome } = await produce(request, work);
  const isWanted = async () => {
    const record = await readRecord({ store }, jobId);
    return record !== null && !isFinal(record.status);
  };
  const names = await publish({
    store,
    jobId,
    attempt,
    folder: work.results,
    last,
    isWanted,
    progress,
    signal,
  });
  if (names === null) return leave(task, environment);
  await clear(task, environment, clearTemporary);
  const done = { status: 'succeeded', results: names, ...(outcome && { outcome }) } as const;
  if (await change(task, environment, done)) log('info', 'published', outcome && { outcome });
  else log('warn', 'the job has ended meanwhile');
  await clear(task, environment, clearCheckpoints);
}

function workOf({ jobId }: Task, environment: TaskEnvironment, progress: Work['progress']): Work {
  const { folder } = environment;
  return { ...environment, jobId, progress, inputs: inputsIn(folder), results: path.join(folder, 'results') };
}

const inputsIn = (folder: string): string => path.join(folder, 'inputs');

/** Of a job that has ended, nothing is left to do. */
async function leave(task: Task, environment: TaskEnvironment): Promise<void> {
  environment.log('info', 'the job has ended already');
  await clear(task, environment, clearTemporary);
  await clear(task, environment, clearCheckpoints);
}

/** What stays is in nobody's way, and no reason to do the work again. */
async function clear(
  { jobId }: Task,
  { store, log }: TaskEnvironment,
  clearOf: typeof clearTemporary,
): Promise<void> {
  await clearOf(store, jobId).catch((error: unknown) => {
    log('warn', 'temporary objects could not be deleted', { code: codeOf(error) });
  });
}

interface FailedRun {
  readonly task: Task;
  readonly environment: TaskEnvironment;
  readonly request: JobRequest | null;
}

/** @returns exit code; the last attempt, and one that no other could better, leave the reason in the record */
async function fail(error: unknown, { task, environment, request }: FailedRun): Promise<number> {
  const { folder, log } = environment;
  const exitCode = exitCodeOf(error);
  const { code, message } = reasonOf(error, { request, folder, inputs: inputsIn(folder) });
  const where = isCounterweightError(error) ? {} : { where: placesOf(error) };
  log('error', 'failed', { code, reason: withoutKeys(message, request), ...where });
  if (exitCode === RETRY && task.attempt < task.attempts) return exitCode;
  const place = task.task === 'shard' ? `shard ${task.shard + 1}: ` : '';
  const failed = { status: 'failed', error: { code, message: `${place}${message}` } } as const;
  await change(task, environment, failed).catch((failure: unknown) => {
    // The queue's event still says that the job failed, though less precisely
    log('error', 'the record could not be written', { code: codeOf(failure) });
  });
  return exitCode;
}

function codeOf(error: unknown): string {
  return isCounterweightError(error) ? error.code : 'UNEXPECTED';
}

/** Changes the record unless the job has ended. @returns whether it was changed */
async function change({ jobId }: Task, { store, now }: TaskEnvironment, wanted: JobChange): Promise<boolean> {
  const updated = await updateRecord({ store }, jobId, (record) =>
    isFinal(record.status) ? null : changeRecord(record, wanted, now()),
  );
  return updated?.isChanged ?? false;
}
