import { describe, expect, it } from 'vitest';
import type { QueuedWork } from '../../../core/queue/job-queue.ts';
import {
  afterEnd,
  afterRestart,
  begun,
  failed,
  failWaiting,
  isEnded,
  type LocalProcess,
  localEntrySchema,
  makeEntry,
  type ProcessEnd,
  stateOf,
} from '../../../core/queue/local-entry.ts';

const WORK: QueuedWork = { jobId: 'job-1', task: 'shard', attempts: 3, timeoutSeconds: 60 };
const entryOf = (work: Partial<QueuedWork> = {}) =>
  makeEntry({ ...WORK, ...work }, { queueId: 'id-1', order: 7 });
const running = (attempts: number): LocalProcess => ({ status: 'running', attempts });
const endOf = (changes: Partial<ProcessEnd>): ProcessEnd => ({
  exitCode: null,
  signal: null,
  cause: null,
  ...changes,
});

describe('an entry', () => {
  it('has one waiting process, or one per shard', () => {
    expect(entryOf().processes).toEqual([{ status: 'waiting', attempts: 0 }]);
    expect(entryOf({ shards: 3 }).processes).toHaveLength(3);
    expect(entryOf({ shards: 1 }).work).not.toHaveProperty('shards');
  });

  it('comes out of its JSON as it went in', () => {
    const entry = entryOf({ shards: 2, after: ['id-0'] });
    expect(localEntrySchema.parse(JSON.parse(JSON.stringify(entry)))).toEqual(entry);
  });

  it.each<[string, object]>([
    ['another version', { schemaVersion: 2 }],
    ['no processes', { processes: [] }],
    ['a status of its own', { processes: [{ status: 'paused', attempts: 0 }] }],
    ['fewer than no attempts', { processes: [{ status: 'waiting', attempts: -1 }] }],
    ['an id that leads out of the folder', { queueId: '../x' }],
    ['an end that is no time', { endedAt: 'yesterday' }],
    ['what it does not know', { priority: 1 }],
  ])('with %s is refused', (_, change) => {
    expect(localEntrySchema.safeParse({ ...entryOf(), ...change }).success).toBe(false);
  });
});

describe('the state of an entry', () => {
  const stateWith = (...processes: LocalProcess[]) =>
    stateOf({ ...entryOf({ shards: processes.length }), processes });
  const waiting: LocalProcess = { status: 'waiting', attempts: 0 };
  const succeeded: LocalProcess = { status: 'succeeded', attempts: 1, exitCode: 0 };

  it('is queued while nothing runs, running while anything does', () => {
    expect(stateWith(waiting, succeeded)).toEqual({ queueId: 'id-1', status: 'queued', attempts: 1 });
    expect(stateWith(waiting, running(2))).toEqual({ queueId: 'id-1', status: 'running', attempts: 2 });
  });

  it('is not failed before all have ended', () => {
    expect(stateWith(failed(running(1), 'x'), waiting).status).toBe('queued');
    expect(stateWith(failed(running(1), 'x'), running(1)).status).toBe('running');
  });

  it('is the first failure among all, with its shard', () => {
    const second = failed(running(2), 'exit code 65', 65);
    expect(stateWith(succeeded, second, failed(running(3), 'exit code 70', 70))).toEqual({
      queueId: 'id-1',
      status: 'failed',
      reason: 'exit code 65, shard 2 of 3',
      exitCode: 65,
      attempts: 2,
    });
  });

  it('is succeeded when all are', () => {
    expect(stateWith(succeeded, { ...succeeded, attempts: 3 })).toEqual({
      queueId: 'id-1',
      status: 'succeeded',
      attempts: 3,
    });
  });
});

describe('failing what waits', () => {
  it('leaves what runs and what has ended alone', () => {
    const entry = { ...entryOf({ shards: 3 }) };
    const processes: LocalProcess[] = [
      running(1),
      { status: 'waiting', attempts: 2 },
      failed(running(1), 'x'),
    ];
    expect(failWaiting({ ...entry, processes }, 'enough').processes).toEqual([
      running(1),
      { status: 'failed', attempts: 2, reason: 'enough' },
      failed(running(1), 'x'),
    ]);
  });
});

describe('a process', () => {
  it('has ended when it succeeded or failed', () => {
    const statuses = ['waiting', 'running', 'succeeded', 'failed'] as const;
    expect(statuses.map((status) => isEnded({ status }))).toEqual([false, false, true, true]);
  });

  it('counts its attempts as they begin, and leaves the reason of the one before behind', () => {
    expect(begun({ status: 'waiting', attempts: 1, exitCode: 75 })).toEqual(running(2));
  });

  it.each<[string, Partial<ProcessEnd>, LocalProcess]>([
    ['exit code 0', { exitCode: 0 }, { status: 'succeeded', attempts: 1, exitCode: 0 }],
    [
      'exit code 0 after it was told to end',
      { exitCode: 0, cause: { by: 'terminate', reason: 'enough' } },
      { status: 'succeeded', attempts: 1, exitCode: 0 },
    ],
    ['exit code 75', { exitCode: 75 }, { status: 'waiting', attempts: 1 }],
    ['a signal from outside', { signal: 'SIGKILL' }, { status: 'waiting', attempts: 1 }],
    ['a system without processes to spare', { startError: 'EAGAIN' }, { status: 'waiting', attempts: 1 }],
    [
      'a program that is not there',
      { startError: 'ENOENT' },
      { status: 'failed', attempts: 1, reason: 'the worker cannot be started (ENOENT)' },
    ],
    [
      'any other exit code',
      { exitCode: 65 },
      { status: 'failed', attempts: 1, reason: 'exit code 65', exitCode: 65 },
    ],
    [
      'its time limit',
      { exitCode: 75, cause: { by: 'timeout' } },
      { status: 'failed', attempts: 1, reason: 'Job attempt duration exceeded timeout', exitCode: 75 },
    ],
    [
      'a user',
      { signal: 'SIGKILL', cause: { by: 'terminate', reason: 'enough' } },
      { status: 'failed', attempts: 1, reason: 'enough' },
    ],
    [
      'the close of its server, which does not count',
      { exitCode: 75, cause: { by: 'close' } },
      { status: 'waiting', attempts: 0 },
    ],
  ])('after %s', (_, end, expected) => {
    expect(afterEnd(running(1), endOf(end), WORK)).toEqual(expected);
  });

  it.each<[string, Partial<ProcessEnd>, string]>([
    ['exit code 75', { exitCode: 75 }, 'exit code 75, after 3 attempts'],
    [
      'a signal from outside',
      { signal: 'SIGKILL' },
      'Host lost: the process was ended from outside (SIGKILL), after 3 attempts',
    ],
    ['a busy system', { startError: 'ENOMEM' }, 'the worker cannot be started (ENOMEM), after 3 attempts'],
  ])('has failed when its last attempt ended by %s', (_, end, reason) => {
    expect(afterEnd(running(3), endOf(end), WORK)).toMatchObject({ status: 'failed', attempts: 3, reason });
  });
});

describe('an entry after its server died', () => {
  const entryWith = (...processes: LocalProcess[]) => ({
    ...entryOf({ shards: processes.length }),
    processes,
  });

  it('has lost the attempts that ran, and the last one of them for good', () => {
    const succeeded: LocalProcess = { status: 'succeeded', attempts: 1, exitCode: 0 };
    expect(afterRestart(entryWith(running(1), succeeded, running(3))).processes).toEqual([
      { status: 'waiting', attempts: 1 },
      succeeded,
      {
        status: 'failed',
        attempts: 3,
        reason: 'Host lost: the process was ended from outside (its server stopped), after 3 attempts',
      },
    ]);
  });

  it('does not come back to life when it was to end', () => {
    const entry = { ...entryWith(running(1), running(1)), terminated: 'enough' };
    const failure = { status: 'failed', attempts: 1, reason: 'enough' };
    expect(afterRestart(entry).processes).toEqual([failure, failure]);
  });

  it('is the same when nothing ran', () => {
    const entry = entryWith({ status: 'waiting', attempts: 1 }, failed(running(1), 'x'));
    expect(afterRestart(entry)).toBe(entry);
  });
});
