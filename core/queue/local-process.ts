import { type ChildProcess, spawn } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { codeOf } from '../storage/object-file.ts';
import { openBoundedLog } from './bounded-log.ts';
import type { ProcessEnd, StopCause } from './local-entry.ts';

/** Longest delay that a timer takes. */
const MOST_TIMER_MS = 2 ** 31 - 1;
/** For what a process has printed to arrive after its end. */
const DRAIN_MS = 500;
/** For orphans to be gone after SIGKILL. */
const ORPHAN_TRIES = 100;
const ORPHAN_WAIT_MS = 20;
/** Environment variable by which the next server knows the processes of this one, and what those have started. */
const MARK = 'COUNTERWEIGHT_QUEUE_ID';

export interface ChildInput {
  readonly command: readonly [program: string, ...args: string[]];
  readonly environment: Readonly<Record<string, string>>;
  readonly queueId: string;
  readonly logFile: string;
  readonly timeoutSeconds: number;
  /** Between SIGTERM and SIGKILL. */
  readonly graceMs: number;
}

export interface Child {
  /** Never rejects. */
  readonly ended: Promise<ProcessEnd>;
  /** SIGTERM, and SIGKILL for what is still there after the grace period; the first cause counts. */
  stop(cause: StopCause): void;
}

/**
 * Starts a process in a group of its own, so that nothing which it starts outlives it.
 *
 * @param ready  what has to be done before; a process that is stopped until then is not started at all
 */
export function startChild(input: ChildInput, ready: Promise<unknown>): Child {
  let cause: StopCause | null = null;
  let signal = () => {};
  const stop = (by: StopCause) => {
    if (cause !== null) return;
    cause = by;
    signal();
  };
  const ended = ready.then(async (): Promise<ProcessEnd> => {
    if (cause !== null) return { exitCode: null, signal: null, cause };
    const child = spawnChild(input);
    if (typeof child === 'string') return { exitCode: null, signal: null, cause, startError: child };
    const timers: NodeJS.Timeout[] = [];
    signal = () => {
      child.kill('SIGTERM');
      timers.push(setTimeout(() => killGroup(child.pid), input.graceMs));
    };
    const limit = Math.min(MOST_TIMER_MS, input.timeoutSeconds * 1000);
    timers.push(setTimeout(() => stop({ by: 'timeout' }), limit));
    const streams = [child.stdout, child.stderr].flatMap((stream) => stream ?? []);
    const logged = openBoundedLog(input.logFile, streams);
    const end = await endOf(child);
    // From here on its number may be another process's.
    signal = () => {};
    for (const timer of timers) clearTimeout(timer);
    killGroup(child.pid);
    await Promise.race([logged, sleep(DRAIN_MS, undefined, { ref: false })]);
    for (const stream of streams) stream.destroy();
    await logged;
    return { ...end, cause };
  });
  return { ended, stop };
}

/** @returns the code of the system's error where there was not even an attempt at a process */
function spawnChild({
  command: [program, ...args],
  environment,
  queueId,
}: ChildInput): ChildProcess | string {
  try {
    return spawn(program, args, {
      env: { ...environment, [MARK]: queueId },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
  } catch (error) {
    return codeOf(error) || 'unknown reason';
  }
}

function endOf(child: ChildProcess): Promise<Omit<ProcessEnd, 'cause'>> {
  return new Promise((resolve) => {
    child.once('exit', (exitCode, signal) => resolve({ exitCode, signal }));
    child.on('error', (error: NodeJS.ErrnoException) => {
      // Signals that cannot be sent come here too, and are no end.
      if (child.pid !== undefined) return;
      resolve({ exitCode: null, signal: null, startError: error.code ?? 'unknown reason' });
    });
  });
}

function killGroup(pid: number | undefined): void {
  if (pid !== undefined) kill(-pid);
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // it is gone, which is what was wanted
  }
}

/**
 * Ends what a server that died has left running of these submissions, so that none of them runs twice at once. Looks
 * into /proc and so finds nothing where there is none, as on macOS.
 */
export async function killOrphans(queueIds: ReadonlySet<string>): Promise<void> {
  for (let tries = 0; tries < ORPHAN_TRIES; tries += 1) {
    const pids = await findMarked(queueIds);
    if (pids.length === 0) return;
    for (const pid of pids) kill(pid);
    await sleep(ORPHAN_WAIT_MS);
  }
}

async function findMarked(queueIds: ReadonlySet<string>): Promise<number[]> {
  const names = await readdir('/proc').catch(() => []);
  const pids = names.map(Number).filter((pid) => Number.isInteger(pid) && pid !== process.pid);
  const marks = await Promise.all(pids.map(markOf));
  return pids.filter((_, index) => queueIds.has(marks[index] ?? ''));
}

/** Null for processes of others, those without a mark and those that have ended. */
async function markOf(pid: number): Promise<string | null> {
  const text = await readFile(`/proc/${pid}/environ`, 'latin1').catch(() => '');
  const variable = text.split('\0').find((entry) => entry.startsWith(`${MARK}=`));
  return variable?.slice(MARK.length + 1) ?? null;
}
