import { describe, expect, it } from 'vitest';
import { StorageError } from '../../../core/errors.ts';
import { readRecord } from '../../../core/jobs/records.ts';
import { submitJob } from '../../../core/jobs/submit-job.ts';
import { AUDIT, MITIGATION, makeTestDeps, putInputs, START, SWEEP } from './fixtures.ts';

async function makeDeps() {
  const deps = makeTestDeps();
  await putInputs(deps.store);
  return deps;
}

/** The same store or queue, whose calls go through `run`. */
function runThrough<T extends object>(target: T, run: (call: () => Promise<unknown>) => Promise<unknown>): T {
  const get = (object: T, name: string | symbol) => {
    const method = Reflect.get(object, name) as (...values: unknown[]) => Promise<unknown>;
    return (...values: unknown[]) => run(() => method(...values));
  };
  return new Proxy(target, { get });
}

describe('submitJob', () => {
  it('records the request and puts it into its queue', async () => {
    const deps = await makeDeps();
    const record = await submitJob(deps, AUDIT);
    expect(record).toMatchObject({
      request: AUDIT,
      status: 'queued',
      createdAt: START.toISOString(),
      queueIds: ['cpu-1'],
    });
    expect(await readRecord(deps, record.jobId)).toEqual(record);
    expect(deps.queues.cpu.works.get('cpu-1')).toMatchObject({ jobId: record.jobId, task: 'job' });
    expect(deps.queues.gpu.works.size).toBe(0);
  });

  it('makes the reduction of a sweep wait for its shards', async () => {
    const deps = await makeDeps();
    const { queueIds, jobId } = await submitJob(deps, SWEEP);
    expect([...deps.queues.gpu.works]).toEqual([
      [queueIds[0], expect.objectContaining({ jobId, task: 'shard', shards: 4 })],
      [queueIds[1], expect.objectContaining({ jobId, task: 'reduce', after: [queueIds[0]] })],
    ]);
    expect(deps.queues.gpu.works.get(queueIds[0]!)).not.toHaveProperty('after');
  });

  it('makes one job of twenty equal requests at once', async () => {
    const deps = await makeDeps();
    const records = await Promise.all(Array.from({ length: 20 }, () => submitJob(deps, MITIGATION)));
    expect(new Set(records.map(({ jobId }) => jobId)).size).toBe(1);
    expect(deps.queues.gpu.works.size).toBe(1);
    expect(deps.store.keys('jobs/')).toHaveLength(1);
    expect((await readRecord(deps, records[0]!.jobId))?.status).toBe('queued');
  });

  it('leaves the job to the caller who recorded it a moment before', async () => {
    const deps = await makeDeps();
    const first = await submitJob(deps, AUDIT);
    let reads = 0;
    const { read } = deps.store;
    const store = {
      ...deps.store,
      // The record comes up between this caller's look at it and its write.
      read: async (key: string) => {
        if (!key.startsWith('jobs/')) return read(key);
        reads += 1;
        return reads === 1 ? null : read(key);
      },
    };
    expect(await submitJob({ ...deps, store }, AUDIT)).toEqual(first);
    expect(deps.queues.cpu.works.size).toBe(1);
  });

  it('does not start a job again that has ended', async () => {
    const deps = await makeDeps();
    const { jobId } = await submitJob(deps, AUDIT);
    await deps.store.put(`jobs/${jobId}/record.json`, {
      ...(deps.store.json(`jobs/${jobId}/record.json`) as object),
      status: 'failed',
    });
    deps.wait(3600);
    expect(await submitJob(deps, AUDIT)).toMatchObject({ jobId, status: 'failed' });
    expect(deps.queues.cpu.works.size).toBe(1);
  });

  /** Fails the nth call of store and queue together, counted from 1. */
  function failAt(deps: Awaited<ReturnType<typeof makeDeps>>, n: number) {
    let calls = 0;
    const count = () => {
      calls += 1;
      if (calls === n) throw new StorageError('down');
    };
    deps.store.before = count;
    deps.queues.gpu.before = count;
    return () => calls;
  }

  it.each([MITIGATION, SWEEP])(
    'is whole and in the queue once after a second try, wherever the first one failed (%#)',
    async (request) => {
      const reference = await makeDeps();
      const callsOf = failAt(reference, 0);
      await submitJob(reference, request);
      const expected = reference.queues.gpu.works.size;
      expect(callsOf()).toBeGreaterThan(8);
      for (let n = 1; n <= callsOf(); n += 1) {
        const deps = await makeDeps();
        failAt(deps, n);
        await submitJob(deps, request).catch(() => null);
        deps.store.before = () => {};
        deps.queues.gpu.before = () => {};
        deps.wait(61);
        const record = await submitJob(deps, request);
        expect(record, `call ${n}`).toMatchObject({ status: 'queued' });
        expect(record.queueIds, `call ${n}`).toEqual([...deps.queues.gpu.works.keys()]);
        expect(deps.queues.gpu.works.size, `call ${n}`).toBe(expected);
        expect(record, `call ${n}`).not.toHaveProperty('error');
        expect(deps.store.keys('jobs/'), `call ${n}`).toHaveLength(1);
      }
    },
  );

  /** Submits as a process that dies when the nth call is done, before it hears of it. */
  function submitUntil(deps: Awaited<ReturnType<typeof makeDeps>>, n: number): Promise<unknown> {
    return new Promise((resolve) => {
      let calls = 0;
      const run = async (call: () => Promise<unknown>): Promise<unknown> => {
        calls += 1;
        if (calls > n) return new Promise(() => {});
        const isLast = calls === n;
        const answer = await call();
        if (isLast) resolve('dead');
        return isLast ? new Promise(() => {}) : answer;
      };
      const { cpu, gpu } = deps.queues;
      const queues = { cpu: runThrough(cpu, run), gpu: runThrough(gpu, run) };
      void submitJob({ ...deps, store: runThrough(deps.store, run), queues }, SWEEP).then(resolve);
    });
  }

  it('reaches the queue once, at whichever point a process dies on the way', async () => {
    for (let n = 1; n <= 12; n += 1) {
      const deps = await makeDeps();
      expect(await submitUntil(deps, n), `call ${n}`).toBe('dead');
      deps.wait(61);
      const records = await Promise.all([1, 2, 3].map(() => submitJob(deps, SWEEP)));
      expect(new Set(records.map(({ jobId }) => jobId)).size, `call ${n}`).toBe(1);
      const record = await readRecord(deps, records[0]!.jobId);
      expect(record, `call ${n}`).toMatchObject({ status: 'queued', queueIds: ['gpu-1', 'gpu-2'] });
      expect(deps.queues.gpu.works.size, `call ${n}`).toBe(2);
    }
    expect(await submitUntil(await makeDeps(), 13)).not.toBe('dead');
  });
});
