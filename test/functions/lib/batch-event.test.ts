import { describe, expect, it } from 'vitest';
import { parseBatchEvent } from '../../../functions/lib/batch-event.ts';
import { type BatchCall, batchEvent } from '../events.ts';

const parse = (call: Partial<BatchCall>) =>
  parseBatchEvent(batchEvent({ jobId: 'a-1', queueId: 'q:3', status: 'RUNNING', ...call }));

describe('parseBatchEvent', () => {
  it.each([
    ['SUBMITTED', 'queued'],
    ['PENDING', 'queued'],
    ['RUNNABLE', 'queued'],
    ['STARTING', 'queued'],
    ['RUNNING', 'running'],
    ['SUCCEEDED', 'succeeded'],
    ['FAILED', 'failed'],
  ] as const)('takes %s for %s', (status, expected) => {
    expect(parse({ status })).toEqual({
      jobId: 'a-1',
      state: { queueId: 'q:3', status: expected, attempts: 0 },
    });
  });

  it('has the exit code and reasons of the last attempt', () => {
    const call = {
      exits: [75, 137],
      statusReason: 'Essential container in task exited',
      containerReason: 'OOM',
    };
    expect(parse({ status: 'FAILED', ...call })?.state).toMatchObject({
      attempts: 2,
      exitCode: 137,
      reason: 'Essential container in task exited OOM',
    });
  });

  it('has no exit code where the host was lost', () => {
    expect(
      parse({ status: 'FAILED', exits: [75, null], statusReason: 'Host EC2 terminated' })?.state,
    ).toEqual({
      queueId: 'q:3',
      status: 'failed',
      attempts: 2,
      reason: 'Host EC2 terminated',
    });
  });

  it('knows work that is not ours', () => {
    expect(parse({ jobId: null })?.jobId).toBeNull();
  });

  it('reads a parent of an array that has no container', () => {
    const event = batchEvent({ jobId: 'a-1', queueId: 'q', status: 'PENDING' }) as { detail: object };
    const { container: _, attempts: __, ...detail } = event.detail as Record<string, unknown>;
    expect(parseBatchEvent({ ...event, detail })).toMatchObject({
      jobId: null,
      state: { queueId: 'q', attempts: 0 },
    });
  });

  it.each([null, 'x', {}, { source: 'aws.batch' }])('is null for %j', (event) => {
    expect(parseBatchEvent(event)).toBeNull();
  });
});
