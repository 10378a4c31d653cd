import { createHash, randomUUID } from 'node:crypto';
import { readFile, readlink } from 'node:fs/promises';
import { hostname } from 'node:os';

/** Can the process that a name speaks of still be at work? `unknown`: it is not to be seen from here. */
export type Liveness = 'alive' | 'dead' | 'unknown';

const NAME = /^([0-9a-f]{16})-(\d+)-(\d+)-/;

/**
 * Name for a file of this process, another one at every call: machine, process, its start. The file says whose it is
 * from its first moment, without content that could be half-written, and nobody else ever takes the same name.
 */
export async function makeOwnedName(): Promise<string> {
  const { pid } = process;
  const started = (await startOf(pid)) ?? '0';
  return `${await machine()}-${pid}-${started}-${randomUUID()}`;
}

/**
 * Process numbers are used again, so the time of start decides, where /proc tells it; numbers of another machine or
 * container say nothing here.
 */
export async function livenessOf(ownedName: string): Promise<Liveness> {
  const [, owner, pid, started] = NAME.exec(ownedName) ?? [];
  if (owner !== (await machine())) return 'unknown';
  if (!isRunning(Number(pid))) return 'dead';
  const start = await startOf(Number(pid));
  if (start === null || started === '0') return 'unknown';
  return start === started ? 'alive' : 'dead';
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    // EPERM: it runs, as another user.
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}

/** Clock ticks from boot to the start of a process; `gone` for one that has ended; null where /proc is absent. */
async function startOf(pid: number): Promise<string | null> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => null);
  if (text === null) return null;
  // The second field is a name in brackets that may hold anything; state is the third field, start the 22nd.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return fields[0] === 'Z' || fields[0] === 'X' ? 'gone' : (fields[19] ?? null);
}

/** Differs between machines, their boots and containers: whatever has process numbers of its own. */
async function machine(): Promise<string> {
  const boot = await readFile('/proc/sys/kernel/random/boot_id', 'utf8').catch(() => '');
  const numbers = await readlink('/proc/self/ns/pid').catch(() => '');
  return createHash('sha256').update(`${hostname()}\n${boot}\n${numbers}`).digest('hex').slice(0, 16);
}
