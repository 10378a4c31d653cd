import { describe, expect, it } from 'vitest';
import { reconcile } from '../../../core/jobs/reconcile.ts';
import type { JobRecord } from '../../../core/jobs/record.ts';
import { readRecord } from '../../../core/jobs/records.ts';
import { AUDIT, MITIGATION, makeSubmitted, publish, SWEEP } from './fixtures.ts';

/** Number of questions to the queue. */
function countQuestions(queue: { before: (method: string) => void }): () => number {
  let questions = 0;
  queue.before = (method) => {
    if (method === 'describe') questions += 1;
  };
  return () => questions;
}

describe('reconcile', () => {
  it('asks nothing while news is younger than a minute', async () => {
    const { deps, record } = await makeSubmitted(AUDIT);
    const questions = countQuestions(deps.queues.cpu);
    deps.queues.cpu.set('cpu-1', { status: 'running' });
    deps.wait(59);
    expect(await reconcile(deps, record, null)).toEqual(record);
    expect(questions()).toBe(0);
  });

  it('asks once a minute, however often it is called', async () => {
    const { deps, record, jobId } = await makeSubmitted(AUDIT);
    const questions = countQuestions(deps.queues.cpu);
    for (let second = 0; second < 180; second += 10) {
      deps.wait(10);
      await reconcile(deps, (await readRecord(deps, jobId))!, null);
    }
    expect(questions()).toBe(3);
    expect((await readRecord(deps, jobId))?.status).toBe(record.status);
  });

  it('asks nothing of a job that has ended', async () => {
    const { deps, record } = await makeSubmitted(AUDIT);
    const ended: JobRecord = { ...record, status: 'failed' };
    deps.wait(3600);
    expect(await reconcile(deps, ended, null)).toBe(ended);
  });

  it('takes a worker that tells its progress for running', async () => {
    const { deps, record } = await makeSubmitted(AUDIT);
    const questions = countQuestions(deps.queues.cpu);
    deps.wait(3600);
    const running = await reconcile(deps, record, deps.now());
    expect(running.status).toBe('running');
    expect(await reconcile(deps, running, deps.now())).toBe(running);
    expect(questions()).toBe(0);
  });

  it('does not take a job for running that ended meanwhile', async () => {
    const { deps, record, jobId } = await makeSubmitted(AUDIT);
    await deps.store.put(`jobs/${jobId}/record.json`, { ...record, status: 'cancelled' });
    expect(await reconcile(deps, record, deps.now())).toMatchObject({ status: 'cancelled' });
  });

  it('hears of an end whose event was lost', async () => {
    const { deps, record } = await makeSubmitted(MITIGATION);
    await publish(deps.store, record);
    deps.queues.gpu.set('gpu-1', { status: 'succeeded', attempts: 1 });
    deps.wait(60);
    expect(await reconcile(deps, record, null)).toMatchObject({ status: 'succeeded', outcome: 'improved' });
  });

  it('hears of a worker that died after it told its progress', async () => {
    const { deps, record } = await makeSubmitted(AUDIT);
    const heardAt = deps.now();
    deps.queues.cpu.set('cpu-1', { status: 'failed', exitCode: 137, attempts: 3 });
    deps.wait(60);
    expect(await reconcile(deps, record, heardAt)).toMatchObject({ error: { code: 'OUT_OF_MEMORY' } });
  });

  it('hears of a sweep that runs, and of one whose shards failed', async () => {
    const { deps, record, jobId } = await makeSubmitted(SWEEP);
    const [shards] = record.queueIds as [string];
    deps.queues.gpu.set(shards, { status: 'running', attempts: 1 });
    deps.wait(60);
    const running = await reconcile(deps, record, null);
    expect(running.status).toBe('running');
    deps.queues.gpu.set(shards, { status: 'failed', attempts: 5, exitCode: 75 });
    deps.wait(60);
    await reconcile(deps, running, null);
    expect(await readRecord(deps, jobId)).toMatchObject({ status: 'failed', error: { code: 'TRY_LATER' } });
  });

  it('goes by what was published when the queue has forgotten the job', async () => {
    const { deps, record } = await makeSubmitted(AUDIT);
    await publish(deps.store, record);
    deps.queues.cpu.forget('cpu-1');
    deps.wait(24 * 3600);
    expect(await reconcile(deps, record, null)).toMatchObject({ status: 'succeeded' });
  });

  it('calls a job failed that the queue has forgotten and that published nothing', async () => {
    const { deps, record } = await makeSubmitted(AUDIT);
    deps.queues.cpu.forget('cpu-1');
    deps.wait(24 * 3600);
    const { status, error } = await reconcile(deps, record, null);
    expect(status).toBe('failed');
    expect(error?.message).toContain('does not know the job any longer');
  });

  it('hears of the end of a job whose queue id was never recorded', async () => {
    const { deps, record, jobId } = await makeSubmitted(SWEEP);
    const running: JobRecord = { ...record, status: 'running', queueIds: record.queueIds.slice(0, 1) };
    await deps.store.put(`jobs/${jobId}/record.json`, running);
    deps.queues.gpu.set(record.queueIds[1]!, { status: 'failed', exitCode: 137, attempts: 5 });
    deps.wait(60);
    const found = await reconcile(deps, running, null);
    expect(found).toMatchObject({ status: 'running', queueIds: record.queueIds });
    deps.wait(60);
    expect(await reconcile(deps, found, null)).toMatchObject({ error: { code: 'OUT_OF_MEMORY' } });
  });

  it('goes on with a submission that was left half-way', async () => {
    const { deps, record, jobId } = await makeSubmitted(AUDIT);
    const half: JobRecord = { ...record, status: 'submitted', queueIds: [] };
    deps.queues.cpu.forget('cpu-1');
    await deps.store.put(`jobs/${jobId}/record.json`, half);
    deps.wait(60);
    expect(await reconcile(deps, half, null)).toMatchObject({ status: 'queued', queueIds: ['cpu-2'] });
  });
});
