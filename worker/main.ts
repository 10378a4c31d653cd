import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { z } from 'zod';
import { parseWith } from '../core/data/parse.ts';
import { isCounterweightError } from '../core/errors.ts';
import { makeDirectoryStore } from '../core/storage/directory-store.ts';
import type { ObjectStore } from '../core/storage/object-store.ts';
import { makeS3Client, makeS3Store } from '../core/storage/s3-store.ts';
import { BACKENDS } from './backend.ts';
import { exitCodeOf } from './commands/exit-codes.ts';
import { runTask } from './container/run-task.ts';

/*
 * The process that a queue starts: AWS Batch in a container, or the local queue on one machine. Everything that
 * it is told comes from the environment; everything else is in the store.
 */

const environmentSchema = z
  .object({
    JOB_ID: z.string().min(1),
    TASK: z.enum(['job', 'shard', 'reduce']).default('job'),
    /** Index of this process in an array job. */
    AWS_BATCH_JOB_ARRAY_INDEX: z.coerce.number().int().min(0).default(0),
    AWS_BATCH_JOB_ATTEMPT: z.coerce.number().int().min(1).default(1),
    ATTEMPTS: z.coerce.number().int().min(1).default(1),
    BACKEND: z.enum(BACKENDS).default('auto'),
    /** Either a bucket or a folder. */
    BUCKET: z.string().min(1).optional(),
    KMS_KEY_ID: z.string().min(1).optional(),
    AWS_REGION: z.string().min(1).optional(),
    AWS_ENDPOINT_URL_S3: z.url().optional(),
    STORE_ROOT: z.string().min(1).optional(),
  })
  .refine(({ BUCKET, STORE_ROOT }) => (BUCKET === undefined) !== (STORE_ROOT === undefined), {
    message: 'must name either BUCKET or STORE_ROOT',
  });
type Environment = z.output<typeof environmentSchema>;

function openStore(environment: Environment): ObjectStore {
  const { BUCKET, KMS_KEY_ID, AWS_REGION = 'us-east-1', AWS_ENDPOINT_URL_S3, STORE_ROOT } = environment;
  if (BUCKET === undefined) return makeDirectoryStore(STORE_ROOT!);
  const endpoint = AWS_ENDPOINT_URL_S3 ? { endpoint: AWS_ENDPOINT_URL_S3, forcePathStyle: true } : {};
  const client = makeS3Client({ region: AWS_REGION, ...endpoint });
  return makeS3Store(client, { bucket: BUCKET, ...(KMS_KEY_ID !== undefined && { kmsKeyId: KMS_KEY_ID }) });
}

async function main(): Promise<number> {
  const environment = parseWith(environmentSchema, process.env, 'environment');
  const stop = new AbortController();
  // Spot gives two minutes: the step in hand is dropped, the steps before it are in the checkpoints
  process.on('SIGTERM', () => stop.abort());
  process.on('SIGINT', () => stop.abort());
  const folder = await mkdtemp(path.join(tmpdir(), 'counterweight-'));
  try {
    const task = {
      jobId: environment.JOB_ID,
      task: environment.TASK,
      shard: environment.AWS_BATCH_JOB_ARRAY_INDEX,
      attempt: environment.AWS_BATCH_JOB_ATTEMPT,
      attempts: environment.ATTEMPTS,
    };
    return await runTask(task, {
      store: openStore(environment),
      folder,
      backend: environment.BACKEND,
      now: () => new Date(),
      signal: stop.signal,
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** One line for the log; never a foreign message, which may hold data. */
function describe(error: unknown): string {
  return isCounterweightError(error)
    ? error.message
    : `unexpected ${error instanceof Error ? error.name : typeof error}`;
}

process.exitCode = await main().catch((error: unknown) => {
  process.stderr.write(`counterweight worker: ${describe(error)}\n`);
  return exitCodeOf(error);
});
