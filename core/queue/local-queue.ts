import { randomUUID } from 'node:crypto';
import { InvalidInputError, StorageError } from '../errors.ts';
import { isId } from '../jobs/keys.ts';
import type { JobQueue, QueuedWork } from './job-queue.ts';
import { afterRestart, makeEntry, stateOf } from './local-entry.ts';
import { openLocalFolder } from './local-folder.ts';
import {
  forgetOld,
  keep,
  type LocalQueueOptions,
  type Machine,
  startWaiting,
  stopAll,
  terminate,
} from './local-machine.ts';
import { killOrphans } from './local-process.ts';

export interface LocalQueue extends JobQueue {
  /** Takes no more work, ends the processes and waits for that; the next queue over the folder goes on. */
  close(): Promise<void>;
}

const DEFAULT_GRACE_MS = 30_000;
const DEFAULT_RETRY_DELAY_MS = 5_000;

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
      await stopAll(machine);
    },
  };
}

async function resume(machine: Machine): Promise<void> {
  const entries = await machine.files.load();
  await killOrphans(new Set(entries.map(({ queueId }) => queueId)));
  for (const entry of entries) {
    const resumed = afterRestart(entry);
    machine.entries.set(entry.queueId, resumed);
    machine.order = entry.order;
    if (resumed !== entry) await keep(machine, resumed);
  }
  await forgetOld(machine);
  startWaiting(machine);
}

async function submit(machine: Machine, work: QueuedWork): Promise<string> {
  if (machine.isClosed) throw new StorageError('job queue: expected an open one, received a closed one');
  assertWork(work);
  machine.order += 1;
  const entry = makeEntry(work, { queueId: randomUUID(), order: machine.order });
  try {
    await machine.files.save(entry);
  } catch (error) {
    // What failed for its caller must not be there for the next server.
    await machine.files.forget(entry.queueId).catch(() => {});
    throw error;
  }
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
