import { describe, expect, it } from 'vitest';
import { StorageError } from '../../../core/errors.ts';
import { catchUp } from '../../../core/jobs/catch-up.ts';
import type { JobRecord } from '../../../core/jobs/record.ts';
import { readRecord } from '../../../core/jobs/records.ts';
import { submitJob } from '../../../core/jobs/submit-job.ts';
import {
  AUDIT,
  MITIGATION,
  makeSubmitted,
  makeTestDeps,
  publish,
  putInputs,
  type TestDeps,
} from './fixtures.ts';

const DAY = 24 * 3600;

/** Jobs of one request, each in the queue; the newest comes first. */
async function makeJobs(deps: TestDeps, count: number): Promise<JobRecord[]> {
  await putInputs(deps.store);
  const records: JobRecord[] = [];
  for (let index = 0; index < count; index += 1) {
    deps.wait(1);
    records.unshift(await submitJob(deps, AUDIT, { idempotencyKey: `${index}` }));
  }
  return records;
}

/** How many jobs have not ended. */
async function openJobs(deps: TestDeps, records: readonly JobRecord[]): Promise<number> {
  const current = await Promise.all(records.map(({ jobId }) => readRecord(deps, jobId)));
  return current.filter((record) => record?.status === 'queued').length;
}

describe('catchUp', () => {
  it('brings a job to its end whose events were all lost', async () => {
    const { deps, record, jobId } = await makeSubmitted(MITIGATION);
    await publish(deps.store, record);
    deps.queues.gpu.set('gpu-1', { status: 'succeeded', attempts: 1 });
    deps.wait(60);
    expect(await catchUp(deps)).toMatchObject([{ jobId, record: { status: 'succeeded' } }]);
    expect(await readRecord(deps, jobId)).toMatchObject({ status: 'succeeded', outcome: 'improved' });
    expect(await catchUp(deps)).toEqual([]);
  });

  it('goes on with a submission that nobody asks about', async () => {
    const deps = makeTestDeps();
    await putInputs(deps.store);
    deps.queues.cpu.before = () => {
      throw new StorageError('throttled');
    };
    await submitJob(deps, AUDIT).catch(() => null);
    deps.queues.cpu.before = () => {};
    expect(await catchUp(deps)).toMatchObject([{ record: { status: 'queued', queueIds: ['cpu-1'] } }]);
  });

  it('leaves alone what is as the queue says, and what has ended', async () => {
    const { deps, record, jobId } = await makeSubmitted(AUDIT);
    deps.wait(60);
    expect(await catchUp(deps)).toEqual([]);
    await deps.store.put(`jobs/${jobId}/record.json`, { ...record, status: 'failed' });
    deps.queues.cpu.before = () => {
      throw new StorageError('asked');
    };
    deps.wait(60);
    expect(await catchUp(deps)).toEqual([]);
  });

  it('tells of a job that it could not look at, and looks at the others', async () => {
    const deps = makeTestDeps();
    const [first, second] = (await makeJobs(deps, 2)) as [JobRecord, JobRecord];
    const submitted = await submitJob(deps, MITIGATION);
    deps.queues.gpu.before = () => {
      throw new StorageError('throttled');
    };
    deps.store.before = (_, key) => {
      if (key === `jobs/${first.jobId}/status.json`) throw new StorageError('throttled');
    };
    deps.queues.cpu.set('cpu-1', { status: 'failed', exitCode: 65 });
    deps.wait(60);
    expect((await catchUp(deps)).map(({ jobId, ...rest }) => [jobId, Object.keys(rest)])).toEqual(
      expect.arrayContaining([
        [submitted.jobId, ['error']],
        [first.jobId, ['error']],
        [second.jobId, ['record']],
      ]),
    );
  });

  it('goes through more jobs than one call reads, a call after the other, and then begins anew', async () => {
    const deps = makeTestDeps();
    const records = await makeJobs(deps, 520);
    for (const queueId of deps.queues.cpu.works.keys()) deps.queues.cpu.set(queueId, { status: 'failed' });
    deps.wait(60);
    const left: number[] = [];
    for (let call = 0; call < 2; call += 1) {
      await catchUp(deps);
      left.push(await openJobs(deps, records));
    }
    expect(left).toEqual([20, 0]);
    const [newest] = await makeJobs(deps, 521);
    deps.queues.cpu.set('cpu-521', { status: 'failed' });
    deps.wait(60);
    expect(await catchUp(deps)).toMatchObject([{ jobId: newest!.jobId }]);
  });

  it('ends after two minutes, and goes on from there at the next call', async () => {
    const deps = makeTestDeps();
    const records = await makeJobs(deps, 5);
    for (const queueId of deps.queues.cpu.works.keys()) deps.queues.cpu.set(queueId, { status: 'failed' });
    deps.wait(60);
    deps.queues.cpu.before = () => deps.wait(60);
    const left: number[] = [];
    for (let call = 0; call < 3; call += 1) {
      await catchUp(deps);
      left.push(await openJobs(deps, records));
    }
    expect(left).toEqual([3, 1, 0]);
  });

  it('stays where it is when one page takes longer than two minutes to list', async () => {
    const deps = makeTestDeps();
    const [record] = (await makeJobs(deps, 1)) as [JobRecord];
    deps.queues.cpu.set('cpu-1', { status: 'failed' });
    deps.wait(60);
    deps.store.before = (method) => {
      if (method === 'list') deps.wait(120);
    };
    expect(await catchUp(deps)).toEqual([]);
    deps.store.before = () => {};
    expect(await catchUp(deps)).toMatchObject([{ jobId: record.jobId }]);
  });

  it('stops when the process is about to end', async () => {
    const deps = makeTestDeps();
    const records = await makeJobs(deps, 3);
    for (const queueId of deps.queues.cpu.works.keys()) deps.queues.cpu.set(queueId, { status: 'failed' });
    deps.wait(60);
    let isClosing = false;
    deps.queues.cpu.before = () => {
      isClosing = true;
    };
    await catchUp({ ...deps, isClosing: () => isClosing });
    expect(await openJobs(deps, records)).toBe(3 - 1);
    await catchUp(deps);
    expect(await openJobs(deps, records)).toBe(0);
  });

  it('begins anew where its cursor is damaged', async () => {
    const { deps, jobId } = await makeSubmitted(AUDIT);
    await deps.store.put('locks/catch-up.json', 'damaged');
    deps.queues.cpu.set('cpu-1', { status: 'failed' });
    deps.wait(60);
    expect(await catchUp(deps)).toMatchObject([{ jobId }]);
  });

  it('looks at no page beyond jobs of two weeks ago', async () => {
    const deps = makeTestDeps();
    const [old] = (await makeJobs(deps, 1)) as [JobRecord];
    deps.wait(14 * DAY + 1);
    for (let index = 0; index < 100; index += 1) {
      await deps.store.put(`jobs/a-${index}/record.json`, { ...old, jobId: `a-${index}`, status: 'failed' });
    }
    deps.queues.cpu.set('cpu-1', { status: 'failed' });
    expect(await catchUp(deps)).toEqual([]);
  });
});
