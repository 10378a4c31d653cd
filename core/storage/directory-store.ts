import type { BigIntStats, Dirent } from 'node:fs';
import { type FileHandle, lstat, mkdir, readdir, realpath, rm, rmdir, unlink } from 'node:fs/promises';
import path from 'node:path';
import { Readable } from 'node:stream';
import { type CounterweightError, InvalidInputError, isCounterweightError, StorageError } from '../errors.ts';
import { assertKey } from '../jobs/keys.ts';
import { type KeyLock, makeKeyLock } from './key-lock.ts';
import { type KeyRange, keysInOrder } from './key-order.ts';
import {
  codeOf,
  collisionError,
  fillTemporary,
  hashFile,
  hashOf,
  isAbsent,
  isCollision,
  isRealFolder,
  openFile,
  placeNewFile,
  replaceFile,
  sweepTemporaries,
  syncFolders,
  type Temporary,
  withoutPath,
} from './object-file.ts';
import type { ObjectInfo, ObjectStore, WriteOptions } from './object-store.ts';
import { assertSigningKey, type Signer, signDownload, signUpload } from './signed-access.ts';
import { withBody } from './source-body.ts';
import {
  assertPrefix,
  assertSeconds,
  assertStart,
  assertUploadTerms,
  unmetCondition,
} from './store-input.ts';

export interface DirectoryStoreOptions {
  /** Of the server that answers signed URLs; without it and `signingKey` none can be made. */
  readonly baseUrl?: string;
  /** Secret of at least 16 bytes that this server knows too. */
  readonly signingKey?: string;
  readonly now?: () => Date;
}

/** Folder below the root for locks and for bytes on their way; no key leads into it. */
const RESERVED = '.counterweight';
/** How many etags to remember, so that a list does not read every file again; some 60 MB when there are so many. */
const MOST_ETAGS = 200_000;
/** A delete may take away the folder that a write has just made. */
const MOST_TRIES = 10;

interface Directory {
  /** Absolute, without links. */
  readonly root: string;
  readonly temporaries: string;
  readonly lock: KeyLock;
  readonly etags: Map<string, { readonly version: string; readonly etag: string }>;
}

/**
 * Objects as files below a folder, which is made on first use.
 *
 * Any process may read at any time; writes appear whole. Links below the root are not followed. Where the file
 * system does not tell cases apart, keys cannot differ only in case; and a key cannot be the folder of another.
 *
 * @see docs/storage.md
 */
export function makeDirectoryStore(root: string, options: DirectoryStoreOptions = {}): ObjectStore {
  const signer = makeSigner(options);
  let opened: Promise<Directory> | null = null;
  // A failure is not remembered: the disk may be there at the next try.
  const open = () => {
    opened ??= openDirectory(root).catch((error: unknown) => {
      opened = null;
      throw error;
    });
    return opened;
  };
  return {
    info: (key) => attempt('reading', async () => infoOf(await open(), key)),
    read: (key) =>
      attempt('reading', async () => {
        const handle = await openKey(await open(), key);
        if (handle === null) return null;
        try {
          const body = await handle.readFile();
          const { mtime } = await handle.stat({ bigint: true });
          return { key, bytes: body.length, etag: hashOf(body), modifiedAt: mtime, body };
        } finally {
          await handle.close();
        }
      }),
    readStream: (key) =>
      attempt('reading', async () => {
        const handle = await openKey(await open(), key);
        return handle && streamOf(handle.createReadStream());
      }),
    write: (key, body, { onlyIf } = {}) =>
      attempt('writing', async () => store(await open(), key, { body: [body], ...(onlyIf && { onlyIf }) })),
    writeStream: (key, body) =>
      withBody(body, () => attempt('writing', async () => store(await open(), key, { body }))),
    delete: (key) => attempt('deleting', async () => remove(await open(), key)),
    list: (prefix, { startAfter = '' } = {}) => list(open, { prefix, startAfter }),
    listKeys: (prefix, { isFlat = false } = {}) => listKeys(open, { prefix, startAfter: '', isFlat }),
    async downloadUrl(key, terms) {
      assertObjectKey(key);
      assertSeconds(terms.seconds);
      return signDownload(signer(), key, terms);
    },
    async uploadForm(key, terms) {
      assertObjectKey(key);
      assertUploadTerms(key, terms);
      return signUpload(signer(), key, terms);
    },
  };
}

function makeSigner({ baseUrl, signingKey, now = () => new Date() }: DirectoryStoreOptions): () => Signer {
  if (signingKey !== undefined) assertSigningKey(signingKey);
  return () => {
    if (baseUrl !== undefined && signingKey !== undefined) {
      return { baseUrl: baseUrl.replace(/\/+$/, ''), signingKey, now };
    }
    throw new InvalidInputError('directory store: expected baseUrl and signingKey to sign, received none', {
      where: 'directory store',
    });
  };
}

async function openDirectory(root: string): Promise<Directory> {
  await mkdir(root, { recursive: true });
  const real = await realpath(root);
  const temporaries = path.join(real, RESERVED, 'tmp');
  await sweepTemporaries(temporaries);
  const lock = makeKeyLock(path.join(real, RESERVED, 'locks'));
  return { root: real, temporaries, lock, etags: new Map() };
}

async function attempt<T>(operation: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw storageError(operation, error);
  }
}

/** Errors of ours as they are, others as StorageError. */
function storageError(operation: string, error: unknown): CounterweightError {
  if (isCounterweightError(error)) return error;
  const reason = codeOf(error) || 'unknown reason';
  return new StorageError(
    `directory store: ${operation} failed (${reason})`,
    { where: 'directory store', operation, reason },
    { cause: withoutPath(error) },
  );
}

function assertObjectKey(key: string): void {
  assertKey(key);
  if (!isReserved(key)) return;
  throw new InvalidInputError(`key: expected none below ${RESERVED}/, which the directory store keeps`, {
    where: 'key',
  });
}

/** In any case, for file systems that do not tell cases apart. */
function isReserved(key: string): boolean {
  return key.split('/')[0]?.toLowerCase() === RESERVED;
}

/** Path of a key. Every folder above it that exists is a real one, so it leads nowhere else. */
async function locate({ root }: Directory, key: string): Promise<string> {
  const file = path.join(root, ...key.split('/'));
  let folder = path.dirname(file);
  while (!(await isRealFolder(folder))) folder = path.dirname(folder);
  return file;
}

async function openKey(directory: Directory, key: string): Promise<FileHandle | null> {
  assertObjectKey(key);
  return openFile(await locate(directory, key));
}

/** The same bytes, with errors of ours; closes the file also when nobody reads it. */
function streamOf(source: Readable): Readable {
  async function* chunks(): AsyncGenerator<Uint8Array> {
    try {
      yield* source;
    } catch (error) {
      throw storageError('reading', error);
    }
  }
  return Readable.from(chunks(), { objectMode: false }).once('close', () => source.destroy());
}

async function infoOf(directory: Directory, key: string): Promise<ObjectInfo | null> {
  const handle = await openKey(directory, key);
  if (handle === null) return null;
  try {
    const stats = await handle.stat({ bigint: true });
    const etag = await etagOf(directory, key, { handle, stats });
    return { key, bytes: Number(stats.size), etag, modifiedAt: stats.mtime };
  } finally {
    await handle.close();
  }
}

/** Every write makes another file, and every change from outside another time, so what was read once still holds. */
async function etagOf(
  { etags }: Directory,
  key: string,
  { handle, stats }: { readonly handle: FileHandle; readonly stats: BigIntStats },
): Promise<string> {
  const version = [stats.ino, stats.size, stats.mtimeNs, stats.ctimeNs].join();
  const known = etags.get(key);
  if (known?.version === version) return known.etag;
  const etag = await hashFile(handle);
  etags.delete(key);
  etags.set(key, { version, etag });
  const [oldest] = etags.keys();
  if (etags.size > MOST_ETAGS && oldest !== undefined) etags.delete(oldest);
  return etag;
}

interface Content {
  readonly body: AsyncIterable<unknown> | Iterable<unknown>;
  readonly onlyIf?: WriteOptions['onlyIf'];
}

async function store(directory: Directory, key: string, { body, onlyIf }: Content): Promise<ObjectInfo> {
  assertObjectKey(key);
  await locate(directory, key);
  const temporary = await fillTemporary(directory.temporaries, body);
  try {
    await directory.lock.hold(key, async (assertHeld) => {
      if (typeof onlyIf === 'object') await assertEtag(directory, key, onlyIf.etag);
      const isNew = onlyIf === 'absent';
      await publish(directory, key, { temporary, isNew, assertHeld });
    });
  } catch (error) {
    throw isCollision(error) ? collisionError(error) : error;
  } finally {
    await rm(temporary.file, { force: true });
  }
  const { bytes, etag, modifiedAt } = temporary;
  return { key, bytes, etag, modifiedAt };
}

/** Reads the file: what is remembered of it may be older than the last write of another process. */
async function assertEtag(directory: Directory, key: string, etag: string): Promise<void> {
  const handle = await openKey(directory, key);
  const found = handle === null ? null : await hashFile(handle).finally(() => handle.close());
  if (found === etag) return;
  throw unmetCondition({ etag });
}

interface Publication {
  readonly temporary: Temporary;
  readonly isNew: boolean;
  readonly assertHeld: () => Promise<void>;
}

async function publish(
  directory: Directory,
  key: string,
  { temporary, isNew, assertHeld }: Publication,
): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    const file = await locate(directory, key);
    const folder = path.dirname(file);
    const firstMade = await mkdir(folder, { recursive: true });
    await assertHeld();
    try {
      await (isNew ? placeNewFile(temporary.file, file) : replaceFile(temporary.file, file));
      return await syncFolders(folder, firstMade === undefined ? folder : path.dirname(firstMade));
    } catch (error) {
      if (codeOf(error) !== 'ENOENT' || tries === MOST_TRIES) throw error;
    }
  }
}

async function remove(directory: Directory, key: string): Promise<void> {
  assertObjectKey(key);
  await directory.lock.hold(key, async () => {
    const file = await locate(directory, key);
    const stats = await lstat(file).catch(() => null);
    if (stats === null || stats.isDirectory()) return;
    await unlink(file);
    await pruneFolders(directory, path.dirname(file));
  });
  directory.etags.delete(key);
}

/** Takes away folders that hold nothing any more, but for those of the first level, which somebody may watch. */
async function pruneFolders({ root }: Directory, folder: string): Promise<void> {
  let current = folder;
  while (current !== root && path.dirname(current) !== root) {
    const isGone = await rmdir(current).then(
      () => true,
      () => false,
    );
    if (!isGone) return;
    current = path.dirname(current);
  }
}

async function* list(open: () => Promise<Directory>, range: KeyRange): AsyncGenerator<ObjectInfo> {
  for await (const key of listKeys(open, range)) {
    const info = await attempt('listing', async () => infoOf(await open(), key));
    if (info !== null) yield info;
  }
}

async function* listKeys(open: () => Promise<Directory>, range: KeyRange): AsyncGenerator<string> {
  assertPrefix(range.prefix);
  assertStart(range.startAfter);
  const directory = await attempt('listing', open);
  yield* keysInOrder((folder) => attempt('listing', () => entriesOf(directory, folder)), range);
}

/** What lies in one folder of the store (`''` or ending with a slash); nothing where there is none. */
async function entriesOf(directory: Directory, folder: string): Promise<Dirent[]> {
  const place = await locate(directory, `${folder}x`);
  const entries = await readdir(path.dirname(place), { withFileTypes: true }).catch((error: unknown) => {
    if (isAbsent(error)) return [];
    throw error;
  });
  return entries.filter(({ name }) => !isReserved(`${folder}${name}`));
}
