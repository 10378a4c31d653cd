import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readRecord } from '../../core/jobs/records.ts';
import type { JobRequest } from '../../core/jobs/schema.ts';
import { submitJob } from '../../core/jobs/submit-job.ts';
import { makeGetJob } from '../../functions/get-job.ts';
import { makeOnBatchState } from '../../functions/on-batch-state.ts';
import { AUDIT, MITIGATION, publish, SWEEP } from '../core/jobs/fixtures.ts';
import { apiEvent, type BatchCall, batchEvent } from './events.ts';
import { bodyOf, makeReadyDeps } from './fixtures.ts';

async function makeRunning(request: JobRequest = MITIGATION) {
  const deps = await makeReadyDeps();
  const record = await submitJob(deps, request);
  const handler = makeOnBatchState(deps);
  const tell = async (call: Partial<BatchCall> & Pick<BatchCall, 'status'>) => {
    await handler(batchEvent({ jobId: record.jobId, queueId: record.queueIds[0]!, ...call }));
    return (await readRecord(deps, record.jobId))!;
  };
  return { deps, record, handler, tell };
}

describe('a Batch event', () => {
  it('moves the record on', async () => {
    const { deps, record, tell } = await makeRunning();
    expect((await tell({ status: 'SUBMITTED' })).status).toBe('queued');
    expect((await tell({ status: 'RUNNABLE' })).status).toBe('queued');
    expect((await tell({ status: 'STARTING' })).status).toBe('queued');
    expect((await tell({ status: 'RUNNING' })).status).toBe('running');
    await publish(deps.store, record);
    expect(await tell({ status: 'SUCCEEDED', exits: [0] })).toMatchObject({
      status: 'succeeded',
      outcome: 'improved',
    });
  });

  it.each<[string, Partial<BatchCall>, string]>([
    ['its exit code', { exits: [75, 65] }, 'the data or the model is unfit for what was asked'],
    [
      'a lost host',
      { exits: [null], statusReason: 'Host EC2 (instance i-0b7f1a2b3c4d5e6f7) terminated.' },
      'the machine was taken away in every attempt; the job can be submitted again',
    ],
    [
      'its time limit',
      { exits: [137], statusReason: 'Job attempt duration exceeded timeout' },
      'the job ran for longer than its time limit allows',
    ],
    [
      'memory',
      { exits: [137], containerReason: 'OutOfMemoryError: Container killed due to memory usage' },
      'the job needed more memory than its container has',
    ],
    [
      'a queue that never had a machine',
      { statusReason: 'CAPACITY:INSUFFICIENT_INSTANCE_CAPACITY' },
      'no machine of the right kind was free in time; the job can be submitted again',
    ],
  ])('says in a sentence that a job failed for %s', async (_, call, sentence) => {
    const { tell } = await makeRunning();
    expect(await tell({ status: 'FAILED', ...call })).toMatchObject({
      status: 'failed',
      error: { message: sentence },
    });
  });

  it('of one shard that failed ends the sweep and stops what is left of it', async () => {
    const { deps, record, tell } = await makeRunning(SWEEP);
    const shard = `${record.queueIds[0]}:3`;
    const { error } = await tell({ status: 'FAILED', queueId: shard, exits: [64] });
    expect(error?.message).toMatch(/^shard 4: /);
    expect(deps.queues.gpu.terminated).toHaveLength(2);
  });

  it.each([
    ['of work that is not ours', batchEvent({ jobId: null, queueId: 'q', status: 'RUNNING' })],
    ['of a job without a record', batchEvent({ jobId: 'a-1', queueId: 'q', status: 'RUNNING' })],
    ['with an id that is none', batchEvent({ jobId: '../x', queueId: 'q', status: 'RUNNING' })],
    ['of another kind', { source: 'aws.batch', 'detail-type': 'Batch Job Queue Blocked', detail: {} }],
    ['without content', null],
  ])('%s is ignored with a log line', async (_, event) => {
    const { deps, handler } = await makeRunning();
    const before = deps.store.keys();
    await handler(event);
    expect(deps.logs()).toEqual([expect.objectContaining({ message: 'event ignored' })]);
    expect(deps.store.keys()).toEqual(before);
  });

  it('comes again when the store fails', async () => {
    const { deps, tell } = await makeRunning();
    deps.store.before = () => {
      throw new Error('secret-bucket is down');
    };
    await expect(tell({ status: 'RUNNING' })).rejects.toThrow('event not handled: INTERNAL Error');
    expect(deps.written.join()).not.toContain('secret-bucket');
  });

  it('never writes an account, a machine or a bucket into log or record', async () => {
    const { deps, record, tell } = await makeRunning(AUDIT);
    await tell({ status: 'FAILED', statusReason: 'arn:aws:batch:eu-west-1:123456789012:job/x broke' });
    const said = `${deps.written.join()}${JSON.stringify(await readRecord(deps, record.jobId))}`;
    for (const word of ['123456789012', 'arn:', 'secret-bucket']) expect(said).not.toContain(word);
  });
});

describe('Batch events that are repeated, reordered and lost', () => {
  const CALLS: readonly Pick<BatchCall, 'status' | 'exits'>[] = [
    { status: 'SUBMITTED' },
    { status: 'RUNNABLE' },
    { status: 'STARTING' },
    { status: 'RUNNING' },
    { status: 'RUNNABLE', exits: [75] },
    { status: 'RUNNING', exits: [75] },
    { status: 'SUCCEEDED', exits: [75, 0] },
  ];
  const deliveries = fc.array(fc.constantFrom(...CALLS), { maxLength: 14 });

  it('show the same job in the end as all events in order', async () => {
    const property = fc.asyncProperty(deliveries, async (calls) => {
      const { deps, record, tell } = await makeRunning();
      await publish(deps.store, record);
      deps.queues.gpu.set('gpu-1', { status: 'succeeded', attempts: 2 });
      for (const call of calls) await tell(call);
      deps.wait(60);
      const event = apiEvent({ method: 'GET', params: { id: record.jobId } });
      const { updatedAt: _, ...job } = bodyOf(await makeGetJob(deps)(event));
      expect(job).toMatchObject({
        status: 'succeeded',
        outcome: 'improved',
        links: { 'run.json': expect.anything() },
      });
    });
    await fc.assert(property, { numRuns: 60 });
  });
});
