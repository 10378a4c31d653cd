import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import type { Preprocess } from '../../core/data/preprocess.ts';
import { parsePreprocess } from '../../core/data/preprocess.ts';
import { isCounterweightError, JobConflictError, JobNotFoundError } from '../../core/errors.ts';
import { AUDIT_RESULT, checkpointPrefix, RUN_RESULT } from '../../core/jobs/keys.ts';
import type { JobChange, JobRecord } from '../../core/jobs/record.ts';
import { changeRecord, isFinal } from '../../core/jobs/record.ts';
import { readRecord, updateRecord } from '../../core/jobs/records.ts';
import type { JobRequest } from '../../core/jobs/schema.ts';
import type { QueuedWork } from '../../core/queue/job-queue.ts';
import type { ObjectStore } from '../../core/storage/object-store.ts';
import { auditToFolder } from '../audit-files.ts';
import type { BackendChoice } from '../backend.ts';
import { startBackend } from '../backend.ts';
import { optionsOf } from '../bmft/options.ts';
import type { BlobStore } from '../checkpoints.ts';
import { exitCodeOf } from '../commands/exit-codes.ts';
import type { DataSource } from '../load-data.ts';
import type { FileJob } from '../mitigate-files.ts';
import { mitigateFiles, mitigateShard } from '../mitigate-files.ts';
import { DEFAULT_SPLITS } from '../parts.ts';
import { NO_PROGRESS } from '../progress.ts';
import { fetchBelow } from './inputs.ts';
import { publish } from './publish.ts';
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
  /** Folder of this process, empty at its start. */
  readonly folder: string;
  readonly backend: BackendChoice;
  readonly now: () => Date;
  readonly signal: AbortSignal;
}

/**
 * Runs one task of a job from its record to its published results.
 *
 * @returns exit code of the process: 75 asks the queue for another attempt, which goes on from the checkpoints
 */
export async function runTask(task: Task, environment: TaskEnvironment): Promise<number> {
  try {
    await perform(task, environment);
    return 0;
  } catch (error) {
    if (isInterrupt(error)) return RETRY;
    const code = exitCodeOf(error);
    if (code !== RETRY || task.attempt >= task.attempts) await recordFailure(task, environment, error);
    return code;
  }
}

const RETRY = 75;

/**
 * A host that is taken away (SIGTERM) is a reason to try again, unlike a person's Ctrl-C. It is never recorded as
 * the reason of a failure: only the queue knows who stopped the work, and its event says so.
 */
function isInterrupt(error: unknown): boolean {
  return isCounterweightError(error) && error.code === 'INTERRUPTED';
}

async function recordFailure(task: Task, environment: TaskEnvironment, error: unknown): Promise<void> {
  const where = task.task === 'shard' ? `shard ${task.shard + 1}: ` : '';
  const reason = isCounterweightError(error)
    ? { code: error.code, message: `${where}${error.message}` }
    : { code: 'UNEXPECTED', message: `${where}the worker failed unexpectedly; its log says where` };
  // When this cannot be written, the queue's event still says that the job failed, though less precisely
  await change(task, environment, { status: 'failed', error: reason }).catch(() => {});
}

/** Changes the record unless the job has ended, by another attempt or because a person cancelled it. */
async function change({ jobId }: Task, { store, now }: TaskEnvironment, wanted: JobChange): Promise<void> {
  await updateRecord({ store }, jobId, (record) =>
    isFinal(record.status) ? null : changeRecord(record, wanted, now()),
  );
}

async function perform(task: Task, environment: TaskEnvironment): Promise<void> {
  const { store, folder } = environment;
  const { jobId, attempt } = task;
  const record = await readRecord({ store }, jobId);
  if (record === null) throw new JobNotFoundError(`job "${jobId}": not found`, { jobId });
  if (isFinal(record.status)) return; // cancelled meanwhile, or published by an attempt whose exit was lost
  const status = makeStatusWriter({ store, jobId, attempt, now: environment.now });
  const results = path.join(folder, 'results');
  if (task.task === 'shard') return runShardOf(record, { task, environment, progress: status, results });
  await change(task, environment, { status: 'running' });
  const { last, outcome } = await produce(record.request, { task, environment, progress: status, results });
  status.start('publish', 1);
  const names = await publish({ store, jobId, attempt, folder: results, last });
  await status.flush();
  await change(task, environment, { status: 'succeeded', results: names, ...(outcome && { outcome }) });
}

/** Its candidates go into the checkpoints, from which the reduction reads them. */
async function runShardOf({ request, jobId }: JobRecord, work: Work): Promise<void> {
  if (request.kind !== 'mitigation') {
    throw new JobConflictError(`job "${jobId}": expected a mitigation, received a "${request.kind}"`, {
      jobId,
    });
  }
  const { shard } = work.task;
  // One of many tells of its progress: they run beside each other, over shares of one size
  const job = await fetchMitigation(request, shard === 0 ? work : { ...work, progress: NO_PROGRESS });
  await mitigateShard(job, { index: shard, count: request.shards });
}

interface Work {
  readonly task: Task;
  readonly environment: TaskEnvironment;
  readonly progress: FileJob['progress'];
  /** Folder to make, with what is to be published. */
  readonly results: string;
}

/** @returns the file to be published last, and how a mitigation went */
async function produce(
  request: JobRequest,
  work: Work,
): Promise<{ readonly last: string; readonly outcome?: JobRecord['outcome'] }> {
  if (request.kind === 'mitigation') {
    const { result } = await mitigateFiles(await fetchMitigation(request, work));
    return { last: RUN_RESULT, outcome: result.outcome.status };
  }
  const { environment, progress, results } = work;
  await startBackend(environment.backend);
  const target = { progress, signal: environment.signal, folder: results };
  if (request.kind === 'audit') {
    await fetchBelow(environment.store, request.predictions, { folder: environment.folder, progress });
    await auditToFolder(
      { ...request, predictions: path.join(environment.folder, request.predictions) },
      target,
    );
  } else {
    await auditToFolder({ ...request, source: await fetchSource(request, work) }, target);
  }
  return { last: AUDIT_RESULT };
}

type Mitigation = Extract<JobRequest, { kind: 'mitigation' }>;

async function fetchMitigation(request: Mitigation, work: Work): Promise<FileJob> {
  const { environment, progress, task } = work;
  const { preset, metric, seed, threshold } = request;
  return {
    source: await fetchSource(request, work),
    splits: request.splits ?? DEFAULT_SPLITS,
    preset,
    options: optionsOf({ preset, metric, changes: request.options ?? {} }, 'options'),
    seed,
    threshold,
    folder: work.results,
    backend: await startBackend(environment.backend),
    progress,
    checkpoints: checkpointsOf(environment.store, task.jobId),
    signal: environment.signal,
  };
}

/** The model's folder, and everything below the folder of the manifest, where its images are. */
async function fetchSource(
  { model, manifest, columns, preprocess }: Pick<Mitigation, 'model' | 'manifest' | 'columns' | 'preprocess'>,
  { environment: { store, folder }, progress }: Work,
): Promise<DataSource> {
  const inputs = path.join(folder, 'inputs');
  await mkdir(inputs, { recursive: true });
  const modelFolder = await fetchBelow(store, `${model.replace(/\/$/, '')}/`, { folder: inputs, progress });
  await fetchBelow(store, manifest.slice(0, manifest.lastIndexOf('/') + 1), { folder: inputs, progress });
  const chosen: string | Preprocess | undefined =
    typeof preprocess === 'object' ? parsePreprocess(preprocess, 'preprocess') : preprocess;
  return {
    model: modelFolder,
    manifest: path.join(inputs, manifest),
    columns,
    ...(chosen !== undefined && { preprocess: chosen }),
  };
}

function checkpointsOf(store: ObjectStore, jobId: string): BlobStore {
  const keyOf = (name: string) => `${checkpointPrefix(jobId)}${name}`;
  return {
    load: async (name) => (await store.read(keyOf(name)))?.body ?? null,
    save: async (name, bytes) => {
      await store.write(keyOf(name), bytes);
    },
  };
}
