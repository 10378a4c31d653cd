import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { CANCEL_REASON } from '../../../core/jobs/failure.ts';
import { makeEntry, stateOf } from '../../../core/queue/local-entry.ts';
import { openLocalFolder } from '../../../core/queue/local-folder.ts';
import {
  forgetOld,
  keep,
  type LocalQueueOptions,
  type Machine,
  startWaiting,
  stopAll,
  terminate,
} from '../../../core/queue/local-machine.ts';
import { useTempFolder } from '../../helpers/files.ts';
import { linesOf, untilNoted, work } from './job-queue.contract.ts';
import { PLAY_COMMAND } from './play-command.ts';

const folder = useTempFolder();
const traceOf = (name: string) => folder.at(`${name}.trace`);
const opened: Machine[] = [];
const PATIENT = { timeout: 15_000, interval: 10 } as const;

afterEach(async () => {
  for (const machine of opened.splice(0)) {
    machine.isClosed = true;
    await stopAll(machine);
  }
});

async function open(name: string, options: Partial<LocalQueueOptions> = {}): Promise<Machine> {
  const machine: Machine = {
    options: {
      command: PLAY_COMMAND,
      environment: { TRACE: traceOf(name) },
      concurrency: 2,
      folder: folder.at(name),
      now: () => new Date(),
      graceMs: 300,
      retryDelayMs: 10,
      ...options,
    },
    files: openLocalFolder(folder.at(name)),
    entries: new Map(),
    running: new Map(),
    resting: new Map(),
    order: 0,
    isClosed: false,
  };
  opened.push(machine);
  await machine.files.load();
  return machine;
}

/** Adds work whose queue id is the id of its job. */
function add(machine: Machine, jobId: string, changes: Parameters<typeof work>[1] = {}): void {
  machine.order += 1;
  machine.entries.set(jobId, makeEntry(work(jobId, changes), { queueId: jobId, order: machine.order }));
}

const statusOf = ({ entries }: Machine, queueId: string) => stateOf(entries.get(queueId)!).status;
const untilStatus = (machine: Machine, queueId: string, status: string) =>
  expect.poll(() => statusOf(machine, queueId), PATIENT).toBe(status);

describe('starting what waits', () => {
  it('is first come, first served, process by process, and never more than there is room for', async () => {
    const machine = await open('order', { concurrency: 2 });
    add(machine, 'takes-array', { shards: 5 });
    add(machine, 'takes-after');
    startWaiting(machine);
    startWaiting(machine);
    expect(machine.running.size).toBe(2);
    await untilStatus(machine, 'takes-after', 'succeeded');
    await untilStatus(machine, 'takes-array', 'succeeded');
    const lines = (await readFile(traceOf('order'), 'utf8')).trim().split('\n');
    let [now, most] = [0, 0];
    for (const line of lines) {
      now += line.startsWith('start') ? 1 : -1;
      most = Math.max(most, now);
    }
    expect(most).toBe(2);
    const starts = lines.filter((line) => line.startsWith('start')).map((line) => line.split(' ')[1]);
    // Of two that begin together either may be heard first.
    expect(starts.slice(0, 4)).toEqual(new Array(4).fill('takes-array'));
  });

  it('passes over what waits for others, which holds up nobody', async () => {
    const machine = await open('passes', { concurrency: 2 });
    add(machine, 'sleeps-first');
    add(machine, 'succeeds-second', { after: ['sleeps-first'] });
    add(machine, 'succeeds-third');
    startWaiting(machine);
    await untilStatus(machine, 'succeeds-third', 'succeeded');
    expect(statusOf(machine, 'succeeds-second')).toBe('queued');
  });

  it('does nothing once the queue is closed', async () => {
    const machine = await open('closed');
    add(machine, 'succeeds-never');
    machine.isClosed = true;
    startWaiting(machine);
    expect([machine.running.size, statusOf(machine, 'succeeds-never')]).toEqual([0, 'queued']);
  });

  it('fails all that waits for what has failed, in one go', async () => {
    const machine = await open('chain');
    add(machine, 'unfit-1');
    add(machine, 'succeeds-2', { after: ['unfit-1'] });
    add(machine, 'succeeds-3', { after: ['succeeds-2'] });
    startWaiting(machine);
    await untilStatus(machine, 'unfit-1', 'failed');
    await untilStatus(machine, 'succeeds-3', 'failed');
    expect(stateOf(machine.entries.get('succeeds-3')!)).toMatchObject({
      attempts: 0,
      reason: 'Dependent job failed',
    });
  });
});

describe('an attempt that failed', () => {
  it('is followed by the next one after a rest, in which its place is free', async () => {
    const machine = await open('rests', { concurrency: 1, retryDelayMs: 600 });
    add(machine, 'recovers-1');
    add(machine, 'succeeds-2');
    startWaiting(machine);
    await untilStatus(machine, 'recovers-1', 'succeeded');
    const notes = (await readFile(traceOf('rests'), 'utf8')).split('\n').filter((line) => line !== '');
    expect(notes.map((line) => line.split(' ').slice(0, 2).join(' '))).toEqual([
      ...['start recovers-1', 'end recovers-1'],
      ...['start succeeds-2', 'end succeeds-2'],
      ...['start recovers-1', 'end recovers-1'],
    ]);
  });

  it('is the last one when the work is terminated while it rests', async () => {
    const machine = await open('rested', { retryDelayMs: 300 });
    add(machine, 'tries-1', { attempts: 5 });
    startWaiting(machine);
    await untilNoted(traceOf('rested'), 'tries-1', 2);
    await expect.poll(() => machine.resting.size, PATIENT).toBe(1);
    await terminate(machine, 'tries-1', CANCEL_REASON);
    expect(stateOf(machine.entries.get('tries-1')!)).toMatchObject({ status: 'failed', attempts: 1 });
    await sleep(400);
    expect(await linesOf(traceOf('rested'), 'tries-1')).toHaveLength(2);
  });

  it('is made anew by the next server when this one is closed while it rests', async () => {
    const machine = await open('closing', { retryDelayMs: 60_000 });
    add(machine, 'tries-1');
    startWaiting(machine);
    await expect.poll(() => machine.resting.size, PATIENT).toBe(1);
    machine.isClosed = true;
    await stopAll(machine);
    const [entry] = await openLocalFolder(folder.at('closing')).load();
    expect(entry!.processes).toEqual([{ status: 'waiting', attempts: 1 }]);
  });
});

describe('what is kept of work', () => {
  const day = (date: number) => new Date(Date.UTC(2026, 0, date));

  it('has the time of its end once all processes have ended', async () => {
    const machine = await open('ends', { now: () => day(1) });
    add(machine, 'job-1', { shards: 2 });
    const entry = machine.entries.get('job-1')!;
    const succeeded = { status: 'succeeded', attempts: 1, exitCode: 0 } as const;
    await keep(machine, { ...entry, processes: [succeeded, entry.processes[1]!] });
    expect(machine.entries.get('job-1')).not.toHaveProperty('endedAt');
    await keep(machine, { ...entry, processes: [succeeded, succeeded] });
    expect((await openLocalFolder(folder.at('ends')).load())[0]!.endedAt).toBe('2026-01-01T00:00:00.000Z');
  });

  it('is let go of after seven days, unless something waits for it', async () => {
    let today = day(1);
    const machine = await open('old', { now: () => today });
    const succeeded = { status: 'succeeded', attempts: 1 } as const;
    for (const jobId of ['job-1', 'job-2', 'job-3']) add(machine, jobId);
    add(machine, 'job-4', { after: ['job-2'] });
    for (const jobId of ['job-1', 'job-2']) {
      await keep(machine, { ...machine.entries.get(jobId)!, processes: [succeeded] });
    }
    const left = async () => {
      await forgetOld(machine);
      return [...machine.entries.keys()];
    };
    today = day(7);
    expect(await left()).toEqual(['job-1', 'job-2', 'job-3', 'job-4']);
    today = day(8);
    expect(await left()).toEqual(['job-2', 'job-3', 'job-4']);
  });
});
