import { describe, expect, it } from 'vitest';
import { cancelJob } from '../../../core/jobs/cancel-job.ts';
import type { JobRecord } from '../../../core/jobs/record.ts';
import { readRecord, updateRecord } from '../../../core/jobs/records.ts';
import { submitJob } from '../../../core/jobs/submit-job.ts';
import { makeJobKeeper, noteJobs } from '../../../functions/local/job-keeper.ts';
import {
  AUDIT,
  MITIGATION,
  makeTestDeps,
  putInputs,
  SWEEP,
  type TestDeps,
} from '../../core/jobs/fixtures.ts';

async function makeKept() {
  const deps = makeTestDeps();
  await putInputs(deps.store);
  const open = new Set<string>();
  const errors: string[] = [];
  const keeper = makeJobKeeper(deps, open, (jobId) => errors.push(jobId));
  return { deps, open, errors, keeper };
}

const statusOf = async (deps: TestDeps, jobId: string) => (await readRecord(deps, jobId))!.status;

/** What a worker leaves behind that ended well. */
async function publish({ store }: TestDeps, { jobId, request }: JobRecord): Promise<void> {
  const isMitigation = request.kind === 'mitigation';
  await store.put(`results/${jobId}/report.html`, '<p>');
  await store.put(`results/${jobId}/${isMitigation ? 'run.json' : 'audit.json'}`, {
    outcome: { status: 'improved' },
  });
}

describe('a tick', () => {
  it('tells the records what the queue says, until they have ended', async () => {
    const { deps, open, keeper } = await makeKept();
    const job = await submitJob(deps, AUDIT);
    open.add(job.jobId);
    const [queueId] = job.queueIds as [string];
    deps.queues.cpu.set(queueId, { status: 'running', attempts: 1 });
    await keeper.tick();
    expect(await statusOf(deps, job.jobId)).toBe('running');
    await publish(deps, job);
    deps.queues.cpu.set(queueId, { status: 'succeeded' });
    await keeper.tick();
    expect(await readRecord(deps, job.jobId)).toMatchObject({
      status: 'succeeded',
      results: ['audit.json', 'report.html'],
    });
    expect(open.size).toBe(0);
  });

  it('writes nothing when there is no news', async () => {
    const { deps, open, keeper } = await makeKept();
    open.add((await submitJob(deps, AUDIT)).jobId);
    await keeper.tick();
    const { write } = deps.store.calls;
    await keeper.tick();
    await keeper.tick();
    expect(deps.store.calls.write).toBe(write);
  });

  it('takes a sweep for failed when a shard has, and for done only when its reduction has', async () => {
    const { deps, open, keeper } = await makeKept();
    const [good, bad] = [await submitJob(deps, SWEEP), await submitJob(deps, { ...SWEEP, seed: 1 })];
    for (const { jobId } of [good, bad]) open.add(jobId);
    deps.queues.gpu.set(good.queueIds[0]!, { status: 'succeeded' });
    deps.queues.gpu.set(bad.queueIds[0]!, { status: 'failed', exitCode: 65, reason: 'exit' });
    await keeper.tick();
    expect(await statusOf(deps, good.jobId)).not.toBe('succeeded');
    expect(await statusOf(deps, bad.jobId)).toBe('failed');
    await publish(deps, good);
    deps.queues.gpu.set(good.queueIds[1]!, { status: 'succeeded' });
    await keeper.tick();
    expect(await readRecord(deps, good.jobId)).toMatchObject({ status: 'succeeded', outcome: 'improved' });
  });

  it('goes past a job that cannot be looked at, and comes back to it', async () => {
    const { deps, open, errors, keeper } = await makeKept();
    const jobs = [await submitJob(deps, AUDIT), await submitJob(deps, MITIGATION)];
    for (const { jobId } of jobs) open.add(jobId);
    deps.queues.cpu.before = () => {
      throw new Error('away');
    };
    deps.queues.gpu.set(jobs[1]!.queueIds[0]!, { status: 'running', attempts: 1 });
    await keeper.tick();
    expect(errors).toEqual([jobs[0]!.jobId]);
    expect(await statusOf(deps, jobs[1]!.jobId)).toBe('running');
    expect(open.size).toBe(2);
  });
});

describe('a recovery', () => {
  it('leaves alone what the queue knows and what has ended', async () => {
    const { deps, open, keeper } = await makeKept();
    const known = await submitJob(deps, AUDIT);
    const ended = await submitJob(deps, MITIGATION);
    await cancelJob(deps, ended.jobId);
    deps.queues.gpu.forget(ended.queueIds[0]!);
    await keeper.recover([ended.jobId, known.jobId, 'no-such-job']);
    expect([...open]).toEqual([known.jobId]);
    expect(deps.queues.cpu.works.size + deps.queues.gpu.works.size).toBe(2);
  });

  it('submits again what the queue has forgotten, unless its results are there', async () => {
    const { deps, keeper } = await makeKept();
    const lost = await submitJob(deps, SWEEP);
    const done = await submitJob(deps, AUDIT);
    await publish(deps, done);
    for (const id of lost.queueIds) deps.queues.gpu.forget(id);
    deps.queues.cpu.forget(done.queueIds[0]!);
    await keeper.recover([lost.jobId, done.jobId]);
    expect(await statusOf(deps, done.jobId)).toBe('succeeded');
    expect(deps.queues.cpu.works.size).toBe(1);
    const record = (await readRecord(deps, lost.jobId))!;
    expect(record).toMatchObject({ status: 'queued', queueIds: ['gpu-3', 'gpu-4'] });
    expect(deps.queues.gpu.works.get('gpu-4')).toMatchObject({ task: 'reduce', after: ['gpu-3'] });
  });

  it('records work that was accepted and not noted, and does not start it twice', async () => {
    const { deps, keeper } = await makeKept();
    const job = await submitJob(deps, AUDIT);
    const forget = { ...job, status: 'submitted' as const, queueIds: [] };
    await updateRecord(deps, job.jobId, () => forget);
    await keeper.recover([job.jobId]);
    expect((await readRecord(deps, job.jobId))!.queueIds).toEqual(job.queueIds);
    expect(deps.queues.cpu.works.size).toBe(1);
  });

  it('submits what says that it runs and is nowhere', async () => {
    const { deps, keeper } = await makeKept();
    const job = await submitJob(deps, AUDIT);
    deps.queues.cpu.forget(job.queueIds[0]!);
    await updateRecord(deps, job.jobId, () => ({ ...job, status: 'running', queueIds: [] }));
    await keeper.recover([job.jobId]);
    expect(deps.queues.cpu.works.size).toBe(2);
    expect((await readRecord(deps, job.jobId))!.queueIds).toEqual(['cpu-2']);
  });

  it('goes past a record that is damaged', async () => {
    const { deps, open, errors, keeper } = await makeKept();
    const job = await submitJob(deps, AUDIT);
    await deps.store.put('jobs/damaged/record.json', '{');
    await keeper.recover(['damaged', job.jobId]);
    expect(errors).toEqual(['damaged']);
    expect([...open]).toEqual([job.jobId]);
  });
});

describe('a noting queue', () => {
  it('gathers the jobs that it is given, and is else the queue that it was', async () => {
    const deps = makeTestDeps();
    await putInputs(deps.store);
    const noted = new Set<string>();
    const queue = noteJobs(deps.queues.cpu, noted);
    const job = await submitJob({ ...deps, queues: { cpu: queue, gpu: queue } }, AUDIT);
    expect([...noted]).toEqual([job.jobId]);
    expect(await queue.describe(job.queueIds)).toEqual(await deps.queues.cpu.describe(job.queueIds));
    expect(await queue.find({ jobId: job.jobId, task: 'job' })).toBe(job.queueIds[0]);
  });
});
