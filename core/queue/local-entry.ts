import { z } from 'zod';
import type { QueuedWork, QueueState } from './job-queue.ts';

/** The worker's "try again". */
const RETRY = 75;
/** Of the system, when it has no process, memory or file to spare at the moment. */
const BUSY = ['EAGAIN', 'EMFILE', 'ENFILE', 'ENOMEM'];

const processSchema = z.strictObject({
  status: z.enum(['waiting', 'running', 'succeeded', 'failed']),
  /** Attempts begun. */
  attempts: z.int().min(0),
  exitCode: z.int().optional(),
  reason: z.string().optional(),
});
export type LocalProcess = z.output<typeof processSchema>;

/** One submission as its file holds it. */
export const localEntrySchema = z.strictObject({
  schemaVersion: z.literal(1),
  queueId: z.string().regex(/^[a-z0-9-]+$/),
  /** Counts up; the lowest runs first. */
  order: z.int().min(0),
  work: z.strictObject({
    jobId: z.string(),
    task: z.enum(['job', 'shard', 'reduce']),
    shards: z.int().min(1).optional(),
    after: z.array(z.string()).optional(),
    attempts: z.int().min(1),
    timeoutSeconds: z.number().positive(),
  }),
  /** One, or one per shard. */
  processes: z.array(processSchema).min(1),
  /** Why it shall end, whatever becomes of the server that was told so. */
  terminated: z.string().optional(),
  /** ISO 8601; present once all processes have ended. */
  endedAt: z.iso.datetime().optional(),
});
export type LocalEntry = z.output<typeof localEntrySchema>;

/** Who made a process end: we, for one of these reasons, or nobody. */
export type StopCause =
  | { readonly by: 'terminate'; readonly reason: string }
  | { readonly by: 'timeout' | 'close' };

/** How a process ended. */
export interface ProcessEnd {
  readonly exitCode: number | null;
  readonly signal: string | null;
  readonly cause: StopCause | null;
  /** Code of the system's error when it could not be started. */
  readonly startError?: string;
}

export function makeEntry(
  work: QueuedWork,
  { queueId, order }: Pick<LocalEntry, 'queueId' | 'order'>,
): LocalEntry {
  const { shards = 1, after, ...rest } = work;
  return {
    schemaVersion: 1,
    queueId,
    order,
    work: { ...rest, ...(shards > 1 && { shards }), ...(after !== undefined && { after: [...after] }) },
    processes: Array.from({ length: shards }, () => ({ status: 'waiting', attempts: 0 })),
  };
}

export function isEnded({ status }: Pick<LocalProcess, 'status'>): boolean {
  return status === 'succeeded' || status === 'failed';
}

/** An array succeeds when all of its processes do, and has failed once all have ended and one has failed. */
export function stateOf({ queueId, work, processes }: LocalEntry): QueueState {
  const attempts = Math.max(...processes.map((process) => process.attempts));
  if (!processes.every(isEnded)) {
    const isRunning = processes.some(({ status }) => status === 'running');
    return { queueId, status: isRunning ? 'running' : 'queued', attempts };
  }
  const failed = processes.findIndex(({ status }) => status === 'failed');
  if (failed < 0) return { queueId, status: 'succeeded', attempts };
  const { reason, exitCode, attempts: made } = processes[failed]!;
  const where = work.shards === undefined ? '' : `, shard ${failed + 1} of ${work.shards}`;
  return {
    queueId,
    status: 'failed',
    attempts: made,
    ...(reason !== undefined && { reason: `${reason}${where}` }),
    ...(exitCode !== undefined && { exitCode }),
  };
}

/** The process in its next attempt. */
export function begun({ attempts }: LocalProcess): LocalProcess {
  return { status: 'running', attempts: attempts + 1 };
}

export function failed({ attempts }: LocalProcess, reason: string, exitCode?: number): LocalProcess {
  return { status: 'failed', attempts, reason, ...(exitCode !== undefined && { exitCode }) };
}

/**
 * The process after its end: exit code 75, a host that was lost and a busy system are tried again, what we ended
 * ourselves is not.
 * An attempt that `close` ended does not count; the next server makes it anew.
 */
export function afterEnd(
  process: LocalProcess,
  end: ProcessEnd,
  { attempts: most }: Pick<QueuedWork, 'attempts'>,
): LocalProcess {
  const { attempts } = process;
  const { exitCode, cause } = end;
  if (exitCode === 0) return { status: 'succeeded', attempts, exitCode };
  if (end.startError !== undefined && !BUSY.includes(end.startError))
    return failed(process, notStarted(end.startError));
  if (cause?.by === 'close') return { status: 'waiting', attempts: attempts - 1 };
  if (cause !== null) return failed(process, reasonOf(cause), exitCode ?? undefined);
  if (exitCode !== null && exitCode !== RETRY) return failed(process, `exit code ${exitCode}`, exitCode);
  if (attempts < most) return { status: 'waiting', attempts };
  const said = exitCode === null ? lost(end) : `exit code ${exitCode}`;
  return failed(
    process,
    `${said}, after ${attempts} ${attempts === 1 ? 'attempt' : 'attempts'}`,
    exitCode ?? undefined,
  );
}

function reasonOf(cause: Exclude<StopCause, { by: 'close' }>): string {
  return cause.by === 'terminate' ? cause.reason : 'Job attempt duration exceeded timeout';
}

function notStarted(reason: string): string {
  return `the worker cannot be started (${reason})`;
}

function lost({ signal, startError }: ProcessEnd): string {
  return startError === undefined
    ? `Host lost: the process was ended from outside (${signal ?? 'unknown'})`
    : notStarted(startError);
}

/** The entry with its waiting processes failed. */
export function failWaiting(entry: LocalEntry, reason: string): LocalEntry {
  const processes = entry.processes.map((process) =>
    process.status === 'waiting' ? failed(process, reason) : process,
  );
  return { ...entry, processes };
}

/** The entry as a new server finds it: what ran when the last one died has lost its host. The same if nothing ran. */
export function afterRestart(entry: LocalEntry): LocalEntry {
  const { work, terminated } = entry;
  if (!entry.processes.some(({ status }) => status === 'running')) return entry;
  const end: ProcessEnd = { exitCode: null, signal: 'its server stopped', cause: null };
  const processes = entry.processes.map((process) =>
    process.status === 'running' ? afterEnd(process, end, work) : process,
  );
  const resumed = { ...entry, processes };
  return terminated === undefined ? resumed : failWaiting(resumed, terminated);
}
