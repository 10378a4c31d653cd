import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import type { Preprocess } from '../../core/data/preprocess.ts';
import { parsePreprocess } from '../../core/data/preprocess.ts';
import { isCounterweightError } from '../../core/errors.ts';
import { checkpointPrefix } from '../../core/jobs/keys.ts';
import type { JobChange } from '../../core/jobs/record.ts';
import { isFinal } from '../../core/jobs/record.ts';
import { readRecord, updateRecord } from '../../core/jobs/record-store.ts';
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
    const code = taskExitCode(error);
    if (code !== RETRY || task.attempt >= task.attempts) await recordFailure(task, environment, error);
    return code;
  }
}

const RETRY = 75;

/** A host that is taken away (SIGTERM) is a reason to try again, unlike a person's Ctrl-C. */
function taskExitCode(error: unknown): number {
  return isCounterweightError(error) && error.code === 'INTERRUPTED' ? RETRY : exitCodeOf(error);
}

async function recordFailure(
  { jobId }: Task,
  { store, now }: TaskEnvironment,
  error: unknown,
): Promise<void> {
  const reason = isCounterweightError(error)
    ? { code: error.code, message: error.message }
    : { code: 'UNEXPECTED', message: 'the worker failed unexpectedly; its log says where' };
  const change = ({ status }: { status: Parameters<typeof isFinal>[0] }): JobChange | null =>
    isFinal(status) ? null : { status: 'failed', error: reason };
  await updateRecord(store, jobId, { change, now }).catch(() => {}); // the queue's event says that it failed
}

async function perform(task: Task, environment: TaskEnvironment): Promise<void> {
  const { store, folder, now } = environment;
  const { record } = await readRecord(store, task.jobId);
  if (isFinal(record.status)) return; // cancelled meanwhile, or published by an attempt whose exit was lost
  const { request } = record;
  if (task.task === 'shard') {
    if (request.kind === 'mitigation') {
      const job = await fetchMitigation(request, { task, environment, progress: NO_PROGRESS });
      await mitigateShard(job, { index: task.shard, count: request.shards });
    }
    return;
  }
  await updateRecord(store, task.jobId, { change: () => ({ status: 'running' }), now });
  const status = makeStatusWriter({ store, jobId: task.jobId, attempt: task.attempt, now });
  const results = path.join(folder, 'results');
  const outcome = await produce(request, { task, environment, progress: status, results });
  status.start('publish', 1);
  const names = await publish({ ...task, store, folder: results, last: outcome.last });
  await status.flush();
  const change = (): JobChange => ({ status: 'succeeded', results: names, ...outcome.change });
  await updateRecord(store, task.jobId, { change, now });
}

interface Work {
  readonly task: Task;
  readonly environment: TaskEnvironment;
  readonly progress: FileJob['progress'];
}

async function produce(
  request: JobRequest,
  work: Work & { readonly results: string },
): Promise<{ last: string; change: JobChange }> {
  if (request.kind === 'mitigation') {
    const job = await fetchMitigation(request, work);
    const { result } = await mitigateFiles({ ...job, folder: work.results });
    return { last: 'run.json', change: { outcome: result.outcome.status } };
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
  return { last: 'audit.json', change: {} };
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
    folder: path.join(environment.folder, 'results'),
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
