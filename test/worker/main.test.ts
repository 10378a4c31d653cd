import { mkdir, readdir } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { CreateBucketCommand } from '@aws-sdk/client-s3';
import { beforeAll, describe, expect, it } from 'vitest';
import { resultPrefix } from '../../core/jobs/keys.ts';
import { makeDirectoryStore } from '../../core/storage/directory-store.ts';
import type { ObjectStore } from '../../core/storage/object-store.ts';
import { makeS3Client, makeS3Store } from '../../core/storage/s3-store.ts';
import { makeRandom } from '../../worker/random.ts';
import { useWorkshop } from '../helpers/made-files.ts';
import { describeWithMoto, MOTO_CREDENTIALS } from '../helpers/moto.ts';
import {
  getRecord,
  objectsBelow,
  putRecord,
  QUICK_MITIGATION,
  uploadParts,
  useWorker,
  type WorkerEnd,
} from '../helpers/worker-process.ts';

const shop = useWorkshop();
const worker = useWorker();
const JOB = 'job-1';
const ATTEMPTS = '20';
/** Longest pause between the start of a stage and a kill: as long as such a stage takes. */
const MOST_PAUSE_MS = 60;

/** A store below the workshop with a job, and what its worker is told. */
async function setUp(name: string, request: unknown = QUICK_MITIGATION) {
  const root = shop.at(`${name}-store`);
  const store = makeDirectoryStore(root);
  await uploadParts(store, shop.path, ['rows.csv', 'table-model']);
  await putRecord(store, JOB, request);
  return { store, environment: { JOB_ID: JOB, STORE_ROOT: root, BACKEND: 'wasm', ATTEMPTS } };
}

const publishedIn = (store: ObjectStore) => objectsBelow(store, resultPrefix(JOB));

/** What a process that nobody disturbs publishes. */
let expected: Map<string, string>;
let undisturbed: WorkerEnd;

beforeAll(async () => {
  const { store, environment } = await setUp('undisturbed');
  undisturbed = await worker.start(environment).ended;
  expect(undisturbed, undisturbed.stderr).toMatchObject({ exitCode: 0, stderr: '' });
  expected = await publishedIn(store);
  expect([...expected.keys()]).toContain('run.json');
});

const STAGES_TO_DIE_IN = [
  'fetch table',
  'fetch inputs',
  'importance',
  'search',
  'search',
  'search',
  'audit after',
  'audit after',
  'publish',
  'publish',
];
const isStage = (stage: string) => (line: Record<string, unknown>) => line.stage === stage;

describe.concurrent('the worker process', { timeout: 120_000 }, () => {
  it('logs its start, each stage and its end, each with the job and without keys', () => {
    const { log } = undisturbed;
    expect(log[0]).toMatchObject({ message: 'started', task: 'job', attempt: 1 });
    expect(log.flatMap(({ stage }) => stage ?? [])).toEqual([
      'fetch table',
      'fetch model',
      'fetch inputs',
      'read images',
      'check data',
      'audit before',
      'importance',
      'search',
      'audit after',
      'publish',
    ]);
    expect(log.at(-1)).toMatchObject({ message: 'ended', exitCode: 0, durationMs: expect.any(Number) });
    expect(log.every(({ jobId }) => jobId === JOB)).toBe(true);
    expect(JSON.stringify(log)).not.toMatch(/uploads|\/tmp|rows\.csv|malignant/);
  });

  it('killed at random points it publishes the bytes of an undisturbed run', async () => {
    const { store, environment } = await setUp('killed');
    const temporary = shop.at('killed-tmp');
    await mkdir(temporary);
    const start = (attempt: string) =>
      worker.start({ ...environment, TMPDIR: temporary, AWS_BATCH_JOB_ATTEMPT: attempt });
    const random = makeRandom(11);
    const ends: WorkerEnd[] = [];
    for (const stage of STAGES_TO_DIE_IN) {
      const attempt = String(ends.length + 1);
      const { child, heard, ended } = start(attempt);
      await heard(isStage(stage));
      await sleep(random.next() * MOST_PAUSE_MS);
      child.kill('SIGKILL');
      ends.push(await ended);
    }
    // One that publishes may have been too fast
    expect(ends.filter(({ signal }) => signal === 'SIGKILL').length).toBeGreaterThanOrEqual(8);
    const last = await start(String(ends.length + 1)).ended;
    expect(last, last.stderr).toMatchObject({ exitCode: 0 });
    expect(await publishedIn(store)).toEqual(expected);
    expect(await getRecord(store, JOB)).toMatchObject({ status: 'succeeded', outcome: 'improved' });
    expect((await objectsBelow(store, 'tmp/')).size).toBe(0);
    expect((await readdir(temporary)).filter((name) => name.startsWith('counterweight-'))).toEqual([]);
  });

  it('ends on SIGTERM at once with exit code 75, and the next attempt goes on', async () => {
    const { store, environment } = await setUp('stopped');
    for (const [index, stage] of ['fetch inputs', 'search', 'publish'].entries()) {
      const attempt = String(index + 1);
      const { child, heard, ended } = worker.start({ ...environment, AWS_BATCH_JOB_ATTEMPT: attempt });
      await heard(isStage(stage));
      const stoppedAt = performance.now();
      child.kill('SIGTERM');
      const end = await ended;
      expect(end, end.stderr).toMatchObject({ exitCode: 75, signal: null });
      expect(performance.now() - stoppedAt).toBeLessThan(10_000);
      expect(end.log.map(({ message }) => message)).toContain('stopped');
      const record = await getRecord(store, JOB);
      expect(record).toMatchObject({ status: 'running' });
      expect(record).not.toHaveProperty('error');
    }
    const last = await worker.start({ ...environment, AWS_BATCH_JOB_ATTEMPT: '4' }).ended;
    expect(last, last.stderr).toMatchObject({ exitCode: 0 });
    expect(await publishedIn(store)).toEqual(expected);
    expect((await objectsBelow(store, 'tmp/')).size).toBe(0);
  });

  it('spread over three shards and a reduction it publishes the bytes of a single process', async () => {
    const { store, environment } = await setUp('spread', { ...QUICK_MITIGATION, shards: 3 });
    const shards = ['0', '1', '2'].map((index) =>
      worker.start({ ...environment, TASK: 'shard', AWS_BATCH_JOB_ARRAY_INDEX: index }),
    );
    for (const { ended } of shards) expect(await ended).toMatchObject({ exitCode: 0 });
    const reduction = await worker.start({ ...environment, TASK: 'reduce' }).ended;
    expect(reduction, reduction.stderr).toMatchObject({ exitCode: 0 });
    expect(await publishedIn(store)).toEqual(expected);
  });

  it('asks for another attempt when the disk is full, and publishes nothing', async () => {
    const { store, environment } = await setUp('full');
    // Enough blocks of 1024 bytes for the inputs, too few for the report
    const end = await worker.start(environment, { fileBlocks: 24 }).ended;
    expect(end, end.stderr).toMatchObject({ exitCode: 75, signal: null });
    expect(end.log.at(-2)).toMatchObject({
      code: 'STORAGE',
      reason: 'output "…": cannot be written (EFBIG)',
    });
    expect((await publishedIn(store)).size).toBe(0);
    expect(await getRecord(store, JOB)).toMatchObject({ status: 'running' });
  });

  it('asks for another attempt where there is not the GPU that the job requires', async () => {
    const { store, environment } = await setUp('no-gpu');
    const end = await worker.start({ ...environment, REQUIRE_GPU: '1' }).ended;
    expect(end, end.stderr).toMatchObject({ exitCode: 75, signal: null });
    expect(end.log.at(-2)).toMatchObject({ level: 'error', code: 'BACKEND_UNAVAILABLE' });
    expect((await publishedIn(store)).size).toBe(0);
    expect(await getRecord(store, JOB)).toMatchObject({ status: 'running' });
  });

  it.each([
    [{}, 'JOB_ID must be the id of a job'],
    [{ BACKEND: 'SECRET-BACKEND' }, 'BACKEND must be one of auto, wasm, cpu, tensorflow'],
  ])('ends with exit code 64 and names the variable that is wrong (%#)', async (changes, says) => {
    const least = says.startsWith('JOB_ID') ? {} : { JOB_ID: JOB };
    const end = await worker.start({ STORE_ROOT: shop.at('none'), ...least, ...changes }).ended;
    expect(end, end.stderr).toMatchObject({ exitCode: 64, stderr: '' });
    expect(end.log[0]).toMatchObject({ level: 'error', message: `environment: ${says}` });
    expect(JSON.stringify(end.log)).not.toContain('SECRET');
  });
});

describeWithMoto('the worker process on S3', (moto) => {
  const BUCKET = 'worker-bucket';
  const REGION = 'us-east-1';

  it('publishes there what it publishes in a folder', async () => {
    const access = { region: REGION, endpoint: moto.endpoint, credentials: MOTO_CREDENTIALS };
    const client = makeS3Client({ ...access, forcePathStyle: true });
    await client.send(new CreateBucketCommand({ Bucket: BUCKET }));
    const store = makeS3Store(client, { bucket: BUCKET });
    await uploadParts(store, shop.path, ['rows.csv', 'table-model']);
    await putRecord(store, JOB, QUICK_MITIGATION);
    const end = await worker.start({
      JOB_ID: JOB,
      BUCKET,
      BACKEND: 'wasm',
      AWS_REGION: REGION,
      AWS_ENDPOINT_URL_S3: moto.endpoint,
      AWS_ACCESS_KEY_ID: MOTO_CREDENTIALS.accessKeyId,
      AWS_SECRET_ACCESS_KEY: MOTO_CREDENTIALS.secretAccessKey,
    }).ended;
    expect(end, end.stderr).toMatchObject({ exitCode: 0 });
    expect(await publishedIn(store)).toEqual(expected);
    expect(await getRecord(store, JOB)).toMatchObject({ status: 'succeeded', outcome: 'improved' });
    expect((await objectsBelow(store, 'tmp/')).size).toBe(0);
    expect((await objectsBelow(store, `jobs/${JOB}/status`)).size).toBe(1);
  });
});
