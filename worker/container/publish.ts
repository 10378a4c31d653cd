import { createReadStream } from 'node:fs';
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { addAbortSignal } from 'node:stream';
import { InterruptedError } from '../../core/errors.ts';
import {
  checkpointPrefix,
  folderOf,
  LOCAL_IMAGES,
  resultPrefix,
  temporaryPrefix,
} from '../../core/jobs/keys.ts';
import type { ObjectStore } from '../../core/storage/object-store.ts';
import type { Progress } from '../progress.ts';

const CONTENT_TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.json': 'application/json',
};

export interface PublishInput {
  readonly store: ObjectStore;
  readonly jobId: string;
  readonly attempt: number;
  /** Folder with the finished results. */
  readonly folder: string;
  /** The file that readers wait for; it is published last. */
  readonly last: string;
  /** Asked when all files have reached the store and none is published yet. */
  readonly isWanted: () => Promise<boolean>;
  readonly progress: Progress;
  readonly signal: AbortSignal;
}

/**
 * Uploads a finished folder under a temporary prefix, then publishes it file by file, the last one last: who sees
 * that one sees all. Another attempt publishes the same bytes under the same keys.
 *
 * @returns names of the published files, in order; null when they are not wanted any more
 * @throws InterruptedError when it was stopped; what is published by then lacks the last file
 */
export async function publish(input: PublishInput): Promise<string[] | null> {
  const { jobId, attempt, folder, last, isWanted, progress } = input;
  const names = await namesIn(folder, last);
  progress.start('publish', 2 * names.length);
  for (const name of names) await upload(input, temporaryPrefix(jobId, attempt), name);
  if (!(await isWanted())) return null;
  for (const name of names) await upload(input, resultPrefix(jobId), name);
  return names;
}

async function namesIn(folder: string, last: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() && entry.name !== LOCAL_IMAGES)
    .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)).split(path.sep).join('/'))
    .sort((a, b) => Number(a === last) - Number(b === last) || (a < b ? -1 : 1));
}

async function upload(
  { store, folder, progress, signal }: PublishInput,
  prefix: string,
  name: string,
): Promise<void> {
  if (signal.aborted) throw new InterruptedError('publishing was stopped');
  const contentType = CONTENT_TYPES[path.extname(name)] ?? 'application/octet-stream';
  const body = addAbortSignal(signal, createReadStream(path.join(folder, name)));
  await store.writeStream(`${prefix}${name}`, body, { contentType });
  progress.advance();
}

/** Deletes what the attempts of a job have left under their temporary prefixes. */
export function clearTemporary(store: ObjectStore, jobId: string): Promise<void> {
  return clear(store, folderOf(temporaryPrefix(jobId, 1).replace(/\/$/, '')));
}

/** Deletes what attempts of a job go on from; once it has ended, nothing does. */
export function clearCheckpoints(store: ObjectStore, jobId: string): Promise<void> {
  return clear(store, checkpointPrefix(jobId));
}

async function clear(store: ObjectStore, prefix: string): Promise<void> {
  for await (const key of store.listKeys(prefix)) await store.delete(key);
}
