import { rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { isCounterweightError } from '../core/errors.ts';
import { makeDirectoryStore } from '../core/storage/directory-store.ts';
import type { ObjectStore } from '../core/storage/object-store.ts';
import { makeS3Client, makeS3Store } from '../core/storage/s3-store.ts';
import { exitCodeOf } from './commands/exit-codes.ts';
import type { Environment } from './container/environment.ts';
import { parseEnvironment } from './container/environment.ts';
import type { Log } from './container/log.ts';
import { makeLog, placesOf } from './container/log.ts';
import type { Task } from './container/run-task.ts';
import { RETRY, runTask } from './container/run-task.ts';
import { makeWorkFolder } from './container/work-folder.ts';

/*
 * The process that a queue starts: AWS Batch in a container, or the local queue on one machine. Everything that
 * it is told comes from the environment; everything else is in the store. Its log is JSON lines on stdout.
 */

/** Requests of a worker may be repeated for minutes before the work of hours is given up. */
const S3_ATTEMPTS = 10;
/**
 * From SIGTERM to the end, whatever hangs. A step ends at its next batch, but a checkpoint that is on its way to the
 * store is worth waiting for; Batch and the local queue kill after 30 seconds.
 */
const STOP_WITHIN_MS = 20_000;

function openStore(environment: Environment): ObjectStore {
  const { BUCKET, KMS_KEY_ID, AWS_REGION = 'us-east-1', AWS_ENDPOINT_URL_S3, STORE_ROOT } = environment;
  if (BUCKET === undefined) return makeDirectoryStore(STORE_ROOT!);
  const endpoint = AWS_ENDPOINT_URL_S3 ? { endpoint: AWS_ENDPOINT_URL_S3, forcePathStyle: true } : {};
  const client = makeS3Client({ region: AWS_REGION, maxAttempts: S3_ATTEMPTS, ...endpoint });
  return makeS3Store(client, { bucket: BUCKET, ...(KMS_KEY_ID !== undefined && { kmsKeyId: KMS_KEY_ID }) });
}

function taskOf(environment: Environment): Task {
  return {
    jobId: environment.JOB_ID,
    task: environment.TASK,
    shard: environment.AWS_BATCH_JOB_ARRAY_INDEX ?? 0,
    attempt: environment.AWS_BATCH_JOB_ATTEMPT,
    attempts: environment.ATTEMPTS,
  };
}

/**
 * Spot gives two minutes: the step in hand is dropped, the steps before it are in the checkpoints.
 *
 * @param end  ends the process when something hangs
 */
function stopOnSignals(end: () => void): AbortSignal {
  const stop = new AbortController();
  for (const name of ['SIGTERM', 'SIGINT'] as const) {
    process.on(name, () => {
      stop.abort();
      setTimeout(end, STOP_WITHIN_MS).unref();
    });
  }
  return stop.signal;
}

function now(): Date {
  return new Date();
}

function write(line: string): void {
  process.stdout.write(line);
}

/** One line, without a foreign message, which may hold data. */
function logFailure(log: Log, error: unknown): number {
  if (isCounterweightError(error)) log('error', error.message, { code: error.code });
  else log('error', 'failed', { code: 'UNEXPECTED', where: placesOf(error) });
  return exitCodeOf(error);
}

async function run(): Promise<number> {
  const startedAt = performance.now();
  let log = makeLog({ about: {}, write, now });
  const end = (exitCode: number) => {
    log('info', 'ended', { exitCode, durationMs: Math.round(performance.now() - startedAt) });
    return exitCode;
  };
  const signal = stopOnSignals(() => process.exit(end(RETRY)));
  // A log that nobody reads is no reason to stop
  process.stdout.on('error', () => {});
  process.once('uncaughtException', (error) => process.exit(end(logFailure(log, error))));
  try {
    const environment = parseEnvironment(process.env);
    const { shard, ...about } = taskOf(environment);
    log = makeLog({ about: { ...about, ...(about.task === 'shard' && { shard }) }, write, now });
    log('info', 'started');
    const folder = await makeWorkFolder(tmpdir());
    process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
    const { BACKEND: backend, REQUIRE_GPU: requireGpu, THREADS: threads } = environment;
    const store = openStore(environment);
    const around = { store, folder, backend, requireGpu, threads, now, log, signal };
    return end(await runTask(taskOf(environment), around));
  } catch (error) {
    return end(logFailure(log, error));
  }
}

process.exitCode = await run();
