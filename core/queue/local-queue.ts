import { randomUUID } from 'node:crypto';
import { InvalidInputError, StorageError } from '../errors.ts';
import { isId } from '../jobs/keys.ts';
import type { JobQueue, QueuedWork } from './job-queue.ts';
import {
  afterEnd,
  afterRestart,
  begun,
  failed,
  isEnded,
  type LocalEntry,
  type LocalProcess,
  makeEntry,
  stateOf,
} from './local-entry.ts';
import { type LocalFolder, openLocalFolder } from './local-folder.ts';
import { type Child, type ChildInput, killOrphans, startChild } from './local-process.ts';

export interface LocalQueueOptions {
  /** Program and arguments of one worker. */
  readonly command: readonly [program: string, ...args: string[]];
  /** All that a worker sees of the environment, besides what the queue tells it. */
  readonly environment: Readonly<Record<string, string>>;
  /** Processes at a time, >= 1. */
  readonly concurrency: number;
  /** Of this queue alone: of two queues over one folder each would start all the work. */
  readonly folder: string;
  readonly now?: () => Date;
  /** Between SIGTERM and SIGKILL; default 30,000, as in AWS Batch. */
  readonly graceMs?: number;
  /** Before another attempt; default 5,000. */
  readonly retryDelayMs?: number;
}

export interface LocalQueue extends JobQueue {
  /** Takes no more work, ends the processes and waits for that; the next queue over the folder goes on. */
  close(): Promise<void>;
}

const DEFAULT_GRACE_MS = 30_000;
const DEFAULT_RETRY_DELAY_MS = 5_000;
/** How long ended work is remembered, logs included. */
const KEEP_MS = 7 * 24 * 3600 * 1000;

interface Slot {
  readonly queueId: string;
  readonly index: number;
}

interface Machine {
  readonly options: Required<LocalQueueOptions>;
  readonly files: LocalFolder;
  /** In order of submission. While the server lives they are the truth, and the files are for the next one. */
  readonly entries: Map<string, LocalEntry>;
  readonly running: Map<string, { readonly child: Child; readonly done: Promise<void> }>;
  readonly resting: Map<string, NodeJS.Timeout>;
  /** Of the last submission. */
  order: number;
  isClosed: boolean;
}

/**
 * Child processes of this machine as a queue, first come, first served. Its state lies in a folder: a queue that is
 * made over it later, also after a crash, goes on where this one stopped.
 *
 * Every method throws StorageError when the folder cannot be used.
 */
export function makeLocalQueue(options: LocalQueueOptions): LocalQueue {
  const machine: Machine = {
    options: {
      now: () => new Date(),
      graceMs: DEFAULT_GRACE_MS,
      retryDelayMs: DEFAULT_RETRY_DELAY_MS,
      ...options,
    },
    files: openLocalFolder(options.folder),
    entries: new Map(),
    running: new Map(),
    resting: new Map(),
    order: 0,
    isClosed: false,
  };
  const opened = resume(machine);
  opened.catch(() => {}); // each call tells it
  return {
    submit: async (work) => {
      await opened;
      return submit(machine, work);
    },
    find: async (work) => {
      await opened;
      return find(machine, work);
    },
    describe: async (queueIds) => {
      await opened;
      return queueIds.map((queueId) => {
        const entry = machine.entries.get(queueId);
        return entry === undefined ? null : stateOf(entry);
      });
    },
    terminate: async (queueId, reason) => {
      await opened;
      await terminate(machine, queueId, reason);
    },
    close: async () => {
      machine.isClosed = true;
      await opened.catch(() => {});
      await close(machine);
    },
  };
}

async function resume(machine: Machine): Promise<void> {
  const entries = await machine.files.load();
  await killOrphans(new Set(entries.map(({ queueId }) => queueId)));
  for (const entry of entries) {
    const { queueId, work, order } = entry;
    const processes = entry.processes.map((process) => afterRestart(process, work));
    machine.entries.set(queueId, entry);
    machine.order = order;
    if (entry.processes.some(({ status }) => status === 'running'))
      await keep(machine, { ...entry, processes });
  }
  await forgetOld(machine);
  startWaiting(machine);
}

async function submit(machine: Machine, work: QueuedWork): Promise<string> {
  if (machine.isClosed) throw new StorageError('job queue: expected an open one, received a closed one');
  assertWork(work);
  machine.order += 1;
  const entry = makeEntry(work, { queueId: randomUUID(), order: machine.order });
  await machine.files.save(entry);
  machine.entries.set(entry.queueId, entry);
  await forgetOld(machine);
  startWaiting(machine);
  return entry.queueId;
}

function find({ entries }: Machine, { jobId, task }: Pick<QueuedWork, 'jobId' | 'task'>): string | null {
  const found = [...entries.values()].filter(({ work }) => work.jobId === jobId && work.task === task);
  const best = found.find((entry) => stateOf(entry).status !== 'failed') ?? found[0];
  return best?.queueId ?? null;
}

/** What would come out of its file damaged, or not start at all. */
function assertWork({ jobId, shards = 1, attempts, timeoutSeconds }: QueuedWork): void {
  const isSound =
    isId(jobId) &&
    [shards, attempts].every((count) => Number.isInteger(count) && count >= 1) &&
    timeoutSeconds > 0;
  if (isSound) return;
  throw new InvalidInputError(
    'work: expected an id, at least one shard and attempt and a time limit, received something else',
    { where: 'work' },
  );
}

/** Starts all that may run now, in order, and fails what waits for work that has failed. */
function startWaiting(machine: Machine): void {
  if (machine.isClosed) return;
  for (const { queueId } of machine.entries.values()) {
    failDependent(machine, queueId);
    for (const slot of startable(machine, queueId)) {
      if (machine.running.size >= machine.options.concurrency) return;
      start(machine, slot);
    }
  }
}

function startable(machine: Machine, queueId: string): Slot[] {
  const { work, processes } = machine.entries.get(queueId)!;
  if (work.after?.some((id) => statusOf(machine, id) !== 'succeeded')) return [];
  return [...processes.keys()]
    .map((index) => ({ queueId, index }))
    .filter((slot) => processes[slot.index]!.status === 'waiting' && !machine.resting.has(keyOf(slot)));
}

function statusOf({ entries }: Machine, queueId: string) {
  const entry = entries.get(queueId);
  return entry === undefined ? null : stateOf(entry).status;
}

function failDependent(machine: Machine, queueId: string): void {
  const entry = machine.entries.get(queueId)!;
  const cause = entry.work.after?.find((id) => ['failed', null].includes(statusOf(machine, id)));
  if (cause === undefined || entry.processes.every(isEnded)) return;
  const reason = `Dependent job ${machine.entries.has(cause) ? 'failed' : 'is not known'}`;
  const processes = entry.processes.map((process) =>
    process.status === 'waiting' ? failed(process, reason) : process,
  );
  void keep(machine, { ...entry, processes });
}

function start(machine: Machine, slot: Slot): void {
  const { options, files } = machine;
  const process = begun(processAt(machine, slot));
  const { work } = machine.entries.get(slot.queueId)!;
  // Noted before it starts: work that takes the server down with it runs out of attempts in the end.
  const noted = update(machine, slot, process);
  const input: ChildInput = {
    command: options.command,
    environment: {
      ...options.environment,
      JOB_ID: work.jobId,
      TASK: work.task,
      ATTEMPTS: String(work.attempts),
      AWS_BATCH_JOB_ATTEMPT: String(process.attempts),
      AWS_BATCH_JOB_ARRAY_INDEX: String(slot.index),
    },
    queueId: slot.queueId,
    logFile: files.logFile(slot.queueId, slot.index, process.attempts),
    timeoutSeconds: work.timeoutSeconds,
    graceMs: options.graceMs,
  };
  const child = startChild(input, noted);
  machine.running.set(keyOf(slot), { child, done: watch(machine, slot, child) });
}

async function watch(machine: Machine, slot: Slot, { ended }: Child): Promise<void> {
  const end = await ended;
  const { work } = machine.entries.get(slot.queueId)!;
  const process = afterEnd(processAt(machine, slot), end, work);
  machine.running.delete(keyOf(slot));
  if (process.status === 'waiting' && !machine.isClosed) rest(machine, slot);
  await update(machine, slot, process);
  startWaiting(machine);
}

/** What failed a moment ago is not tried again at once: the store that was full or away may be back by then. */
function rest(machine: Machine, slot: Slot): void {
  const wake = () => {
    machine.resting.delete(keyOf(slot));
    startWaiting(machine);
  };
  machine.resting.set(keyOf(slot), setTimeout(wake, machine.options.retryDelayMs));
}

async function terminate(machine: Machine, queueId: string, reason: string): Promise<void> {
  const entry = machine.entries.get(queueId);
  if (entry === undefined || entry.processes.every(isEnded)) return;
  const processes = entry.processes.map((process) =>
    process.status === 'waiting' ? failed(process, reason) : process,
  );
  for (const index of processes.keys()) {
    machine.running.get(keyOf({ queueId, index }))?.child.stop({ by: 'terminate', reason });
  }
  await keep(machine, { ...entry, processes });
  startWaiting(machine);
}

async function close({ running, resting }: Machine): Promise<void> {
  for (const timer of resting.values()) clearTimeout(timer);
  for (const { child } of running.values()) child.stop({ by: 'close' });
  await Promise.all([...running.values()].map(({ done }) => done));
}

function processAt({ entries }: Machine, { queueId, index }: Slot): LocalProcess {
  return entries.get(queueId)!.processes[index]!;
}

function update(machine: Machine, { queueId, index }: Slot, process: LocalProcess): Promise<void> {
  const entry = machine.entries.get(queueId)!;
  return keep(machine, { ...entry, processes: entry.processes.with(index, process) });
}

/** What cannot be written is done again after a restart; the worker then finds its results there. */
async function keep(machine: Machine, entry: LocalEntry): Promise<void> {
  const isOver = entry.processes.every(isEnded);
  const kept = isOver ? { ...entry, endedAt: machine.options.now().toISOString() } : entry;
  machine.entries.set(entry.queueId, kept);
  await machine.files.save(kept).catch(() => {});
}

async function forgetOld({ entries, files, options }: Machine): Promise<void> {
  const needed = new Set(
    [...entries.values()].flatMap(({ work, endedAt }) => (endedAt ? [] : (work.after ?? []))),
  );
  const eldest = options.now().getTime() - KEEP_MS;
  for (const { queueId, endedAt } of [...entries.values()]) {
    if (endedAt === undefined || Date.parse(endedAt) > eldest || needed.has(queueId)) continue;
    entries.delete(queueId);
    await files.forget(queueId).catch(() => {}); // the next submission tries again
  }
}

function keyOf({ queueId, index }: Slot): string {
  return `${queueId} ${index}`;
}
