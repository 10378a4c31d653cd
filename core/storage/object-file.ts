import { createHash } from 'node:crypto';
import {
  constants,
  type FileHandle,
  link,
  lstat,
  mkdir,
  open,
  readdir,
  realpath,
  rename,
  rm,
  writeFile,
} from 'node:fs/promises';
import path from 'node:path';
import { InvalidInputError } from '../errors.ts';
import { livenessOf, makeOwnedName } from './owner.ts';
import { unmetCondition } from './store-input.ts';

/** Bytes on the disk that no key shows yet. */
export interface Temporary {
  readonly file: string;
  readonly bytes: number;
  readonly etag: string;
  readonly modifiedAt: Date;
}

/** What the file system says when there is no such object, and cannot be: a folder, a file on the way, a long name. */
const ABSENT = new Set(['ENOENT', 'ENOTDIR', 'EISDIR', 'ENAMETOOLONG', 'ENXIO']);
/** What it says when a folder or an object is in the way, or it cannot spell the name. */
const COLLISION = new Set(['ENOTDIR', 'EISDIR', 'EEXIST', 'ENOTEMPTY', 'ENAMETOOLONG']);
/** File systems without hard links. */
const NO_LINKS = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS']);

export const codeOf = (error: unknown): string => (error as NodeJS.ErrnoException | null)?.code ?? '';
/** A copy of the file system's error: its message and its path are a key, which may be a person's name. */
export function withoutPath(error: unknown): Error {
  const { code = 'unknown reason', syscall, errno } = (error ?? {}) as NodeJS.ErrnoException;
  return Object.assign(new Error(code), { code, ...(syscall && { syscall }), ...(errno && { errno }) });
}

export const isAbsent = (error: unknown): boolean => ABSENT.has(codeOf(error));
export const isCollision = (error: unknown): boolean => COLLISION.has(codeOf(error));

export const hashOf = (body: Uint8Array): string => createHash('sha256').update(body).digest('hex');

/** Opens a file, never a link, and never waits for the other end of a pipe; null when there is none. */
export async function openFile(file: string): Promise<FileHandle | null> {
  let handle: FileHandle;
  try {
    handle = await open(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    if (isAbsent(error)) return null;
    if (codeOf(error) === 'ELOOP') throw linkError();
    throw error;
  }
  if ((await handle.stat()).isFile()) return handle;
  await handle.close();
  return null;
}

/**
 * Is there anything under this path? A place that is reached through a link counts as an error, and so does one whose
 * file system spells it in another case.
 *
 * @param folder  absolute, its root without links
 */
export async function isRealFolder(folder: string): Promise<boolean> {
  const real = await realpath(folder).catch((error: unknown) => {
    if (isAbsent(error) || codeOf(error) === 'ELOOP') return null;
    throw error;
  });
  const isLink = real === null ? (await lstat(folder).catch(() => null))?.isSymbolicLink() : real !== folder;
  if (isLink) throw linkError();
  return real !== null;
}

function linkError(): InvalidInputError {
  return new InvalidInputError('key: expected a path without links, spelled as its folders are', {
    where: 'key',
  });
}

export function collisionError(error: unknown): InvalidInputError {
  return new InvalidInputError(
    'key: expected one that is no folder of other keys, below no object, of names up to 255 bytes',
    { where: 'key' },
    { cause: withoutPath(error) },
  );
}

/** SHA-256 of a file from its beginning; the handle stays open. */
export async function hashFile(handle: FileHandle): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of handle.createReadStream({ start: 0, autoClose: false })) hash.update(chunk);
  return hash.digest('hex');
}

/** Writes a body to a file of its own, down to the disk; nothing stays when that fails. */
export async function fillTemporary(
  folder: string,
  body: AsyncIterable<unknown> | Iterable<unknown>,
): Promise<Temporary> {
  await mkdir(folder, { recursive: true });
  const file = path.join(folder, await makeOwnedName());
  const hash = createHash('sha256');
  try {
    const handle = await open(file, 'wx');
    try {
      await writeFile(handle, hashed(body, hash));
      await handle.sync();
      // With whole nanoseconds, as every reader of a time here: the other form rounds to another millisecond.
      const { size, mtime } = await handle.stat({ bigint: true });
      return { file, bytes: Number(size), etag: hash.digest('hex'), modifiedAt: mtime };
    } finally {
      await handle.close();
    }
  } catch (error) {
    await rm(file, { force: true });
    throw error;
  }
}

async function* hashed(
  body: AsyncIterable<unknown> | Iterable<unknown>,
  hash: ReturnType<typeof createHash>,
): AsyncGenerator<Uint8Array> {
  for await (const part of body) {
    const bytes = typeof part === 'string' ? Buffer.from(part) : (part as Uint8Array);
    hash.update(bytes);
    yield bytes;
  }
}

/** Removes what processes that died left half-written. */
export async function sweepTemporaries(folder: string): Promise<void> {
  const names = await readdir(folder).catch(() => []);
  for (const name of names) {
    if ((await livenessOf(name)) === 'dead') await rm(path.join(folder, name), { force: true });
  }
}

/** Gives the bytes their name, over whatever had it, in one step. */
export async function replaceFile(temporary: string, file: string): Promise<void> {
  await rename(temporary, file);
}

/** Gives the bytes their name only if nothing has it; in one step, where the file system has hard links. */
export async function placeNewFile(temporary: string, file: string): Promise<void> {
  try {
    return await link(temporary, file);
  } catch (error) {
    if (codeOf(error) === 'EEXIST') throw unmetCondition('absent');
    if (!NO_LINKS.has(codeOf(error))) throw error;
  }
  // The lock of the key, which every writer holds, makes two steps one.
  if (await lstat(file).catch(() => null)) throw unmetCondition('absent');
  await rename(temporary, file);
}

/** Makes names in a folder, and in those above it up to `last`, outlive a power cut. */
export async function syncFolders(folder: string, last: string): Promise<void> {
  for (let current = folder; ; current = path.dirname(current)) {
    const handle = await open(current, constants.O_RDONLY);
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
    if (current === last || current === path.dirname(current)) return;
  }
}
