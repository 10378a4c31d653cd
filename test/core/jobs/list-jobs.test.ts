import { describe, expect, it } from 'vitest';
import { listJobs } from '../../../core/jobs/list-jobs.ts';
import type { JobRecord } from '../../../core/jobs/record.ts';
import { submitJob } from '../../../core/jobs/submit-job.ts';
import { AUDIT, makeTestDeps, putInputs } from './fixtures.ts';

/** Jobs a second apart, the first one first; every third one has failed. */
async function makeJobs(size: number) {
  const deps = makeTestDeps();
  await putInputs(deps.store);
  const ids: string[] = [];
  for (let index = 0; index < size; index += 1) {
    deps.wait(1);
    const record = await submitJob(deps, AUDIT, { idempotencyKey: String(index) });
    const status = index % 3 === 0 ? 'failed' : record.status;
    await deps.store.put(`jobs/${record.jobId}/record.json`, { ...record, status });
    await deps.store.put(`jobs/${record.jobId}/checkpoints/a`, 'x');
    await deps.store.put(`jobs/${record.jobId}/status.json`, 'x');
    ids.push(record.jobId);
  }
  return { deps, ids };
}

async function allPages(deps: Parameters<typeof listJobs>[0], options: Parameters<typeof listJobs>[1]) {
  const pages: string[][] = [];
  let after: string | undefined;
  do {
    const { jobs, next } = await listJobs(deps, { ...options, after });
    pages.push(jobs.map(({ jobId }) => jobId));
    after = next;
  } while (after !== undefined);
  return pages;
}

describe('listJobs', () => {
  it('leaves out a record that is damaged, and counts it', async () => {
    const { deps, ids } = await makeJobs(3);
    await deps.store.put(`jobs/${ids[1]}/record.json`, '{"schemaVersion": 1, ');
    const { jobs, damaged } = await listJobs(deps, { limit: 10 });
    expect(jobs.map(({ jobId }) => jobId)).toEqual([ids[2], ids[0]]);
    expect(damaged).toBe(1);
  });

  it('has the newest first', async () => {
    const { deps, ids } = await makeJobs(5);
    const { jobs, next } = await listJobs(deps, { limit: 10 });
    expect(jobs.map(({ jobId }) => jobId)).toEqual(ids.toReversed());
    expect(next).toBeUndefined();
  });

  it('comes in pages that hold each job once', async () => {
    const { deps, ids } = await makeJobs(7);
    const pages = await allPages(deps, { limit: 3 });
    expect(pages.map(({ length }) => length)).toEqual([3, 3, 1]);
    expect(pages.flat()).toEqual(ids.toReversed());
  });

  it('holds the jobs of one status only, when asked', async () => {
    const { deps, ids } = await makeJobs(7);
    const pages = await allPages(deps, { limit: 2, status: 'failed' });
    expect(pages.flat()).toEqual([ids[6], ids[3], ids[0]]);
  });

  it('reads a bounded number of records for a status that is rare', async () => {
    const { deps } = await makeJobs(1);
    const record = deps.store.json(deps.store.keys('jobs/').find((key) => key.endsWith('record.json'))!);
    for (let index = 0; index < 1000; index += 1) {
      const jobId = `z${String(index).padStart(4, '0')}`;
      await deps.store.put(`jobs/${jobId}/record.json`, { ...(record as JobRecord), jobId });
    }
    const before = deps.store.calls.read ?? 0;
    const { jobs, next } = await listJobs(deps, { limit: 10, status: 'succeeded' });
    expect(jobs).toEqual([]);
    expect(next).toBeDefined();
    expect(deps.store.calls.read! - before).toBe(500);
  });

  it('is empty where there are no jobs', async () => {
    expect(await listJobs(makeTestDeps(), { limit: 10 })).toEqual({ jobs: [], damaged: 0 });
  });

  it('leaves out a record that is gone when it is read', async () => {
    const { deps, ids } = await makeJobs(2);
    const { read } = deps.store;
    const store = {
      ...deps.store,
      read: (key: string) => (key.includes(ids[0]!) ? Promise.resolve(null) : read(key)),
    };
    const { jobs } = await listJobs({ store }, { limit: 10 });
    expect(jobs.map(({ jobId }) => jobId)).toEqual([ids[1]]);
  });
});
