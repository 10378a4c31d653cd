import {
  BatchClient,
  CreateComputeEnvironmentCommand,
  CreateJobQueueCommand,
  DescribeJobsCommand,
  RegisterJobDefinitionCommand,
} from '@aws-sdk/client-batch';
import { beforeAll, describe, expect, it } from 'vitest';
import { CANCEL_REASON, failureOf } from '../../../core/jobs/failure.ts';
import { makeBatchClient, makeBatchQueue } from '../../../core/queue/batch-queue.ts';
import type { JobQueue } from '../../../core/queue/job-queue.ts';
import { describeWithMoto, MOTO_CREDENTIALS, type Moto } from '../../helpers/moto.ts';
import { untilEnd, work } from './job-queue.contract.ts';

const REGION = 'us-east-1';

interface Batch {
  readonly client: BatchClient;
  readonly queue: JobQueue;
}

/** A queue with a compute environment, a role and a job definition, as moto wants them before it takes a job. */
function useBatch(moto: Moto): Batch {
  let client: BatchClient;
  let queue: JobQueue;
  beforeAll(async () => {
    const access = { region: REGION, endpoint: moto.endpoint, credentials: MOTO_CREDENTIALS };
    // Waits for as long as it takes: at the first call moto loads its Batch, which a busy machine takes seconds for.
    const patient = new BatchClient(access);
    client = makeBatchClient(access);
    const { computeEnvironmentArn } = await patient.send(
      new CreateComputeEnvironmentCommand({
        computeEnvironmentName: 'gpu-machines',
        type: 'UNMANAGED',
        state: 'ENABLED',
        serviceRole: await createRole(moto),
      }),
    );
    const { jobQueueArn } = await patient.send(
      new CreateJobQueueCommand({
        jobQueueName: 'gpu',
        state: 'ENABLED',
        priority: 1,
        computeEnvironmentOrder: [{ order: 1, computeEnvironment: computeEnvironmentArn }],
      }),
    );
    const { jobDefinitionArn } = await patient.send(
      new RegisterJobDefinitionCommand({
        jobDefinitionName: 'worker',
        type: 'container',
        containerProperties: {
          image: 'worker',
          vcpus: 1,
          memory: 512,
          environment: [{ name: 'BUCKET', value: 'results' }],
        },
      }),
    );
    queue = makeBatchQueue(client, { queueArn: jobQueueArn!, jobDefinition: jobDefinitionArn! });
  });
  return {
    get client() {
      return client;
    },
    get queue() {
      return queue;
    },
  };
}

/** IAM has no client among our dependencies; moto tells services apart by the scope of the signature. */
async function createRole({ endpoint }: Moto): Promise<string> {
  const response = await fetch(endpoint, {
    method: 'POST',
    headers: {
      authorization: `AWS4-HMAC-SHA256 Credential=${MOTO_CREDENTIALS.accessKeyId}/20260101/${REGION}/iam/aws4_request`,
      'content-type': 'application/x-www-form-urlencoded',
    },
    body: 'Action=CreateRole&Version=2010-05-08&RoleName=batch&AssumeRolePolicyDocument=%7B%7D',
  });
  return /<Arn>(.*)<\/Arn>/.exec(await response.text())![1]!;
}

/** Without Docker moto starts nothing: jobs end as they are submitted. */
async function useDocker({ endpoint }: Moto, isUsed: boolean): Promise<void> {
  const body = JSON.stringify({ batch: { use_docker: isUsed } });
  const { status } = await fetch(`${endpoint}/moto-api/config`, { method: 'POST', body });
  expect(status).toBe(201);
}

describeWithMoto('a Batch queue on moto', (moto) => {
  const batch = useBatch(moto);
  describe('where moto starts no container and every job succeeds at once', () =>
    describeSuccess(moto, batch));
  describe('where jobs that depend on others wait', () => describeWaiting(moto, batch));
});

describeWithMoto(
  'a Batch queue on moto where every job fails at once',
  (moto) => describeFailure(moto, useBatch(moto)),
  { MOTO_SIMPLE_BATCH_FAIL_AFTER: '0' },
);

function describeSuccess(moto: Moto, batch: Batch): void {
  beforeAll(() => useDocker(moto, false));

  it('moto takes the submission, and the job has its name, variables, time limit and what it depends on', async () => {
    const first = await batch.queue.submit(work('first'));
    const queueId = await batch.queue.submit(work('second', { after: [first], timeoutSeconds: 90 }));
    const { jobs } = await batch.client.send(new DescribeJobsCommand({ jobs: [queueId] }));
    expect(jobs![0]).toMatchObject({
      jobName: 'counterweight-job-second',
      dependsOn: [{ jobId: first }],
      timeout: { attemptDurationSeconds: 90 },
    });
    expect(jobs![0]!.container!.environment).toEqual(
      expect.arrayContaining([
        { name: 'BUCKET', value: 'results' },
        { name: 'JOB_ID', value: 'second' },
        { name: 'TASK', value: 'job' },
        { name: 'ATTEMPTS', value: '3' },
      ]),
    );
  });

  it('states come in the order asked for, arrays as one, null for what moto does not know', async () => {
    const single = await batch.queue.submit(work('single'));
    const array = await batch.queue.submit(work('array', { task: 'shard', shards: 3 }));
    expect(await batch.queue.describe([array, 'unknown', single, `${array}:2`])).toMatchObject([
      { queueId: array, status: 'succeeded' },
      null,
      { queueId: single, status: 'succeeded', attempts: 1 },
      { queueId: `${array}:2`, status: 'succeeded', attempts: 1 },
    ]);
  });

  it('101 jobs are described in two calls', async () => {
    const queueId = await batch.queue.submit(work('among-many'));
    const ids = Array.from({ length: 100 }, (_, index) => `unknown-${index}`);
    const states = await batch.queue.describe([...ids, queueId]);
    expect(states.slice(0, 100)).toEqual(new Array(100).fill(null));
    expect(states[100]).toMatchObject({ queueId, status: 'succeeded' });
  });

  it('work is found by job and task, an array by its parent', async () => {
    const queueId = await batch.queue.submit(work('swept', { task: 'shard', shards: 2 }));
    expect(await batch.queue.find({ jobId: 'swept', task: 'shard' })).toBe(queueId);
    expect(await batch.queue.find({ jobId: 'swept', task: 'reduce' })).toBeNull();
    expect(await batch.queue.find({ jobId: 'swep', task: 'shard' })).toBeNull();
  });

  it('a queue that does not exist is a failure of the storage that names neither queue nor account', async () => {
    const queueArn = `arn:aws:batch:${REGION}:123456789012:job-queue/other`;
    const other = makeBatchQueue(batch.client, { queueArn, jobDefinition: 'worker' });
    const error = await other.submit(work('refused')).catch((thrown: unknown) => thrown as Error);
    expect(error).toMatchObject({
      code: 'STORAGE',
      message: 'job queue: submitting failed (HTTP 400 ClientException, 1 attempt)',
    });
    expect(`${JSON.stringify(error)} ${(error as Error).cause}`).not.toMatch(/arn:|\d{12}/);
  });
}

function describeWaiting(moto: Moto, batch: Batch): void {
  beforeAll(() => useDocker(moto, true));

  it('work that waits is queued, and TerminateJob ends it with the reason given', async () => {
    const queueId = await batch.queue.submit(work('waits', { after: ['not-there'] }));
    expect(await batch.queue.describe([queueId])).toMatchObject([{ status: 'queued', attempts: 0 }]);
    await batch.queue.terminate(queueId, CANCEL_REASON);
    const state = await untilEnd(batch.queue, queueId);
    expect(state).toEqual({ queueId, status: 'failed', attempts: 0, reason: CANCEL_REASON });
    expect(failureOf(state).code).toBe('CANCELLED');
  });
}

function describeFailure(moto: Moto, batch: Batch): void {
  beforeAll(() => useDocker(moto, false));

  it('a failure without reason or exit code is a failure all the same, in an array too', async () => {
    for (const shards of [1, 3]) {
      const queueId = await batch.queue.submit(work(`fails-${shards}`, { shards }));
      const state = await untilEnd(batch.queue, queueId);
      expect(state).toEqual({ queueId, status: 'failed', attempts: 1 });
      expect(failureOf(state).code).toBe('FAILED');
    }
  });
}
