import { mkdir, readdir, rm, stat, utimes, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ConflictError } from '../../core/errors.ts';
import { livenessOf, makeOwnedName } from '../../core/storage/owner.ts';

export interface RootLock {
  release(): Promise<void>;
}

export interface RootLockOptions {
  /** How often the holder shows that it lives, > 0. */
  readonly beatMs?: number;
  /** How long a holder that cannot be seen from here must stand still to count as dead; several beats. */
  readonly unseenMs?: number;
}

const DEFAULTS = { beatMs: 3000, unseenMs: 12_000 } as const;
const PREFIX = 'server.';
/** Of two who start at once both may step back; a pause of chance lets one come first. */
const MOST_TRIES = 5;
const LONGEST_PAUSE_MS = 100;

/**
 * Makes this process the only server of a root, for as long as it lives. The lock of a process that died is taken
 * over at once; one of another machine or container, whose processes are not to be seen from here, once its file has
 * stood still.
 *
 * @param folder  for the lock; no key of the store leads there
 * @throws ConflictError when another server holds it
 */
export async function takeRootLock(folder: string, options: RootLockOptions = {}): Promise<RootLock> {
  const { beatMs, unseenMs } = { ...DEFAULTS, ...options };
  await mkdir(folder, { recursive: true });
  const own = `${PREFIX}${await makeOwnedName()}`;
  for (let tries = 0; tries < MOST_TRIES; tries += 1) {
    if (await isHeld(folder, { own, unseenMs })) break;
    await writeFile(path.join(folder, own), '', { flag: 'wx' });
    if (!(await isHeld(folder, { own, unseenMs }))) return keepAlive(path.join(folder, own), beatMs);
    await rm(path.join(folder, own), { force: true });
    await sleep(Math.random() * LONGEST_PAUSE_MS);
  }
  throw new ConflictError(
    'root: expected a folder that no other server uses, found one that a running server holds; stop that server or name another --root',
    { where: 'root' },
  );
}

function keepAlive(file: string, beatMs: number): RootLock {
  const timer = setInterval(() => {
    const now = new Date();
    // A folder that is gone for a moment is no reason to stop.
    utimes(file, now, now).catch(() => undefined);
  }, beatMs).unref();
  return {
    async release() {
      clearInterval(timer);
      await rm(file, { force: true });
    },
  };
}

interface Looker {
  readonly own: string;
  readonly unseenMs: number;
}

/** Is there another server? What the dead left is removed on the way. */
async function isHeld(folder: string, { own, unseenMs }: Looker): Promise<boolean> {
  const names = (await readdir(folder)).filter((name) => name.startsWith(PREFIX) && name !== own);
  let held = false;
  for (const name of names) {
    const file = path.join(folder, name);
    if (await isDead(file, unseenMs)) await rm(file, { force: true });
    else held = true;
  }
  return held;
}

async function isDead(file: string, unseenMs: number): Promise<boolean> {
  const liveness = await livenessOf(path.basename(file).slice(PREFIX.length));
  if (liveness !== 'unknown') return liveness === 'dead';
  const before = await beatOf(file);
  await sleep(unseenMs);
  return (await beatOf(file)) === before;
}

/** Two looks at one clock, that of the file system, since clocks of machines differ. */
async function beatOf(file: string): Promise<number | null> {
  const stats = await stat(file).catch(() => null);
  return stats?.mtimeMs ?? null;
}
