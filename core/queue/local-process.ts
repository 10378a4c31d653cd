import { type ChildProcess, spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { openBoundedLog } from './bounded-log.ts';
import type { LocalProcess, ProcessEnd, StopCause } from './local-entry.ts';

/** Longest delay that a timer takes. */
const MOST_TIMER_MS = 2 ** 31 - 1;
/** For what a process has printed to arrive after its end. */
const DRAIN_MS = 500;
/** For an orphan to be gone after SIGKILL. */
const ORPHAN_TRIES = 100;
const ORPHAN_WAIT_MS = 20;

export interface ChildInput {
  readonly command: readonly [program: string, ...args: string[]];
  readonly environment: Readonly<Record<string, string>>;
  readonly logFile: string;
  readonly timeoutSeconds: number;
  /** Between SIGTERM and SIGKILL. */
  readonly graceMs: number;
}

export interface Child {
  /** What the next server needs to end it; undefined when it could not be started. */
  readonly identity: Promise<LocalProcess['child']>;
  readonly ended: Promise<ProcessEnd>;
  /** SIGTERM, and SIGKILL for what is still there after the grace period; the first cause counts. */
  stop(cause: StopCause): void;
}

/** Starts a process in a group of its own, so that nothing which it starts outlives it. */
export function startChild({ command, environment, logFile, timeoutSeconds, graceMs }: ChildInput): Child {
  const [program, ...args] = command;
  const child = spawn(program, args, {
    env: { ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  const timers: NodeJS.Timeout[] = [];
  let cause: StopCause | null = null;
  const stop = (by: StopCause) => {
    if (cause !== null) return;
    cause = by;
    child.kill('SIGTERM');
    timers.push(setTimeout(() => killGroup(child.pid), graceMs));
  };
  timers.push(setTimeout(() => stop({ by: 'timeout' }), Math.min(MOST_TIMER_MS, timeoutSeconds * 1000)));
  const logged = openBoundedLog(logFile, [child.stdout, child.stderr]);
  const ended = endOf(child).then(async (end) => {
    for (const timer of timers) clearTimeout(timer);
    killGroup(child.pid);
    await Promise.race([logged, sleep(DRAIN_MS, undefined, { ref: false })]);
    child.stdout.destroy();
    child.stderr.destroy();
    await logged;
    return { ...end, cause };
  });
  return { identity: identify(child.pid), ended, stop };
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
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // it is gone, which is what was wanted
  }
}

async function identify(pid: number | undefined): Promise<LocalProcess['child']> {
  return pid === undefined ? undefined : { pid, started: await startOf(pid) };
}

/** Ends a process that a server which died has left behind, unless its number has gone to another one. */
export async function killOrphan({ pid, started }: NonNullable<LocalProcess['child']>): Promise<void> {
  for (let tries = 0; tries < ORPHAN_TRIES; tries += 1) {
    if (started === null || (await startOf(pid)) !== started) return;
    killGroup(pid);
    await sleep(ORPHAN_WAIT_MS);
  }
}

/** Clock ticks from boot to the start of a process; null for one that has ended, or where /proc is absent. */
async function startOf(pid: number): Promise<string | null> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => null);
  if (text === null) return null;
  // The second field is a name in brackets that may hold anything; state is the third field, start the 22nd.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return fields[0] === 'Z' || fields[0] === 'X' ? null : (fields[19] ?? null);
}
