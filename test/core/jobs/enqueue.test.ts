import { describe, expect, it } from 'vitest';
import { StorageError } from '../../../core/errors.ts';
import { cancelJob } from '../../../core/jobs/cancel-job.ts';
import { resumeSubmission } from '../../../core/jobs/enqueue.ts';
import type { JobRecord } from '../../../core/jobs/record.ts';
import { readRecord } from '../../../core/jobs/records.ts';
import { submitJob } from '../../../core/jobs/submit-job.ts';
import {
  AUDIT,
  MITIGATION,
  makeSubmitted,
  makeTestDeps,
  putInputs,
  SWEEP,
  type TestDeps,
} from './fixtures.ts';

/** A record whose submission ended before the queue heard of what `queueIds` lacks. */
async function makeAbandoned(request: JobRecord['request'], change: Partial<JobRecord> = {}) {
  const { deps, record, jobId } = await makeSubmitted(request);
  for (const queueId of record.queueIds) {
    if (!change.queueIds?.includes(queueId)) deps.queues.gpu.forget(queueId);
  }
  const abandoned: JobRecord = { ...record, status: 'submitted', queueIds: [], ...change };
  await deps.store.put(`jobs/${jobId}/record.json`, abandoned);
  return { deps, jobId, abandoned, before: deps.queues.gpu.works.size };
}

async function makeDeps(): Promise<TestDeps> {
  const deps = makeTestDeps();
  await putInputs(deps.store);
  return deps;
}

describe('resumeSubmission', () => {
  it('leaves a submission alone that is younger than a minute', async () => {
    const { deps, abandoned, before } = await makeAbandoned(MITIGATION);
    deps.wait(59);
    expect(await resumeSubmission(deps, abandoned)).toEqual(abandoned);
    expect(deps.queues.gpu.works.size).toBe(before);
  });

  it('lets one of ten callers go on with an older one', async () => {
    const { deps, abandoned, before, jobId } = await makeAbandoned(MITIGATION);
    deps.wait(60);
    await Promise.all(Array.from({ length: 10 }, () => resumeSubmission(deps, abandoned)));
    expect(deps.queues.gpu.works.size).toBe(before + 1);
    expect(await readRecord(deps, jobId)).toMatchObject({ status: 'queued' });
  });

  it('submits only the parts of a sweep that are missing', async () => {
    const { deps, abandoned, before } = await makeAbandoned(SWEEP, { queueIds: ['gpu-1'] });
    deps.wait(60);
    const record = await resumeSubmission(deps, abandoned);
    expect(record.queueIds).toEqual(['gpu-1', `gpu-${before + 1}`]);
    expect(deps.queues.gpu.works.get(`gpu-${before + 1}`)).toMatchObject({
      task: 'reduce',
      after: ['gpu-1'],
    });
  });

  it('does not submit what a worker already runs', async () => {
    const { deps, abandoned, before } = await makeAbandoned(MITIGATION, { status: 'running' });
    deps.wait(3600);
    await resumeSubmission(deps, abandoned);
    expect(deps.queues.gpu.works.size).toBe(before);
  });

  it.each(['submitted', 'running'] as const)(
    'records what the queue had accepted of a job that is %s, and does not submit it again',
    async (status) => {
      const { deps, record, jobId } = await makeSubmitted(SWEEP);
      const unrecorded: JobRecord = { ...record, status, queueIds: [] };
      await deps.store.put(`jobs/${jobId}/record.json`, unrecorded);
      deps.wait(60);
      const resumed = await resumeSubmission(deps, unrecorded);
      expect(resumed.queueIds).toEqual(record.queueIds);
      expect(resumed.status).toBe(status === 'submitted' ? 'queued' : 'running');
      expect(deps.queues.gpu.works.size).toBe(2);
      expect(deps.queues.gpu.terminated).toEqual([]);
    },
  );

  it('is marked when the queue cannot be asked, so that the next caller goes on at once', async () => {
    const { deps, abandoned, before } = await makeAbandoned(MITIGATION);
    deps.wait(60);
    deps.queues.gpu.before = () => {
      throw new StorageError('throttled');
    };
    await expect(resumeSubmission(deps, abandoned)).rejects.toThrow('throttled');
    deps.queues.gpu.before = () => {};
    expect(await submitJob(deps, MITIGATION)).toMatchObject({ status: 'queued' });
    expect(deps.queues.gpu.works.size).toBe(before + 1);
  });

  it('returns what it was given when the record is gone', async () => {
    const { deps, abandoned, jobId } = await makeAbandoned(MITIGATION);
    await deps.store.delete(`jobs/${jobId}/record.json`);
    deps.wait(60);
    expect(await resumeSubmission(deps, abandoned)).toBe(abandoned);
  });
});

describe('a submission that the queue refuses', () => {
  it('is marked, and gone on with at the next equal request', async () => {
    const deps = await makeDeps();
    deps.queues.cpu.before = () => {
      throw new StorageError('throttled');
    };
    await expect(submitJob(deps, AUDIT)).rejects.toThrow('throttled');
    const [key] = deps.store.keys('jobs/');
    expect(deps.store.json(key!)).toMatchObject({ status: 'submitted', error: { code: 'NOT_QUEUED' } });
    deps.queues.cpu.before = () => {};
    const record = await submitJob(deps, AUDIT);
    expect(record).toMatchObject({ status: 'queued', queueIds: ['cpu-1'] });
    expect(record).not.toHaveProperty('error');
  });

  it('stays cancelled when it was cancelled meanwhile', async () => {
    const deps = await makeDeps();
    const { submit } = deps.queues.cpu;
    deps.queues.cpu.submit = async ({ jobId }) => {
      await cancelJob(deps, jobId);
      throw new StorageError('throttled');
    };
    await expect(submitJob(deps, AUDIT)).rejects.toThrow('throttled');
    deps.queues.cpu.submit = submit;
    expect(await submitJob(deps, AUDIT)).toMatchObject({ status: 'cancelled', queueIds: [] });
    expect(deps.queues.cpu.works.size).toBe(0);
  });
});

describe('work that was submitted while its job was cancelled', () => {
  it.each([AUDIT, SWEEP])('is stopped, and nothing follows it (%#)', async (request) => {
    const deps = await makeDeps();
    const queue = request.kind === 'audit' ? deps.queues.cpu : deps.queues.gpu;
    const { submit } = queue;
    queue.submit = async (work) => {
      await cancelJob(deps, work.jobId);
      return submit(work);
    };
    expect(await submitJob(deps, request)).toMatchObject({ status: 'cancelled' });
    expect(queue.works.size).toBe(1);
    expect(queue.terminated).toEqual([[[...queue.works.keys()][0], 'cancelled on request']]);
  });
});

describe('work that two processes submitted for one part', () => {
  it('is stopped by whichever comes second', async () => {
    const deps = await makeDeps();
    const { submit } = deps.queues.cpu;
    let record: JobRecord | null = null;
    deps.queues.cpu.submit = async (work) => {
      deps.queues.cpu.submit = submit;
      deps.wait(60); // this process stands still while another takes over
      record = await submitJob(deps, AUDIT);
      return submit(work);
    };
    const late = await submitJob(deps, AUDIT);
    expect(late).toEqual(record);
    expect(late.queueIds).toEqual(['cpu-1']);
    expect(deps.queues.cpu.terminated.map(([queueId]) => queueId)).toEqual(['cpu-2']);
  });
});
