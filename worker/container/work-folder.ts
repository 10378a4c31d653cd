import { mkdir, readdir, realpath, rm } from 'node:fs/promises';
import path from 'node:path';
import { systemCode } from '../../core/data/read-json.ts';
import { StorageError } from '../../core/errors.ts';
import { livenessOf, makeOwnedName } from '../../core/storage/owner.ts';

const PREFIX = 'counterweight-work-';

/**
 * A folder of this process alone, that no other user can read. Those of processes which were killed are deleted on
 * the way: they hold copies of uploaded data.
 *
 * @returns absolute path without links, as messages about files in it spell it
 * @throws StorageError when the folder cannot be made
 */
export async function makeWorkFolder(parent: string): Promise<string> {
  try {
    const base = await realpath(parent);
    await sweep(base);
    const folder = path.join(base, `${PREFIX}${await makeOwnedName()}`);
    await mkdir(folder, { mode: 0o700 });
    return folder;
  } catch (cause) {
    const reason = systemCode(cause);
    throw new StorageError(`temporary folder: cannot be made (${reason})`, { reason }, { cause });
  }
}

async function sweep(base: string): Promise<void> {
  for (const name of await readdir(base)) {
    if (!name.startsWith(PREFIX) || (await livenessOf(name.slice(PREFIX.length))) !== 'dead') continue;
    // One of another user stays
    await rm(path.join(base, name), { recursive: true, force: true }).catch(() => {});
  }
}
