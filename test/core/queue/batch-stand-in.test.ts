import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  CancelJobCommand,
  DescribeJobsCommand,
  type JobDetail,
  ListJobsCommand,
  type ListJobsCommandInput,
  SubmitJobCommand,
  type SubmitJobCommandInput,
  TerminateJobCommand,
} from '@aws-sdk/client-batch';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { makeBatchClient } from '../../../core/queue/batch-queue.ts';
import type { BatchDetail } from '../../helpers/batch-rules.ts';
import {
  BATCH_CREDENTIALS,
  type BatchServer,
  type BatchServerOptions,
  startBatchServer,
} from '../../helpers/batch-server.ts';
import { useTempFolder } from '../../helpers/files.ts';
import { isAlive } from './processes.ts';

/*
 * The stand-in for AWS Batch held against what AWS documents: API reference and user guide (array jobs, job
 * dependencies, job environment variables, job retries, job timeouts).
 */

/** Containers are scripts of a shell, given as the variable SCRIPT of the submission. */
const COMMAND = ['/bin/bash', '-c', 'eval "$SCRIPT"'] as const;
/** Of Batch's seconds; its 60, the shortest time limit, are 1.2 s, and the 120 of a Spot notice 2.4 s. */
const SECOND_MS = 20;
const QUEUE = 'arn:aws:batch:us-east-1:123456789012:job-queue/gpu';
const PATIENCE_MS = 10_000;
const PATIENT = { timeout: PATIENCE_MS, interval: 10 } as const;

const folder = useTempFolder();
const opened: BatchServer[] = [];
const events: BatchDetail[] = [];
let server: BatchServer;

const open = (options: Partial<BatchServerOptions> = {}) =>
  startBatchServer({
    command: COMMAND,
    secondMs: SECOND_MS,
    onEvent: (detail) => events.push(detail),
    ...options,
  });
const clientOf = ({ endpoint }: BatchServer) =>
  makeBatchClient({ region: 'us-east-1', endpoint, credentials: BATCH_CREDENTIALS, maxAttempts: 1 });

beforeAll(async () => {
  server = await open();
});
afterEach(async () => {
  for (const each of opened.splice(0)) await each.close();
});
afterAll(() => server.close());

async function submit(script: string, changes: Partial<SubmitJobCommandInput> = {}): Promise<string> {
  const { jobId } = await clientOf(server).send(
    new SubmitJobCommand({
      jobName: 'job',
      jobQueue: QUEUE,
      jobDefinition: 'gpu:1',
      containerOverrides: { environment: [{ name: 'SCRIPT', value: script }] },
      ...changes,
    }),
  );
  return jobId!;
}

async function describeJob(jobId: string): Promise<JobDetail> {
  const { jobs } = await clientOf(server).send(new DescribeJobsCommand({ jobs: [jobId] }));
  return jobs![0]!;
}

async function until(jobId: string, ...statuses: readonly string[]): Promise<JobDetail> {
  for (let waited = 0; waited < PATIENCE_MS; waited += 10) {
    const job = await describeJob(jobId);
    if (statuses.includes(job.status!)) return job;
    await sleep(10);
  }
  throw new Error(`"${jobId}": expected ${statuses.join(' or ')} by now`);
}

const untilEnd = (jobId: string) => until(jobId, 'SUCCEEDED', 'FAILED');
const untilSaid = (jobId: string, text: string) =>
  expect.poll(() => server.log(jobId), PATIENT).toContain(text);
const list = (input: ListJobsCommandInput) => clientOf(server).send(new ListJobsCommand(input));

describe('a container', () => {
  it('knows its job, queue and attempt, and nothing of an array', async () => {
    const jobId = await submit('env | grep ^AWS_BATCH_ | sort; exit 1', { retryStrategy: { attempts: 2 } });
    await untilEnd(jobId);
    const lines = (attempt: number) => [
      'AWS_BATCH_CE_NAME=stand-in',
      `AWS_BATCH_JOB_ATTEMPT=${attempt}`,
      `AWS_BATCH_JOB_ID=${jobId}`,
      'AWS_BATCH_JQ_NAME=gpu',
    ];
    await expect
      .poll(() => server.log(jobId).trim().split('\n'), PATIENT)
      .toEqual([...lines(1), ...lines(2)]);
  });

  it('takes everything with it that it has started', async () => {
    const jobId = await submit('sleep 60 & echo "child $!"; exit 0');
    expect((await untilEnd(jobId)).status).toBe('SUCCEEDED');
    await untilSaid(jobId, 'child');
    const [, pid] = /child (\d+)/.exec(server.log(jobId))!;
    await expect.poll(() => isAlive(Number(pid)), PATIENT).toBe(false);
  });

  it('that cannot be started leaves a reason and no exit code', async () => {
    const broken = await open({ command: ['/no/such/program'] });
    opened.push(broken);
    const client = clientOf(broken);
    const { jobId } = await client.send(
      new SubmitJobCommand({ jobName: 'job', jobQueue: QUEUE, jobDefinition: 'gpu:1' }),
    );
    await expect.poll(() => broken.detail(jobId!)?.status, PATIENT).toBe('FAILED');
    expect(broken.detail(jobId!)).toMatchObject({
      statusReason: 'Task failed to start',
      attempts: [{ container: { reason: expect.stringMatching(/^CannotStartContainerError: .*ENOENT/) } }],
    });
    expect(broken.detail(jobId!)!.container).not.toHaveProperty('exitCode');
  });

  it('can be worker/main, whose output helps to see why a test fails', async () => {
    const root = path.join(import.meta.dirname, '../../..');
    let said = '';
    const real = await open({
      command: [
        process.execPath,
        '--import',
        `${root}/node_modules/tsx/dist/loader.mjs`,
        `${root}/worker/main.ts`,
      ],
      environment: { STORE_ROOT: folder.at('store'), JOB_ID: 'unknown' },
      onOutput: (_, text) => {
        said += text;
      },
    });
    opened.push(real);
    const { jobId } = await clientOf(real).send(
      new SubmitJobCommand({ jobName: 'job', jobQueue: QUEUE, jobDefinition: 'gpu:1' }),
    );
    await expect.poll(() => real.detail(jobId!)?.status, { timeout: 30_000 }).toBe('FAILED');
    expect(real.log(jobId!)).toContain('JOB_NOT_FOUND');
    expect(said).toBe(real.log(jobId!));
  }, 40_000);
});

describe('an array', () => {
  it('has processes with the ids id:index, each with its index and the size', async () => {
    const jobId = await submit('echo "$AWS_BATCH_JOB_ARRAY_INDEX of $AWS_BATCH_JOB_ARRAY_SIZE"', {
      arrayProperties: { size: 3 },
    });
    const parent = await untilEnd(jobId);
    expect(parent).toMatchObject({
      status: 'SUCCEEDED',
      attempts: [],
      arrayProperties: { size: 3, statusSummary: { SUCCEEDED: 3 } },
    });
    for (const index of [0, 1, 2]) {
      expect(await describeJob(`${jobId}:${index}`)).toMatchObject({
        arrayProperties: { index },
        attempts: [{ container: { exitCode: 0 } }],
      });
      await untilSaid(`${jobId}:${index}`, `${index} of 3`);
    }
  });

  it('is PENDING until the last process has ended, and fails when one has, after all have ended', async () => {
    const jobId = await submit('test "$AWS_BATCH_JOB_ARRAY_INDEX" != 0 && sleep 0.6; test $? != 1', {
      arrayProperties: { size: 2 },
    });
    await until(`${jobId}:0`, 'FAILED');
    expect(await describeJob(jobId)).toMatchObject({ status: 'PENDING' });
    expect(await untilEnd(jobId)).toMatchObject({
      status: 'FAILED',
      statusReason: 'Array Child Job failed',
      arrayProperties: { statusSummary: { SUCCEEDED: 1, FAILED: 1 } },
    });
    const told = (id: string) => events.filter((event) => event.jobId === id).map(({ status }) => status);
    expect(told(jobId)).toEqual(['SUBMITTED', 'PENDING', 'FAILED']);
    expect(told(`${jobId}:1`)).toEqual(['PENDING', 'RUNNABLE', 'STARTING', 'RUNNING', 'SUCCEEDED']);
  });

  it('that waits for a job that fails never starts', async () => {
    const first = await submit('exit 1');
    const array = await submit('true', { arrayProperties: { size: 2 }, dependsOn: [{ jobId: first }] });
    expect(await untilEnd(array)).toMatchObject({ status: 'FAILED' });
    expect(await describeJob(`${array}:1`)).toMatchObject({
      statusReason: 'Dependent Job failed',
      attempts: [],
    });
  });
});

describe('an end from outside', () => {
  const LIMIT = { timeout: { attemptDurationSeconds: 60 } }; // 1.2 s

  it('the time limit begins anew with each attempt', async () => {
    const jobId = await submit('sleep 0.7; exit $((2 - AWS_BATCH_JOB_ATTEMPT))', {
      ...LIMIT,
      retryStrategy: { attempts: 2 },
    });
    expect((await untilEnd(jobId)).status).toBe('SUCCEEDED');
  });

  it('what takes too long is not tried again, whatever the conditions', async () => {
    const jobId = await submit('trap "exit 0" TERM; sleep 30 & wait', {
      ...LIMIT,
      retryStrategy: { attempts: 3, evaluateOnExit: [{ action: 'RETRY', onReason: '*' }] },
    });
    const job = await untilEnd(jobId);
    expect(job).toMatchObject({ status: 'FAILED', statusReason: 'Job attempt duration exceeded timeout' });
    expect(job.attempts).toHaveLength(1);
  });

  it('TerminateJob ends what runs, and kills what does not listen', async () => {
    const jobId = await submit('trap "echo heard" TERM; echo ready; while true; do sleep 0.05; done');
    await untilSaid(jobId, 'ready');
    await clientOf(server).send(new TerminateJobCommand({ jobId, reason: 'enough' }));
    const job = await untilEnd(jobId);
    expect(job).toMatchObject({ status: 'FAILED', statusReason: 'enough', container: { exitCode: 128 + 9 } });
    expect(server.log(jobId)).toContain('heard');
  });

  it('CancelJob leaves what runs alone', async () => {
    const jobId = await submit('echo ready; sleep 0.2');
    await untilSaid(jobId, 'ready');
    await clientOf(server).send(new CancelJobCommand({ jobId, reason: 'enough' }));
    expect((await untilEnd(jobId)).status).toBe('SUCCEEDED');
  });

  it('what waits for others is cancelled when those have ended', async () => {
    const first = await submit('echo ready; sleep 0.6');
    const second = await submit('true', { dependsOn: [{ jobId: first }] });
    await untilSaid(first, 'ready');
    await clientOf(server).send(new CancelJobCommand({ jobId: second, reason: 'enough' }));
    expect((await describeJob(second)).status).toBe('PENDING');
    await untilEnd(first);
    expect(await untilEnd(second)).toMatchObject({ status: 'FAILED', statusReason: 'enough', attempts: [] });
  });

  it('a lost host leaves no exit code, and the job is RUNNABLE again', async () => {
    const jobId = await submit('echo ready; test $AWS_BATCH_JOB_ATTEMPT = 2 || sleep 30', {
      retryStrategy: { attempts: 2 },
    });
    await untilSaid(jobId, 'ready');
    server.loseHost(jobId);
    const { status, attempts } = await untilEnd(jobId);
    expect(status).toBe('SUCCEEDED');
    expect(attempts!.map(({ statusReason, container }) => [statusReason, container?.exitCode])).toEqual([
      ['Host EC2 (instance i-0123456789abcdef0) terminated.', undefined],
      ['Essential container in task exited', 0],
    ]);
  });

  it('a Spot host is taken back two minutes after SIGTERM: who ends in time leaves an exit code', async () => {
    const script = 'trap "exit 75" TERM; echo ready; test $AWS_BATCH_JOB_ATTEMPT = 2 || sleep 30 & wait $!';
    const jobId = await submit(script, { retryStrategy: { attempts: 2 } });
    await untilSaid(jobId, 'ready');
    server.reclaimHost(jobId);
    const { status, attempts } = await untilEnd(jobId);
    expect(status).toBe('SUCCEEDED');
    expect(attempts![0]).toMatchObject({
      statusReason: expect.stringMatching(/^Host EC2 /),
      container: { exitCode: 75 },
    });
  });

  it('and who does not end in time is gone with the host', async () => {
    const jobId = await submit('trap "echo heard" TERM; echo ready; while true; do sleep 0.05; done');
    await untilSaid(jobId, 'ready');
    const before = Date.now();
    server.reclaimHost(jobId);
    const { statusReason, attempts } = await untilEnd(jobId);
    expect(Date.now() - before).toBeGreaterThanOrEqual(120 * SECOND_MS - 5);
    expect(server.log(jobId)).toContain('heard');
    expect([statusReason, attempts![0]!.container]).toEqual([expect.stringMatching(/^Host EC2 /), {}]);
  });
});

describe('ListJobs', () => {
  it('lists what runs in a queue, unless a status is asked for', async () => {
    const ended = await submit('exit 0', { jobName: 'listed' });
    await untilEnd(ended);
    const running = await submit('sleep 30', { jobName: 'listed' });
    await until(running, 'RUNNING');
    const idsOf = async (input: Partial<ListJobsCommandInput>) =>
      (await list({ jobQueue: QUEUE, ...input })).jobSummaryList!.map(({ jobId }) => jobId);
    expect(await idsOf({})).toEqual([running]);
    expect(await idsOf({ jobStatus: 'SUCCEEDED' })).toContain(ended);
    await clientOf(server).send(new TerminateJobCommand({ jobId: running, reason: 'enough' }));
    await untilEnd(running);
  });

  it('filters by name whatever the case and the status, newest first, page by page, without processes of arrays', async () => {
    const ids = [await submit('true', { jobName: 'Filtered-1', arrayProperties: { size: 2 } })];
    ids.unshift(await submit('exit 1', { jobName: 'filtered-2' }));
    await Promise.all(ids.map(untilEnd));
    const input = { jobQueue: QUEUE, filters: [{ name: 'JOB_NAME', values: ['FILTERED-*'] }], maxResults: 1 };
    const first = await list({ ...input, jobStatus: 'RUNNING' });
    const second = await list({ ...input, nextToken: first.nextToken });
    expect([first, second].map(({ jobSummaryList }) => jobSummaryList!.map(({ jobId }) => jobId))).toEqual([
      [ids[0]],
      [ids[1]],
    ]);
    expect(second.nextToken).toBeUndefined();
  });

  it('lists the processes of an array by its id', async () => {
    const jobId = await submit('true', { arrayProperties: { size: 2 } });
    await untilEnd(jobId);
    const { jobSummaryList } = await list({ arrayJobId: jobId, jobStatus: 'SUCCEEDED' });
    expect(jobSummaryList!.map((job) => job.jobId).sort()).toEqual([`${jobId}:0`, `${jobId}:1`]);
    await expect(list({ jobQueue: QUEUE, arrayJobId: jobId })).rejects.toMatchObject({
      name: 'ClientException',
    });
  });
});
