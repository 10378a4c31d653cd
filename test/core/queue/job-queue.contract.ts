import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { CANCEL_REASON, failureOf } from '../../../core/jobs/failure.ts';
import type { JobQueue, QueuedWork, QueueState, QueueStatus } from '../../../core/queue/job-queue.ts';

export interface QueueUnderTest {
  /** Called in tests only; it runs play-worker.mjs, two processes at a time, 300 ms from SIGTERM to SIGKILL. */
  readonly queue: () => JobQueue;
  /** TRACE of the workers. */
  readonly trace: () => string;
  /** Shortest time limit that it takes, well under a second long. */
  readonly shortTimeout: number;
}

export const work = (jobId: string, changes: Partial<QueuedWork> = {}): QueuedWork => ({
  jobId,
  task: 'job',
  attempts: 3,
  timeoutSeconds: 3600,
  ...changes,
});

/** Lines of the trace that speak of a job. */
export async function linesOf(trace: string, jobId: string): Promise<string[]> {
  const text = await readFile(trace, 'utf8').catch(() => '');
  return text.split('\n').filter((line) => line.split(' ')[1] === jobId);
}

const PATIENCE_MS = 20_000;

/** Waits until work is in one of some statuses. */
export async function until(
  queue: JobQueue,
  queueId: string,
  ...statuses: readonly QueueStatus[]
): Promise<QueueState> {
  for (let waited = 0; waited < PATIENCE_MS; waited += 20) {
    const [state] = await queue.describe([queueId]);
    if (state && statuses.includes(state.status)) return state;
    await sleep(20);
  }
  throw new Error(`"${queueId}": expected ${statuses.join(' or ')} by now`);
}

export const untilEnd = (queue: JobQueue, queueId: string) => until(queue, queueId, 'succeeded', 'failed');

/** Waits until a worker has noted something of its job. */
export async function untilNoted(trace: string, jobId: string, count = 1): Promise<void> {
  for (let waited = 0; waited < PATIENCE_MS; waited += 20) {
    if ((await linesOf(trace, jobId)).length >= count) return;
    await sleep(20);
  }
  throw new Error(`"${jobId}": expected ${count} notes by now`);
}

/** The tests that every JobQueue passes. */
export function describeJobQueue(name: string, under: QueueUnderTest): void {
  describe(`${name}: one process`, () => describeProcess(under));
  describe(`${name}: arrays and dependencies`, () => describeParts(under));
  describe(`${name}: ends from outside`, () => describeStops(under));
  describe(`${name}: finding what was submitted`, () => describeFinds(under));
}

function describeProcess({ queue, trace }: QueueUnderTest): void {
  it('an id that it never gave is null, beside others in the order asked for', async () => {
    const queueId = await queue().submit(work('succeeds-known'));
    const [unknown, known, again] = await queue().describe(['never-given', queueId, queueId]);
    expect(unknown).toBeNull();
    expect([known?.queueId, again?.queueId]).toEqual([queueId, queueId]);
    expect(await queue().describe([])).toEqual([]);
    await untilEnd(queue(), queueId);
  });

  it('exit code 0 is a success of the first attempt, and the process knew its job', async () => {
    const queueId = await queue().submit(work('succeeds-first', { task: 'reduce' }));
    expect(await untilEnd(queue(), queueId)).toEqual({ queueId, status: 'succeeded', attempts: 1 });
    expect(await linesOf(trace(), 'succeeds-first')).toEqual([
      'start succeeds-first reduce 0 1/3',
      'end succeeds-first reduce 0 1/3',
    ]);
  });

  it('exit code 65 is a failure of the first attempt, with a reason', async () => {
    const state = await untilEnd(queue(), await queue().submit(work('unfit-1')));
    expect(state).toMatchObject({ status: 'failed', exitCode: 65, attempts: 1 });
    expect(state.reason).toContain('exit code 65');
    expect(failureOf(state).code).toBe('UNFIT');
  });

  it('exit code 75 is tried again, and the process knows its attempt', async () => {
    const state = await untilEnd(queue(), await queue().submit(work('recovers-1')));
    expect(state).toMatchObject({ status: 'succeeded', attempts: 2 });
    expect(await linesOf(trace(), 'recovers-1')).toContain('start recovers-1 job 0 2/3');
  });

  it('exit code 75 in every attempt is a failure after the last one', async () => {
    const state = await untilEnd(queue(), await queue().submit(work('tries-1', { attempts: 2 })));
    expect(state).toMatchObject({ status: 'failed', exitCode: 75, attempts: 2 });
    expect(failureOf(state).code).toBe('TRY_LATER');
    expect(await linesOf(trace(), 'tries-1')).toHaveLength(2 * 2);
  });
}

function describeParts({ queue, trace }: QueueUnderTest): void {
  it('each process of an array has its own index, and all succeed together', async () => {
    const queueId = await queue().submit(work('succeeds-array', { task: 'shard', shards: 3 }));
    expect(await untilEnd(queue(), queueId)).toMatchObject({ queueId, status: 'succeeded' });
    const starts = (await linesOf(trace(), 'succeeds-array')).filter((line) => line.startsWith('start'));
    expect(starts.sort()).toEqual([0, 1, 2].map((index) => `start succeeds-array shard ${index} 1/3`));
  });

  it('an array with one failed process fails for its reason, once the others have ended', async () => {
    const state = await untilEnd(queue(), await queue().submit(work('halves-1', { shards: 3 })));
    expect(state).toMatchObject({ status: 'failed', exitCode: 65, attempts: 1 });
    expect(failureOf(state).code).toBe('UNFIT');
    expect(await linesOf(trace(), 'halves-1')).toHaveLength(3 * 2);
  });

  it('an array of one is a process with index 0', async () => {
    const state = await untilEnd(queue(), await queue().submit(work('succeeds-one', { shards: 1 })));
    expect(state).toMatchObject({ status: 'succeeded', attempts: 1 });
    expect(await linesOf(trace(), 'succeeds-one')).toContain('start succeeds-one job 0 1/3');
  });

  it('work starts after what it depends on has succeeded, arrays too', async () => {
    const first = await queue().submit(work('takes-first', { shards: 2 }));
    const second = await queue().submit(work('succeeds-second', { after: [first] }));
    expect(await untilEnd(queue(), second)).toMatchObject({ status: 'succeeded' });
    const lines = (await readFile(trace(), 'utf8')).split('\n');
    const place = (text: string) => lines.findLastIndex((line) => line.startsWith(text));
    expect(place('end takes-first')).toBeGreaterThan(-1);
    expect(place('start succeeds-second')).toBeGreaterThan(place('end takes-first'));
  });

  it('work fails without a start when what it depends on fails, over any number of steps', async () => {
    const first = await queue().submit(work('unfit-head'));
    const second = await queue().submit(work('succeeds-body', { after: [first], shards: 2 }));
    const third = await queue().submit(work('succeeds-tail', { after: [second] }));
    for (const queueId of [second, third]) {
      const state = await untilEnd(queue(), queueId);
      expect(state).toMatchObject({ status: 'failed', attempts: 0 });
      expect(failureOf(state).code).toBe('DEPENDENCY_FAILED');
    }
    expect(await linesOf(trace(), 'succeeds-body')).toEqual([]);
    expect(await linesOf(trace(), 'succeeds-tail')).toEqual([]);
  });
}

function describeStops({ queue, trace, shortTimeout }: QueueUnderTest): void {
  it('an attempt that takes too long fails and is not tried again', async () => {
    const queueId = await queue().submit(work('graceful-late', { timeoutSeconds: shortTimeout }));
    const state = await untilEnd(queue(), queueId);
    expect(state).toMatchObject({ status: 'failed', attempts: 1 });
    expect(failureOf(state).code).toBe('TIMEOUT');
  });

  it('work that runs is terminated with the reason given, and its dependents fail', async () => {
    const queueId = await queue().submit(work('sleeps-1'));
    const next = await queue().submit(work('succeeds-never', { after: [queueId] }));
    await untilNoted(trace(), 'sleeps-1');
    expect(await until(queue(), queueId, 'running')).toMatchObject({ status: 'running' });
    await queue().terminate(queueId, CANCEL_REASON);
    const state = await untilEnd(queue(), queueId);
    expect(state).toMatchObject({ status: 'failed', attempts: 1 });
    expect(failureOf(state).code).toBe('CANCELLED');
    expect(failureOf(await untilEnd(queue(), next)).code).toBe('DEPENDENCY_FAILED');
    expect(await linesOf(trace(), 'sleeps-1')).toHaveLength(1);
  });

  it('a process that does not listen to SIGTERM is killed', async () => {
    const queueId = await queue().submit(work('stubborn-1'));
    await untilNoted(trace(), 'stubborn-1');
    await queue().terminate(queueId, CANCEL_REASON);
    expect(failureOf(await untilEnd(queue(), queueId)).code).toBe('CANCELLED');
    expect((await linesOf(trace(), 'stubborn-1')).map((line) => line.split(' ')[0])).toEqual([
      'start',
      'ignored',
    ]);
  });

  it('work that is queued is terminated without a start, arrays as a whole', async () => {
    const running = [await queue().submit(work('sleeps-2')), await queue().submit(work('sleeps-3'))];
    await Promise.all(running.map((queueId) => until(queue(), queueId, 'running')));
    const queued = await queue().submit(work('succeeds-late', { shards: 2 }));
    expect(await queue().describe([queued])).toMatchObject([{ status: 'queued', attempts: 0 }]);
    await queue().terminate(queued, CANCEL_REASON);
    const state = await untilEnd(queue(), queued);
    expect(failureOf(state).code).toBe('CANCELLED');
    for (const queueId of running) await queue().terminate(queueId, CANCEL_REASON);
    for (const queueId of running) await untilEnd(queue(), queueId);
    expect(await linesOf(trace(), 'succeeds-late')).toEqual([]);
  });

  it('an array that runs is terminated as a whole', async () => {
    const queueId = await queue().submit(work('sleeps-array', { shards: 3 }));
    await untilNoted(trace(), 'sleeps-array', 2);
    expect(await until(queue(), queueId, 'running')).toMatchObject({ status: 'running' });
    await queue().terminate(queueId, CANCEL_REASON);
    expect(failureOf(await untilEnd(queue(), queueId)).code).toBe('CANCELLED');
    expect(await linesOf(trace(), 'sleeps-array')).toHaveLength(2);
  });

  it('nothing happens to work that has ended', async () => {
    const queueId = await queue().submit(work('succeeds-ended'));
    const state = await untilEnd(queue(), queueId);
    await queue().terminate(queueId, CANCEL_REASON);
    expect(await queue().describe([queueId])).toEqual([state]);
  });
}

function describeFinds({ queue, trace }: QueueUnderTest): void {
  it('work that was never submitted is not found, nor by another job or another task of the same job', async () => {
    const queueId = await queue().submit(work('succeeds-found', { task: 'shard', shards: 2 }));
    expect(await queue().find({ jobId: 'succeeds-found', task: 'reduce' })).toBeNull();
    expect(await queue().find({ jobId: 'succeeds-foun', task: 'shard' })).toBeNull();
    expect(await queue().find({ jobId: 'succeeds-found-2', task: 'shard' })).toBeNull();
    await untilEnd(queue(), queueId);
  });

  it('work is found while it waits, while it runs and when it has succeeded or failed, arrays as a whole', async () => {
    const running = await queue().submit(work('graceful-found'));
    const waiting = await queue().submit(work('succeeds-waiting', { shards: 2, after: [running] }));
    await untilNoted(trace(), 'graceful-found');
    expect(await queue().find(work('graceful-found'))).toBe(running);
    expect(await queue().find(work('succeeds-waiting'))).toBe(waiting);
    await queue().terminate(running, CANCEL_REASON);
    await untilEnd(queue(), waiting);
    expect(await queue().find(work('graceful-found'))).toBe(running);
    expect(await queue().find(work('succeeds-waiting'))).toBe(waiting);
    const succeeded = await queue().submit(work('succeeds-then'));
    await untilEnd(queue(), succeeded);
    expect(await queue().find(work('succeeds-then'))).toBe(succeeded);
  });

  it('of work that was submitted several times the eldest is found that has not failed', async () => {
    const first = await queue().submit(work('sleeps-twice'));
    const second = await queue().submit(work('sleeps-twice'));
    const third = await queue().submit(work('sleeps-twice'));
    expect(await queue().find(work('sleeps-twice'))).toBe(first);
    for (const [ended, found] of [
      [first, second],
      [second, third],
      [third, first],
    ] as const) {
      await queue().terminate(ended, CANCEL_REASON);
      await untilEnd(queue(), ended);
      expect(await queue().find(work('sleeps-twice'))).toBe(found);
    }
  });
}
