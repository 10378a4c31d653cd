import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CANCEL_REASON, failureOf } from '../../../core/jobs/failure.ts';
import { makeBatchClient, makeBatchQueue } from '../../../core/queue/batch-queue.ts';
import type { BatchDetail } from '../../helpers/batch-rules.ts';
import { BATCH_CREDENTIALS, type BatchServer, startBatchServer } from '../../helpers/batch-server.ts';
import { useTempFolder } from '../../helpers/files.ts';
import { describeJobQueue, untilEnd, untilNoted, work } from './job-queue.contract.ts';
import { PLAY_COMMAND } from './play-command.ts';

/** Of Batch's seconds in this test; 60 of them, its shortest time limit, are 0.6 s. */
const SECOND_MS = 10;
const QUEUE = {
  queueArn: 'arn:aws:batch:us-east-1:123456789012:job-queue/gpu',
  jobDefinition: 'arn:aws:batch:us-east-1:123456789012:job-definition/gpu:1',
} as const;

/** Of the SDK's handlers of requests the one under Node. */
interface NodeHandler {
  httpHandlerConfigs(): { readonly socketTimeout: number };
}

const folder = useTempFolder();
const trace = () => folder.at('trace');
const events: BatchDetail[] = [];
let server: BatchServer;

beforeAll(async () => {
  server = await startBatchServer({
    command: PLAY_COMMAND,
    environment: { TRACE: trace() },
    onEvent: (detail) => events.push(detail),
    secondMs: SECOND_MS,
  });
});
afterAll(() => server.close());

const clientOf = (endpoint: string, maxAttempts: number) =>
  makeBatchClient({ region: 'us-east-1', endpoint, credentials: BATCH_CREDENTIALS, maxAttempts });
const queue = () => makeBatchQueue(clientOf(server.endpoint, 2), QUEUE);

describeJobQueue('Batch queue', { queue, trace, shortTimeout: 60 });

describe('a Batch queue', () => {
  it('says in the request all that Batch needs to know', async () => {
    const first = await queue().submit(work('succeeds-head'));
    await queue().submit(
      work('succeeds-said', { task: 'shard', shards: 2, after: [first], attempts: 4, timeoutSeconds: 90.5 }),
    );
    expect(server.submissions.at(-1)).toMatchObject({
      jobName: 'counterweight-shard-succeeds-said',
      jobQueue: QUEUE.queueArn,
      arrayProperties: { size: 2 },
      dependsOn: [{ jobId: first }],
      timeout: { attemptDurationSeconds: 91 },
      propagateTags: true,
    });
  });

  it('stays within the limits of Batch for name, attempts, time and arrays of one', async () => {
    const jobId = `succeeds.${'ä/'.repeat(100)}`;
    await queue().submit(work(jobId, { attempts: 50, timeoutSeconds: 1, shards: 1 }));
    const { jobName, retryStrategy, timeout, ...rest } = server.submissions.at(-1)!;
    expect(jobName).toMatch(/^counterweight-job-succeeds-+$/);
    expect(jobName).toHaveLength(128);
    expect([retryStrategy?.attempts, timeout?.attemptDurationSeconds]).toEqual([10, 60]);
    expect(rest).not.toHaveProperty('arrayProperties');
  });

  it('asks for 100 jobs at a time, each once', async () => {
    const before = server.calls.length;
    const ids = Array.from({ length: 201 }, (_, index) => `unknown-${index}`);
    expect(await queue().describe([...ids, ...ids])).toEqual(new Array(402).fill(null));
    expect(server.calls.slice(before)).toEqual(new Array(3).fill('describejobs'));
  });

  it('goes on after a lost host, and says so when all are lost', async () => {
    const queueId = await queue().submit(work('sleeps-lost', { attempts: 2 }));
    await untilNoted(trace(), 'sleeps-lost');
    server.loseHost(queueId);
    await untilNoted(trace(), 'sleeps-lost', 2);
    server.loseHost(queueId);
    const state = await untilEnd(queue(), queueId);
    expect(state).toMatchObject({
      status: 'failed',
      attempts: 2,
      reason: expect.stringMatching(/^Host EC2/),
    });
    expect(failureOf(state).code).toBe('HOST_LOST');
  });

  it('the events tell the same states as the queue, in order', async () => {
    const queueId = await queue().submit(work('recovers-told'));
    await untilEnd(queue(), queueId);
    expect(events.filter(({ jobId }) => jobId === queueId).map(({ status }) => status)).toEqual([
      ...['SUBMITTED', 'RUNNABLE', 'STARTING', 'RUNNING'],
      ...['RUNNABLE', 'STARTING', 'RUNNING', 'SUCCEEDED'],
    ]);
  });

  it('leaves the retries to the client', async () => {
    server.failNext(500, 'ServerException');
    const queueId = await queue().submit(work('succeeds-retried'));
    expect((await untilEnd(queue(), queueId)).status).toBe('succeeded');
  });

  it('submits once where the answer was lost: before it tries again it looks', async () => {
    const before = server.submissions.length;
    server.loseNextAnswer();
    const queueId = await queue().submit(work('succeeds-unheard'));
    expect((await untilEnd(queue(), queueId)).status).toBe('succeeded');
    expect(server.submissions).toHaveLength(before + 1);
  });

  it('does not submit again where it cannot look', async () => {
    const before = server.submissions.length;
    server.loseNextAnswer();
    server.failNext(403, 'AccessDeniedException', 'listjobs');
    await expect(queue().submit(work('succeeds-blind'))).rejects.toMatchObject({
      code: 'STORAGE',
      message: 'job queue: finding failed (HTTP 403 AccessDeniedException, 1 attempt)',
    });
    expect(server.submissions).toHaveLength(before + 1);
  });

  it('looks once, with its tries, where it cannot look for what was submitted', async () => {
    const patient = makeBatchQueue(clientOf(server.endpoint, 3), QUEUE);
    const before = server.calls.length;
    server.loseNextAnswer();
    for (let times = 0; times < 3; times += 1) server.failNext(408, 'RequestTimeoutException', 'listjobs');
    await expect(patient.submit(work('succeeds-blinded'))).rejects.toMatchObject({
      message: 'job queue: finding failed (HTTP 408 RequestTimeoutException, 3 attempts)',
    });
    expect(server.calls.slice(before)).toEqual(['submitjob', 'listjobs', 'listjobs', 'listjobs']);
  });

  it('finds by the name to the letter, over all pages', async () => {
    const running = await queue().submit(work('sleeps-long'));
    const queueId = await queue().submit(work('succeeds-named', { after: [running] }));
    // Another name for us, the same one for the filter of Batch.
    const others = Array.from({ length: 120 }, () => work('Succeeds-named', { after: [running] }));
    await Promise.all(others.map((other) => queue().submit(other)));
    const before = server.calls.length;
    expect(await queue().find(work('succeeds-named'))).toBe(queueId);
    expect(server.calls.slice(before)).toEqual(['listjobs', 'listjobs']);
    await queue().terminate(running, CANCEL_REASON);
    await untilEnd(queue(), queueId);
  });

  it('tells a refusal as a failure of the storage, without account, role or queue', async () => {
    const calls: readonly (readonly [string, () => Promise<unknown>])[] = [
      ['submitting', () => queue().submit(work('succeeds-no'))],
      ['describing', () => queue().describe(['x'])],
      ['terminating', () => queue().terminate('x', 'y')],
    ];
    for (const [operation, call] of calls) {
      server.failNext(403, 'AccessDeniedException');
      const error = await call().catch((thrown: unknown) => thrown as Error);
      expect(error).toMatchObject({
        code: 'STORAGE',
        message: `job queue: ${operation} failed (HTTP 403 AccessDeniedException, 1 attempt)`,
        cause: { name: 'AccessDeniedException' },
      });
      expect(`${JSON.stringify(error)} ${(error as Error).cause}`).not.toMatch(/arn:|\d{12}/);
    }
  });

  it('tells a server that cannot be reached by the code of the network', async () => {
    await expect(
      makeBatchQueue(clientOf('http://127.0.0.1:1', 1), QUEUE).describe(['x']),
    ).rejects.toMatchObject({
      code: 'STORAGE',
      message: 'job queue: describing failed (ECONNREFUSED, 1 attempt)',
    });
  });
});

describe('a client of Batch', () => {
  it('gives up on a server that takes requests and never answers', { timeout: 15_000 }, async () => {
    const silent = createServer(() => {}).listen(0, '127.0.0.1');
    await once(silent, 'listening');
    try {
      const { port } = silent.address() as AddressInfo;
      const client = clientOf(`http://127.0.0.1:${port}`, 1);
      await expect(makeBatchQueue(client, QUEUE).describe(['x'])).rejects.toMatchObject({
        code: 'STORAGE',
        message: 'job queue: describing failed (TimeoutError, 1 attempt)',
      });
      // One that submits and five that look for what was submitted end within the 29 s of a function.
      const handler = client.config.requestHandler as unknown as NodeHandler;
      expect(6 * handler.httpHandlerConfigs().socketTimeout).toBeLessThan(29_000);
    } finally {
      silent.closeAllConnections();
      silent.close();
    }
  });
});
