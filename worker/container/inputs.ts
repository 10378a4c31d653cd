import { createWriteStream } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { systemCode } from '../../core/data/read-json.ts';
import { readTable } from '../../core/data/table.ts';
import {
  type CounterweightError,
  InterruptedError,
  InvalidInputError,
  isCounterweightError,
  StorageError,
} from '../../core/errors.ts';
import { keysBelow } from '../../core/jobs/data-set.ts';
import { assertKey, folderOf, isKey } from '../../core/jobs/keys.ts';
import { findModelObject } from '../../core/jobs/model-object.ts';
import type { WithModel } from '../../core/jobs/schema.ts';
import { MAX_MODEL_FILE_BYTES, MODEL_JSON, PREPROCESS_FILE } from '../../core/model/model-file.ts';
import { filesNamedIn, namesFiles } from '../../core/model/named-files.ts';
import type { ObjectInfo, ObjectStore } from '../../core/storage/object-store.ts';
import type { Progress } from '../progress.ts';

/** Objects that are fetched at once: most are small images, of which each waits for the store. */
const AT_ONCE = 8;
/** What the file system says when a name is too long for it, or a file and a folder want one place. */
const NO_PLACE = new Set(['ENAMETOOLONG', 'EEXIST', 'ENOTDIR', 'EISDIR']);

export interface FetchTarget {
  readonly store: ObjectStore;
  /** Folder in which every object gets the path that its key spells. */
  readonly folder: string;
  readonly progress: Progress;
  readonly signal: AbortSignal;
}

/**
 * Copies one table into the folder.
 *
 * @returns its path there
 * @throws InvalidInputError when there is no such object
 */
export async function fetchTable(key: string, target: FetchTarget): Promise<string> {
  target.progress.start('fetch table', 1);
  if (!(await fetchOne(key, target))) throw absent(key, 'an object');
  target.progress.advance();
  return path.join(target.folder, key);
}

/**
 * Copies a model, its manifest and the images that the manifest lists into the folder, each object once: of a model
 * its file, those that the file names, and its preprocess. What is absent besides the file, or what no key can name,
 * is left to the readers of file and manifest, who say where it is named.
 *
 * @returns paths of both there; of a model.json that of its folder
 * @throws InvalidInputError when there is no manifest, no model, or a table without its columns
 */
export async function fetchModelAndData(
  { model, manifest, columns, preprocess }: Pick<WithModel, 'model' | 'manifest' | 'columns' | 'preprocess'>,
  target: FetchTarget,
): Promise<{ readonly model: string; readonly manifest: string }> {
  const table = await fetchTable(manifest, target);
  const found = await findModelObject(target.store, model);
  if ('refusal' in found) throw new InvalidInputError(`model "${model}": ${found.refusal}`);
  const { key } = found.object;
  const named = await fetchModelFile(found.object, target);
  const images =
    columns.image === undefined ? [] : await imageKeys(table, { manifest, column: columns.image });
  const keys = new Set([
    ...keysBelow(folderOf(key), preprocess === undefined ? [...named, PREPROCESS_FILE] : named),
    ...images,
  ]);
  for (const fetched of [manifest, key]) keys.delete(fetched);
  await fetchAll([...keys].filter(isKey), target);
  const place = path.posix.basename(key) === MODEL_JSON ? path.posix.dirname(key) : key;
  return { model: path.join(target.folder, place), manifest: table };
}

/** @returns names of the files that the model's own file needs */
async function fetchModelFile({ key, bytes }: ObjectInfo, target: FetchTarget): Promise<string[]> {
  target.progress.start('fetch model', 1);
  if (!(await fetchOne(key, target))) throw absent(key, 'a model');
  target.progress.advance();
  // A file that is too large is refused by its reader
  if (!namesFiles(key) || bytes > MAX_MODEL_FILE_BYTES) return [];
  return filesNamedIn(key, await readFile(path.join(target.folder, key)));
}

/** Keys of the images of a manifest, which names them from its own folder; none that leads out of it. */
async function imageKeys(
  table: string,
  { manifest, column }: { readonly manifest: string; readonly column: string },
): Promise<string[]> {
  const folder = folderOf(manifest);
  const keys: string[] = [];
  for await (const { cells } of readTable(table, { columns: [column] })) {
    const key = path.posix.join(folder, cells[0]!);
    if (key.startsWith(folder) && isKey(key)) keys.push(key);
  }
  return keys;
}

/** Several at a time; the first failure stops the others, and nothing is under way any more when it is thrown. */
async function fetchAll(keys: readonly string[], target: FetchTarget): Promise<void> {
  target.progress.start('fetch inputs', keys.length);
  const failures: unknown[] = [];
  const stop = new AbortController();
  const signal = AbortSignal.any([target.signal, stop.signal]);
  const queue = keys.values();
  const work = async () => {
    for (const key of queue) {
      await fetchOne(key, { ...target, signal });
      target.progress.advance();
    }
  };
  const workers = Array.from({ length: AT_ONCE }, () =>
    work().catch((error: unknown) => {
      failures.push(error);
      stop.abort();
    }),
  );
  await Promise.all(workers);
  if (failures.length > 0) throw failures[0];
}

/** @returns whether there is such an object */
async function fetchOne(key: string, { store, folder, signal }: FetchTarget): Promise<boolean> {
  assertKey(key); // it becomes a path
  throwIfStopped(signal);
  const body = await store.readStream(key);
  if (body === null) return false;
  const file = path.join(folder, key);
  try {
    await mkdir(path.dirname(file), { recursive: true });
    await pipeline(body, createWriteStream(file), { signal });
    return true;
  } catch (error) {
    body.destroy();
    throw fetchError(error, signal);
  }
}

function throwIfStopped(signal: AbortSignal): void {
  if (signal.aborted) throw new InterruptedError('fetching inputs was stopped');
}

function fetchError(cause: unknown, signal: AbortSignal): CounterweightError {
  if (signal.aborted) return new InterruptedError('fetching inputs was stopped', {}, { cause });
  if (isCounterweightError(cause)) return cause;
  const reason = systemCode(cause);
  if (NO_PLACE.has(reason)) {
    return new InvalidInputError(
      'inputs: expected names of up to 255 bytes, and no object that is the folder of others',
      { reason },
      { cause },
    );
  }
  return new StorageError(
    `inputs: cannot be written to the disk of the machine (${reason})`,
    { reason },
    { cause },
  );
}

function absent(key: string, what: string): InvalidInputError {
  return new InvalidInputError(`"${key}": expected ${what} that was uploaded, found none`);
}
