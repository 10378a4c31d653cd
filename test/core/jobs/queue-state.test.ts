import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { applyQueueState } from '../../../core/jobs/queue-state.ts';
import { reconcile } from '../../../core/jobs/reconcile.ts';
import type { JobRecord } from '../../../core/jobs/record.ts';
import { readRecord } from '../../../core/jobs/records.ts';
import type { QueueState } from '../../../core/queue/job-queue.ts';
import { AUDIT, MITIGATION, makeSubmitted, makeTestDeps, publish, SWEEP } from './fixtures.ts';

const state = (
  queueId: string,
  status: QueueState['status'],
  rest: Partial<QueueState> = {},
): QueueState => ({
  queueId,
  status,
  attempts: status === 'queued' ? 0 : 1,
  ...rest,
});

/** Applies states in turn and returns the statuses that the record then has. */
async function statuses(request: JobRecord['request'], ...states: QueueState[]) {
  const { deps, jobId } = await makeSubmitted(request);
  const seen: unknown[] = [];
  for (const each of states) seen.push((await applyQueueState(deps, jobId, each))?.status);
  return { seen, deps, jobId, record: (await readRecord(deps, jobId))! };
}

describe('applyQueueState of a job in one part', () => {
  it('follows the queue, another attempt included', async () => {
    const { seen } = await statuses(
      MITIGATION,
      state('gpu-1', 'queued'),
      state('gpu-1', 'running'),
      state('gpu-1', 'queued', { attempts: 1 }),
      state('gpu-1', 'running', { attempts: 2 }),
      state('gpu-1', 'failed', { exitCode: 70 }),
    );
    expect(seen).toEqual(['queued', 'running', 'queued', 'running', 'failed']);
  });

  it('does not go back to the queue by news from before it ran', async () => {
    const { seen } = await statuses(AUDIT, state('cpu-1', 'running'), state('cpu-1', 'queued'));
    expect(seen).toEqual(['running', 'running']);
  });

  it('notes results and outcome of success', async () => {
    const { deps, jobId, record } = await makeSubmitted(MITIGATION);
    await publish(deps.store, record);
    expect(await applyQueueState(deps, jobId, state('gpu-1', 'succeeded'))).toMatchObject({
      status: 'succeeded',
      outcome: 'improved',
      results: ['report.html', 'run.json'],
    });
  });

  it('does not believe in success without results', async () => {
    const { record } = await statuses(AUDIT, state('cpu-1', 'succeeded'));
    expect(record).toMatchObject({ status: 'failed', error: { code: 'NO_RESULTS' } });
  });

  it('has succeeded when everything was published, however its process then ended', async () => {
    const { deps, jobId, record } = await makeSubmitted(MITIGATION);
    await publish(deps.store, record);
    const lost = state('gpu-1', 'failed', { reason: 'Host EC2 (instance i-1) terminated.', attempts: 5 });
    expect(await applyQueueState(deps, jobId, lost)).toMatchObject({
      status: 'succeeded',
      outcome: 'improved',
    });
  });

  it('says why it failed, in a sentence', async () => {
    const { record } = await statuses(
      AUDIT,
      state('cpu-1', 'failed', { exitCode: 75, reason: 'Essential container in task exited', attempts: 3 }),
    );
    expect(record.error).toEqual({
      code: 'TRY_LATER',
      message: 'something that the job needs (storage, backend) was not available in any attempt',
    });
  });

  it('keeps the reason that the worker gave', async () => {
    const { deps, jobId } = await makeSubmitted(AUDIT);
    const key = `jobs/${jobId}/record.json`;
    const told = {
      ...(deps.store.json(key) as JobRecord),
      status: 'failed',
      error: { code: 'INVALID_INPUT', message: 'predictions, line 3' },
    };
    await deps.store.put(key, told);
    expect(await applyQueueState(deps, jobId, state('cpu-1', 'failed', { exitCode: 64 }))).toEqual(told);
  });

  it.each(['queued', 'running', 'failed'] as const)(
    'keeps what the worker published, whatever late news of %s says',
    async (status) => {
      const { deps, jobId } = await makeSubmitted(MITIGATION);
      const key = `jobs/${jobId}/record.json`;
      const told = {
        ...(deps.store.json(key) as JobRecord),
        status: 'succeeded',
        results: ['run.json'],
        outcome: 'improved',
      };
      await deps.store.put(key, told);
      expect(await applyQueueState(deps, jobId, state('gpu-1', status, { attempts: 2 }))).toEqual(told);
    },
  );

  it('is cancelled when the queue says that we ended it', async () => {
    const { record } = await statuses(AUDIT, state('cpu-1', 'failed', { reason: 'cancelled on request' }));
    expect(record.status).toBe('cancelled');
    expect(record).not.toHaveProperty('error');
  });

  it('ignores work that is not its own', async () => {
    const { seen, record } = await statuses(
      AUDIT,
      state('cpu-9', 'running'),
      state('cpu-9', 'failed', { exitCode: 70 }),
    );
    expect(seen).toEqual(['queued', 'queued']);
    expect(record.queueIds).toEqual(['cpu-1']);
  });

  it('learns its queue id from news that overtakes the submission', async () => {
    const { deps, jobId, record } = await makeSubmitted(AUDIT);
    const key = `jobs/${jobId}/record.json`;
    await deps.store.put(key, {
      ...record,
      status: 'submitted',
      queueIds: [],
      error: { code: 'x', message: 'y' },
    });
    const learnt = await applyQueueState(deps, jobId, state('cpu-7', 'running'));
    expect(learnt).toMatchObject({ status: 'running', queueIds: ['cpu-7'] });
    expect(learnt).not.toHaveProperty('error');
  });

  it('returns null when no job has the id', async () => {
    expect(await applyQueueState(makeTestDeps(), 'a-1', state('q', 'running'))).toBeNull();
  });
});

describe('applyQueueState of a sweep', () => {
  it('runs with its first shard and ends with its reduction', async () => {
    const { deps, jobId, record } = await makeSubmitted(SWEEP);
    const [shards, reduction] = record.queueIds as [string, string];
    const seen: unknown[] = [];
    const apply = async (next: QueueState) => seen.push((await applyQueueState(deps, jobId, next))?.status);
    await apply(state(shards, 'queued'));
    await apply(state(`${shards}:2`, 'running'));
    await apply(state(`${shards}:2`, 'succeeded'));
    await apply(state(shards, 'succeeded'));
    await apply(state(reduction, 'queued', { attempts: 1 }));
    await publish(deps.store, record);
    await apply(state(reduction, 'running'));
    await apply(state(reduction, 'succeeded'));
    expect(seen).toEqual(['queued', 'running', 'running', 'running', 'running', 'running', 'succeeded']);
  });

  it('fails with a shard, names it and stops the rest', async () => {
    const { deps, jobId, record } = await makeSubmitted(SWEEP);
    const [shards, reduction] = record.queueIds as [string, string];
    const failed = await applyQueueState(deps, jobId, state(`${shards}:2`, 'failed', { exitCode: 65 }));
    expect(failed).toMatchObject({
      status: 'failed',
      error: { code: 'UNFIT', message: 'shard 3: the data or the model is unfit for what was asked' },
    });
    expect(deps.queues.gpu.terminated.map(([queueId]) => queueId)).toEqual([reduction, shards]);
  });

  it('stops the rest also when the worker has told of the failure first, and not again for what it stopped', async () => {
    const { deps, jobId, record } = await makeSubmitted(SWEEP);
    const [shards, reduction] = record.queueIds as [string, string];
    await deps.store.put(`jobs/${jobId}/record.json`, { ...record, status: 'failed' });
    await applyQueueState(deps, jobId, state(`${shards}:0`, 'failed', { exitCode: 70 }));
    expect(deps.queues.gpu.terminated).toHaveLength(2);
    await applyQueueState(deps, jobId, state(`${shards}:1`, 'failed', { reason: 'cancelled on request' }));
    await applyQueueState(deps, jobId, state(reduction, 'failed', { reason: 'Dependent Job failed' }));
    expect(deps.queues.gpu.terminated).toHaveLength(2);
  });

  it('stays submitted while its reduction is not in the queue', async () => {
    const { deps, jobId, record } = await makeSubmitted(SWEEP);
    const [shards] = record.queueIds as [string];
    await deps.store.put(`jobs/${jobId}/record.json`, { ...record, status: 'submitted', queueIds: [shards] });
    for (const status of ['queued', 'running', 'succeeded'] as const) {
      expect(await applyQueueState(deps, jobId, state(shards, status))).toMatchObject({
        status: 'submitted',
      });
    }
  });
});

describe('events that are repeated, reordered and lost', () => {
  const history = (end: QueueState): QueueState[] => [
    state('gpu-1', 'queued'),
    state('gpu-1', 'running'),
    state('gpu-1', 'queued', { attempts: 1 }),
    state('gpu-1', 'running', { attempts: 2 }),
    end,
  ];
  const ends = {
    succeeded: state('gpu-1', 'succeeded', { attempts: 2 }),
    failed: state('gpu-1', 'failed', { attempts: 2, exitCode: 70 }),
  };
  /** Any of the events, any number of times, in any order. */
  const deliveries = fc.array(fc.nat({ max: 4 }), { maxLength: 12 });

  it('end where the queue ends, at the latest when the queue is asked', async () => {
    const property = fc.asyncProperty(
      deliveries,
      fc.constantFrom('succeeded' as const, 'failed' as const),
      async (order, end) => {
        const { deps, jobId, record } = await makeSubmitted(MITIGATION);
        if (end === 'succeeded') await publish(deps.store, record);
        deps.queues.gpu.set('gpu-1', ends[end]);
        for (const index of order) await applyQueueState(deps, jobId, history(ends[end])[index]!);
        deps.wait(60);
        await reconcile(deps, (await readRecord(deps, jobId))!, null);
        expect((await readRecord(deps, jobId))?.status).toBe(end);
      },
    );
    await fc.assert(property, { numRuns: 100 });
  });

  it('never change a job once it has ended', async () => {
    const property = fc.asyncProperty(deliveries, async (order) => {
      const { deps, jobId, record } = await makeSubmitted(MITIGATION);
      await publish(deps.store, record);
      const ended = await applyQueueState(deps, jobId, ends.succeeded);
      for (const index of order) await applyQueueState(deps, jobId, history(ends.failed)[index]!);
      expect(await readRecord(deps, jobId)).toEqual(ended);
    });
    await fc.assert(property, { numRuns: 50 });
  });
});
