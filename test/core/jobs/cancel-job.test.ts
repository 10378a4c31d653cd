import { describe, expect, it } from 'vitest';
import { StorageError } from '../../../core/errors.ts';
import { cancelJob } from '../../../core/jobs/cancel-job.ts';
import { applyQueueState } from '../../../core/jobs/queue-state.ts';
import { AUDIT, makeSubmitted, makeTestDeps, publish, SWEEP } from './fixtures.ts';

describe('cancelJob', () => {
  it('stops the work, the last part first', async () => {
    const { deps, jobId, record } = await makeSubmitted(SWEEP);
    expect(await cancelJob(deps, jobId)).toMatchObject({ status: 'cancelled' });
    expect(deps.queues.gpu.terminated.map(([queueId]) => queueId)).toEqual(record.queueIds.toReversed());
  });

  it('stops the work once more when that failed the first time', async () => {
    const { deps, jobId } = await makeSubmitted(AUDIT);
    deps.queues.cpu.before = () => {
      throw new StorageError('down');
    };
    await expect(cancelJob(deps, jobId)).rejects.toThrow('down');
    deps.queues.cpu.before = () => {};
    expect(await cancelJob(deps, jobId)).toMatchObject({ status: 'cancelled' });
    expect(deps.queues.cpu.terminated).toHaveLength(1);
  });

  it('stops also what the queue had accepted when the process died that submitted it', async () => {
    const { deps, jobId, record } = await makeSubmitted(SWEEP);
    const [shards, reduction] = record.queueIds as [string, string];
    await deps.store.put(`jobs/${jobId}/record.json`, { ...record, status: 'submitted', queueIds: [shards] });
    await cancelJob(deps, jobId);
    expect(deps.queues.gpu.terminated.map(([queueId]) => queueId)).toEqual([reduction, shards]);
  });

  it('throws JobNotFoundError for an id that no job has', async () => {
    await expect(cancelJob(makeTestDeps(), 'a-1')).rejects.toMatchObject({ code: 'JOB_NOT_FOUND' });
  });

  it('throws JobConflictError for a job that has ended', async () => {
    const { deps, jobId, record } = await makeSubmitted(AUDIT);
    await publish(deps.store, record);
    await applyQueueState(deps, jobId, deps.queues.cpu.set('cpu-1', { status: 'succeeded' }));
    await expect(cancelJob(deps, jobId)).rejects.toMatchObject({
      code: 'JOB_CONFLICT',
      message: expect.stringContaining('expected one that has not ended, received one that is "succeeded"'),
    });
    expect(deps.queues.cpu.terminated).toEqual([]);
  });

  it('keeps a job cancelled whatever its queue says afterwards', async () => {
    const { deps, jobId } = await makeSubmitted(AUDIT);
    const cancelled = await cancelJob(deps, jobId);
    for (const status of ['running', 'failed', 'succeeded', 'queued'] as const) {
      expect(await applyQueueState(deps, jobId, deps.queues.cpu.set('cpu-1', { status }))).toEqual(cancelled);
    }
  });
});
