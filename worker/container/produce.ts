import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { parsePreprocess } from '../../core/data/preprocess.ts';
import { InterruptedError, JobConflictError } from '../../core/errors.ts';
import { withGate } from '../../core/fairness/policy/gate.ts';
import { AUDIT_RESULT, checkpointPrefix, RUN_RESULT } from '../../core/jobs/keys.ts';
import type { JobRecord } from '../../core/jobs/record.ts';
import type { JobRequest, WithModel } from '../../core/jobs/schema.ts';
import type { ObjectStore } from '../../core/storage/object-store.ts';
import { auditFiles, writeAudit } from '../audit-files.ts';
import type { BackendChoice } from '../backend.ts';
import { startBackend } from '../backend.ts';
import { optionsOf } from '../bmft/options.ts';
import type { BlobStore } from '../checkpoints.ts';
import type { DataSource } from '../load-data.ts';
import type { FileJob } from '../mitigate-files.ts';
import { mitigateFiles, mitigateShard } from '../mitigate-files.ts';
import type { Progress } from '../progress.ts';
import { fetchModelAndData, fetchTable } from './inputs.ts';
import type { Log } from './log.ts';

export interface Work {
  readonly store: ObjectStore;
  readonly jobId: string;
  /** Folder for inputs, each under its key. */
  readonly inputs: string;
  /** Folder to make, with what is to be published. */
  readonly results: string;
  readonly backend: BackendChoice;
  /** Default false. */
  readonly requireGpu?: boolean;
  /** Of backend wasm; by default one for each core. */
  readonly threads?: number | undefined;
  readonly progress: Progress;
  readonly log: Log;
  readonly signal: AbortSignal;
}

export interface Produced {
  /** The file to be published last. */
  readonly last: string;
  /** How a mitigation went. */
  readonly outcome?: NonNullable<JobRecord['outcome']>;
}

/** Fetches what a request names and does what it asks for, into the folder for results. */
export async function produce(request: JobRequest, work: Work): Promise<Produced> {
  await mkdir(work.inputs, { recursive: true });
  if (request.kind === 'mitigation') {
    const { result } = await mitigateFiles(await prepare(request, work));
    return { last: RUN_RESULT, outcome: result.outcome.status };
  }
  await start(work);
  const { progress, signal, results } = work;
  const input =
    request.kind === 'audit'
      ? { ...request, predictions: await fetchTable(request.predictions, { ...work, folder: work.inputs }) }
      : { ...request, source: await fetchSource(request, work) };
  throwIfStopped(signal);
  const report = await auditFiles(input, { progress, signal });
  const source = path.basename('source' in input ? input.source.model : input.predictions);
  await writeAudit(results, { report: withGate(report, request.policy), drift: null }, { source });
  return { last: AUDIT_RESULT };
}

/** Its candidates go into the checkpoints, from which the reduction reads them. */
export async function produceShard(request: JobRequest, index: number, work: Work): Promise<void> {
  if (request.kind !== 'mitigation') throw noShard(`a ${request.kind}`);
  if (index >= request.shards) throw noShard(`number ${index + 1} of ${request.shards}`);
  await mkdir(work.inputs, { recursive: true });
  await mitigateShard(await prepare(request, work), { index, count: request.shards });
}

function noShard(received: string): JobConflictError {
  return new JobConflictError(`expected a shard of a mitigation, received ${received}`);
}

type Mitigation = Extract<JobRequest, { kind: 'mitigation' }>;

async function prepare(request: Mitigation, work: Work): Promise<FileJob> {
  const { preset, metric, seed, threshold } = request;
  const { search, shards } = request;
  const options = optionsOf({ preset, metric, search, changes: request.options ?? {} }, 'options');
  const backend = await start(work);
  const source = await fetchSource(request, work);
  throwIfStopped(work.signal);
  return {
    source,
    splits: { external: request.splits.external, test: [request.splits.test].flat() },
    mitigate: request.mitigate,
    preset,
    options,
    seed,
    threshold,
    controls: request.controls ?? false,
    explain: request.explain ?? false,
    despiteCheck: request.despiteCheck,
    folder: work.results,
    backend,
    progress: work.progress,
    checkpoints: checkpointsOf(work),
    shards,
    signal: work.signal,
  };
}

async function start({ backend, requireGpu = false, threads, log }: Work): Promise<FileJob['backend']> {
  const running = await startBackend(backend, { requireGpu, threads });
  log('info', 'backend', { backend: `${running.name} ${running.version}, ${running.detail}` });
  return running;
}

async function fetchSource(request: WithModel, work: Work): Promise<DataSource> {
  const { columns, preprocess, head, positiveClass } = request;
  const chosen = typeof preprocess === 'object' ? parsePreprocess(preprocess, 'preprocess') : preprocess;
  const files = await fetchModelAndData(request, { ...work, folder: work.inputs });
  return { ...files, columns, head, positiveClass, ...(chosen !== undefined && { preprocess: chosen }) };
}

function checkpointsOf({ store, jobId }: Work): BlobStore {
  const keyOf = (name: string) => `${checkpointPrefix(jobId)}${name}`;
  return {
    load: async (name) => (await store.read(keyOf(name)))?.body ?? null,
    save: async (name, bytes) => {
      await store.write(keyOf(name), bytes);
    },
  };
}

function throwIfStopped(signal: AbortSignal): void {
  if (signal.aborted) throw new InterruptedError('the work was stopped');
}
