import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { CreateBucketCommand, PutBucketVersioningCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, vi } from 'vitest';
import { recordKey, resultPrefix } from '../../core/jobs/keys.ts';
import { isFinal, type JobRecord } from '../../core/jobs/record.ts';
import type { ObjectStore } from '../../core/storage/object-store.ts';
import { makeS3Client, makeS3Store } from '../../core/storage/s3-store.ts';
import type { HttpHandler } from '../../functions/lib/events.ts';
import type { JobView } from '../../functions/lib/job-view.ts';
import { type S3Proxy, useS3Proxy } from '../core/storage/s3-proxy.ts';
import { type ApiCall, apiEvent, s3BridgeEvent } from '../functions/events.ts';
import { BATCH_CREDENTIALS, type BatchServer, startBatchServer } from './batch-server.ts';
import { type EventBus, makeEventBus } from './event-bus.ts';
import type { Moto } from './moto.ts';
import { buildPrograms } from './programs.ts';

const BUCKET = 'counterweight-test';
const REGION = 'us-east-1';
const ARN = `arn:aws:batch:${REGION}:123456789012`;
/** Of Batch's seconds; its 30 of grace are 6. */
const SECOND_MS = 200;
const POLL_MS = 200;
/** What a container may write into one file, in blocks of 1024 bytes. */
const NO_LIMIT = 'unlimited';

/** Handlers of the API, by the name of their file; each is the one that Lambda calls. */
const API = {
  'create-audit': () => import('../../functions/create-audit.ts'),
  'create-job': () => import('../../functions/create-job.ts'),
  'create-upload': () => import('../../functions/create-upload.ts'),
  'get-job': () => import('../../functions/get-job.ts'),
  'list-jobs': () => import('../../functions/list-jobs.ts'),
  'cancel-job': () => import('../../functions/cancel-job.ts'),
} as const satisfies Record<string, () => Promise<{ handler: HttpHandler }>>;

interface Answer<Body> {
  readonly status: number;
  readonly body: Body;
}

/** The whole deployment on the loopback. Values are set once the tests of the file run. */
export interface Cloud {
  /** The bucket, past every fault. */
  readonly store: ObjectStore;
  /** What handlers and containers reach S3 through. */
  readonly s3: S3Proxy;
  readonly batch: BatchServer;
  readonly bus: EventBus;
  /** Puts an object as a user does; the bucket tells of it. */
  upload(key: string, body: Uint8Array | string): Promise<void>;
  /** Tells again that an object was created. */
  tell(key: string): void;
  call<Body>(handler: keyof typeof API, call: ApiCall): Promise<Answer<Body>>;
  job(jobId: string): Promise<JobView>;
  record(jobId: string): Promise<JobRecord>;
  /** Polls the API until the job has ended; every answer on the way is given to `see`. */
  untilEnd(jobId: string, see?: (view: JobView) => void): Promise<JobView>;
  /** Published files by name. */
  results(jobId: string): Promise<Map<string, Buffer>>;
  /** The largest file that containers started from now on can write; null for any. */
  limitDisk(kibibytes: number | null): Promise<void>;
}

/**
 * S3 is moto behind a proxy that can fail, Batch a stand-in that starts worker/main.ts, and events go to the real
 * handlers, whose environment is that of a deployment.
 */
export function useCloud(moto: Moto): Cloud {
  const s3 = useS3Proxy(moto);
  let folder = '';
  let store: ObjectStore;
  let batch: BatchServer;
  const bus = makeEventBus(handleEvent);
  const limitFile = () => path.join(folder, 'limit');
  const limitDisk = (kibibytes: number | null) => writeFile(limitFile(), String(kibibytes ?? NO_LIMIT));

  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'counterweight-cloud-'));
    await limitDisk(null);
    const access = { region: REGION, credentials: BATCH_CREDENTIALS, endpoint: moto.endpoint };
    const client = makeS3Client({ ...access, forcePathStyle: true });
    await client.send(new CreateBucketCommand({ Bucket: BUCKET }));
    const versioning = { Bucket: BUCKET, VersioningConfiguration: { Status: 'Enabled' } } as const;
    await client.send(new PutBucketVersioningCommand(versioning));
    store = makeS3Store(client, { bucket: BUCKET });
    const shared = {
      BUCKET,
      AWS_REGION: REGION,
      AWS_ENDPOINT_URL_S3: s3.endpoint,
      AWS_ACCESS_KEY_ID: BATCH_CREDENTIALS.accessKeyId,
      AWS_SECRET_ACCESS_KEY: BATCH_CREDENTIALS.secretAccessKey,
    };
    const { main } = await buildPrograms(folder);
    batch = await startBatchServer({
      command: ['bash', '-c', `ulimit -f "$(cat '${limitFile()}')"; exec "$0" "$1"`, process.execPath, main],
      environment: { PATH: process.env.PATH!, TMPDIR: folder, BACKEND: 'wasm', ...shared },
      secondMs: SECOND_MS,
      onEvent: (detail) => bus.send({ source: 'aws.batch', 'detail-type': 'Batch Job State Change', detail }),
    });
    const environment = {
      ...shared,
      AWS_ENDPOINT_URL_BATCH: batch.endpoint,
      JOB_QUEUE_ARN: `${ARN}:job-queue/gpu`,
      CPU_JOB_QUEUE_ARN: `${ARN}:job-queue/cpu`,
      JOB_DEFINITION_GPU_ARN: `${ARN}:job-definition/gpu:1`,
      JOB_DEFINITION_CPU_ARN: `${ARN}:job-definition/cpu:1`,
      STAGE: 'test',
      LOG_LEVEL: 'error',
    };
    for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value);
  });
  afterAll(async () => {
    await batch?.close();
    await bus.settle();
    vi.unstubAllEnvs();
    await rm(folder, { recursive: true, force: true });
  });

  async function call<Body>(handler: keyof typeof API, request: ApiCall): Promise<Answer<Body>> {
    const { statusCode, body } = await (await API[handler]()).handler(apiEvent(request));
    return { status: statusCode, body: JSON.parse(body) as Body };
  }

  async function job(jobId: string): Promise<JobView> {
    for (;;) {
      const { status, body } = await call<JobView>('get-job', { method: 'GET', params: { id: jobId } });
      if (status === 200) return body;
      if (status !== 503) throw new Error(`GET /v1/jobs/{id}: expected 200, received ${status}`);
      await sleep(POLL_MS); // as clients do when they are told to come again
    }
  }

  return {
    get store() {
      return store;
    },
    s3,
    get batch() {
      return batch;
    },
    bus,
    async upload(key, body) {
      await store.write(key, body);
      bus.send(s3BridgeEvent(key));
    },
    tell: (key) => bus.send(s3BridgeEvent(key)),
    call,
    job,
    async record(jobId) {
      const { body } = (await store.read(recordKey(jobId)))!;
      return JSON.parse(Buffer.from(body).toString('utf8')) as JobRecord;
    },
    async untilEnd(jobId, see = () => {}) {
      for (;;) {
        const view = await job(jobId);
        see(view);
        if (isFinal(view.status)) return view;
        await sleep(POLL_MS);
      }
    },
    async results(jobId) {
      const files = new Map<string, Buffer>();
      const prefix = resultPrefix(jobId);
      for await (const { key } of store.list(prefix)) {
        files.set(key.slice(prefix.length), Buffer.from((await store.read(key))!.body));
      }
      return files;
    },
    limitDisk,
  };
}

/** As the rules of EventBridge in serverless.yml send them on. */
async function handleEvent(event: unknown): Promise<void> {
  const { source } = event as { source: string };
  const { handler } =
    source === 'aws.batch'
      ? await import('../../functions/on-batch-state.ts')
      : await import('../../functions/on-upload.ts');
  await handler(event);
}
