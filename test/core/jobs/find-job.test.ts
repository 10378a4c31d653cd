import { describe, expect, it } from 'vitest';
import { StorageError } from '../../../core/errors.ts';
import { findJob } from '../../../core/jobs/find-job.ts';
import { AUDIT, makeSubmitted, makeTestDeps } from './fixtures.ts';

const progress = { stage: 'audit', done: 3, total: 8 };

async function makeTold() {
  const made = await makeSubmitted(AUDIT);
  const updatedAt = made.deps.now().toISOString();
  await made.deps.store.put(`jobs/${made.jobId}/status.json`, { attempt: 1, updatedAt, progress });
  return { ...made, told: { ...progress, attempt: 1, updatedAt } };
}

describe('findJob', () => {
  it('throws JobNotFoundError for an id that no job has', async () => {
    await expect(findJob(makeTestDeps(), 'a-1')).rejects.toMatchObject({ code: 'JOB_NOT_FOUND' });
  });

  it('has no progress before the worker tells any', async () => {
    const { deps, jobId, record } = await makeSubmitted(AUDIT);
    expect(await findJob(deps, jobId)).toEqual({ record, progress: null });
  });

  it('puts record and progress together', async () => {
    const { deps, jobId, told } = await makeTold();
    const found = await findJob(deps, jobId);
    expect(found.progress).toEqual(told);
    expect(found.record.status).toBe('running');
  });

  it('has no progress once the job has ended', async () => {
    const { deps, jobId, record } = await makeTold();
    await deps.store.put(`jobs/${jobId}/record.json`, { ...record, status: 'cancelled' });
    expect((await findJob(deps, jobId)).progress).toBeNull();
  });

  it('has no progress when it turns out that the job has ended', async () => {
    const { deps, jobId } = await makeTold();
    deps.queues.cpu.set('cpu-1', { status: 'failed', exitCode: 70 });
    deps.wait(60);
    expect(await findJob(deps, jobId)).toMatchObject({ record: { status: 'failed' }, progress: null });
  });

  it.each(['damaged', '{"attempt":1}'])(
    'has no progress where it cannot be read, and asks the queue: %s',
    async (content) => {
      const { deps, jobId } = await makeTold();
      await deps.store.put(`jobs/${jobId}/status.json`, content);
      expect((await findJob(deps, jobId)).progress).toBeNull();
      deps.queues.cpu.set('cpu-1', { status: 'failed', exitCode: 65 });
      deps.wait(60);
      expect((await findJob(deps, jobId)).record.status).toBe('failed');
    },
  );

  it('shows the record as it is when the queue does not answer, and says so', async () => {
    const { deps, jobId, record } = await makeSubmitted(AUDIT);
    deps.wait(60);
    deps.queues.cpu.before = () => {
      throw new StorageError('throttled');
    };
    expect(await findJob(deps, jobId)).toEqual({
      record,
      progress: null,
      reconcileError: expect.objectContaining({ code: 'STORAGE' }),
    });
  });

  it('does not hide a mistake of ours behind the record', async () => {
    const { deps, jobId } = await makeSubmitted(AUDIT);
    deps.wait(60);
    deps.queues.cpu.before = () => {
      throw new TypeError('ours');
    };
    await expect(findJob(deps, jobId)).rejects.toThrow('ours');
  });
});
