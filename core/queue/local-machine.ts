import {
  afterEnd,
  begun,
  failWaiting,
  isEnded,
  type LocalEntry,
  type LocalProcess,
  stateOf,
} from './local-entry.ts';
import type { LocalFolder } from './local-folder.ts';
import { type Child, type ChildInput, startChild } from './local-process.ts';

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

/** How long ended work is remembered, logs included. */
const KEEP_MS = 7 * 24 * 3600 * 1000;

interface Slot {
  readonly queueId: string;
  readonly index: number;
}

/** The work of a local queue as it stands, and what of it runs. */
export interface Machine {
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

/** Starts all that may run now, in order, and fails what waits for work that has failed. */
export function startWaiting(machine: Machine): void {
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
    .filter(
      (slot) =>
        processes[slot.index]!.status === 'waiting' &&
        !machine.resting.has(keyOf(slot)) &&
        !machine.running.has(keyOf(slot)),
    );
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
  void keep(machine, failWaiting(entry, reason));
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
  if (process.status === 'waiting' && !machine.isClosed) rest(machine, slot);
  // It counts as running until its end is written, so that whoever stops the machine waits for that.
  await update(machine, slot, process);
  machine.running.delete(keyOf(slot));
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

/** Stops work that runs, and fails what waits; holds also when the server dies before the work has ended. */
export async function terminate(machine: Machine, queueId: string, reason: string): Promise<void> {
  const entry = machine.entries.get(queueId);
  if (entry === undefined || entry.processes.every(isEnded)) return;
  for (const index of entry.processes.keys()) {
    machine.running.get(keyOf({ queueId, index }))?.child.stop({ by: 'terminate', reason });
  }
  await keep(machine, { ...failWaiting(entry, reason), terminated: entry.terminated ?? reason });
  startWaiting(machine);
}

/** Ends all processes, which count as not begun, and waits for that. */
export async function stopAll({ running, resting }: Machine): Promise<void> {
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
export async function keep(machine: Machine, entry: LocalEntry): Promise<void> {
  const isOver = entry.processes.every(isEnded);
  const kept = isOver ? { ...entry, endedAt: machine.options.now().toISOString() } : entry;
  machine.entries.set(entry.queueId, kept);
  await machine.files.save(kept).catch(() => {});
}

/** Lets go of what ended long ago, unless something still waits for it. */
export async function forgetOld({ entries, files, options }: Machine): Promise<void> {
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
