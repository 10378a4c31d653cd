import { createHash } from 'node:crypto';
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { StorageError } from '../errors.ts';
import { livenessOf, makeOwnedName } from './owner.ts';

export interface KeyLockOptions {
  /** How long to wait for a holder that is at work, > 0. */
  readonly waitMs?: number;
  /** After how long a holder that cannot be seen from here counts as dead, > 0; holds last milliseconds. */
  readonly unseenMs?: number;
}

/** Work on one key, one at a time. */
export interface KeyLock {
  /**
   * @param work  takes a check that throws when another machine took the lock for abandoned meanwhile
   * @throws StorageError when the lock is not free for `waitMs`
   */
  hold<T>(key: string, work: (assertHeld: () => Promise<void>) => Promise<T>): Promise<T>;
}

const DEFAULTS = { waitMs: 30_000, unseenMs: 10_000 } as const;
const LONGEST_PAUSE_MS = 20;

/**
 * Locks as files in a folder, between the processes of one machine and of containers that share a volume of it.
 *
 * Who wants a key puts up a file under a name that nobody else ever uses, then looks: any other file for the key, and
 * it takes its own away and tries again. Of two who come together at least one looks after both files are up, so
 * never both go on. A holder that died leaves its file, which anybody may remove: its name belongs to it alone, so
 * no removal can hit the lock of somebody else.
 */
export function makeKeyLock(folder: string, options: KeyLockOptions = {}): KeyLock {
  const limits = { ...DEFAULTS, ...options };
  // Those who wait in this process do so in line, and only the first of them meets the other processes.
  const lines = new Map<string, Promise<unknown>>();
  return {
    async hold(key, work) {
      const turn = (lines.get(key) ?? Promise.resolve()).then(() => holdAlone({ folder, key, limits }, work));
      const settled = turn.catch(() => undefined);
      lines.set(key, settled);
      try {
        return await turn;
      } finally {
        if (lines.get(key) === settled) lines.delete(key);
      }
    },
  };
}

interface Place {
  readonly folder: string;
  readonly key: string;
  readonly limits: Required<KeyLockOptions>;
}

async function holdAlone<T>(place: Place, work: (assertHeld: () => Promise<void>) => Promise<T>): Promise<T> {
  const { folder, key } = place;
  await mkdir(folder, { recursive: true });
  const prefix = `${createHash('sha256').update(key).digest('hex').slice(0, 32)}.`;
  const own = await acquire(place, prefix);
  try {
    return await work(async () => {
      if ((await readdir(folder)).includes(own)) return;
      throw new StorageError('directory store: the lock was taken over, since its holder stood still', {
        where: 'lock',
      });
    });
  } finally {
    await rm(path.join(folder, own), { force: true });
  }
}

/** @returns name of the file that is the lock */
async function acquire({ folder, limits }: Place, prefix: string): Promise<string> {
  const waiter = { folder, prefix, unseenMs: limits.unseenMs, seenSince: new Map<string, number>() };
  const own = `${prefix}${await makeOwnedName()}`;
  const end = performance.now() + limits.waitMs;
  while (!(await tryOnce(waiter, own))) {
    if (performance.now() > end) {
      throw new StorageError(`directory store: an object stayed locked for ${limits.waitMs} ms`, {
        where: 'lock',
      });
    }
    await sleep(1 + Math.random() * LONGEST_PAUSE_MS);
  }
  return own;
}

interface Waiter {
  readonly folder: string;
  readonly prefix: string;
  readonly unseenMs: number;
  /** When this waiter first saw a file; its own clock, since those of other machines may differ. */
  readonly seenSince: Map<string, number>;
}

async function tryOnce(waiter: Waiter, own: string): Promise<boolean> {
  if (await isHeld(waiter, own)) return false;
  const file = path.join(waiter.folder, own);
  await writeFile(file, '', { flag: 'wx' });
  let isOurs = false;
  try {
    isOurs = !(await isHeld(waiter, own));
    return isOurs;
  } finally {
    if (!isOurs) await rm(file, { force: true });
  }
}

/** Is there another file for the key? Those of the dead are removed on the way. */
async function isHeld(waiter: Waiter, own: string): Promise<boolean> {
  const { folder, prefix } = waiter;
  const names = (await readdir(folder)).filter((name) => name.startsWith(prefix) && name !== own);
  let held = false;
  for (const name of names) {
    if (await isAbandoned(waiter, name)) await rm(path.join(folder, name), { force: true });
    else held = true;
  }
  return held;
}

async function isAbandoned({ prefix, seenSince, unseenMs }: Waiter, name: string): Promise<boolean> {
  const liveness = await livenessOf(name.slice(prefix.length));
  if (liveness !== 'unknown') return liveness === 'dead';
  const since = seenSince.get(name) ?? performance.now();
  seenSince.set(name, since);
  return performance.now() - since > unseenMs;
}
