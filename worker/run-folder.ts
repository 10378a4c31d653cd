import { createHash, randomUUID } from 'node:crypto';
import { constants, createReadStream } from 'node:fs';
import { access, mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { systemCode } from '../core/data/read-json.ts';
import { InvalidInputError, isCounterweightError, StorageError } from '../core/errors.ts';
import type { FileRecord } from '../core/jobs/run-record.ts';

/**
 * Called before the work, so that an hour of it does not end at a place that cannot be written.
 *
 * @throws InvalidInputError when `folder` exists: a run never overwrites another; StorageError when it cannot be made
 */
export async function assertAbsent(folder: string, kind: 'folder' | 'file' = 'folder'): Promise<void> {
  const exists = await access(folder).then(
    () => true,
    () => false,
  );
  if (!exists) return assertWritable(folder);
  throw new InvalidInputError(
    `output "${folder}": expected a ${kind} that does not exist yet, received one that does`,
    {
      folder,
    },
  );
}

/** Whether the nearest folder above that exists takes new files. */
async function assertWritable(target: string): Promise<void> {
  let above = path.dirname(path.resolve(target));
  try {
    while (!(await access(above).then(() => true, isElsewhere))) above = path.dirname(above);
    await readdir(above); // ENOTDIR where it is a file
    await access(above, constants.W_OK);
  } catch (cause) {
    throw cannotWrite(target, cause);
  }
}

/** Not there is no problem: it will be made. */
function isElsewhere(error: unknown): false {
  if (systemCode(error) === 'ENOENT') return false;
  throw error;
}

const cannotWrite = (target: string, cause: unknown): StorageError =>
  new StorageError(
    `output "${target}": cannot be written (${systemCode(cause)})`,
    { folder: target },
    { cause },
  );

/**
 * Fills a folder that appears only when it is complete: the files are written beside it and renamed at the end,
 * so a run that dies leaves nothing that looks finished.
 *
 * @throws StorageError when a file cannot be written; nothing is left behind
 */
export async function writeFolder(folder: string, fill: (partial: string) => Promise<void>): Promise<void> {
  await assertAbsent(folder);
  let partial: string | null = null;
  try {
    await mkdir(path.dirname(path.resolve(folder)), { recursive: true });
    partial = `${path.resolve(folder)}.partial-${randomUUID()}`;
    await mkdir(partial);
    await fill(partial);
    await rename(partial, folder);
  } catch (cause) {
    if (partial !== null) await rm(partial, { recursive: true, force: true });
    if (isCounterweightError(cause)) throw cause;
    throw cannotWrite(folder, cause);
  }
}

/** Size and SHA-256 of every file in a folder, by path inside it, in order of name. */
export async function hashFolder(folder: string): Promise<FileRecord[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name));
  const names = files.map((file) => path.relative(folder, file).split(path.sep).join('/')).sort();
  return Promise.all(names.map(async (name) => ({ ...(await hashFile(path.join(folder, name))), name })));
}

/** Size and SHA-256 of one file, under its base name. */
export async function hashFile(file: string): Promise<FileRecord> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  return { name: path.basename(file), bytes: (await stat(file)).size, sha256: hash.digest('hex') };
}

/**
 * One record for many files: SHA-256 over their hashes in order. Their names do not appear in it, since file
 * names of medical images can identify a patient.
 */
export async function hashTogether(name: string, files: readonly string[]): Promise<FileRecord> {
  const hash = createHash('sha256');
  let bytes = 0;
  for (const file of files) {
    const record = await hashFile(file);
    hash.update(`${record.sha256}\n`);
    bytes += record.bytes;
  }
  return { name, bytes, sha256: hash.digest('hex') };
}
