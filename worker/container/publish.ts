import { createReadStream } from 'node:fs';
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { resultPrefix, temporaryPrefix } from '../../core/jobs/keys.ts';
import type { ObjectStore } from '../../core/storage/object-store.ts';

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
}

/**
 * Uploads a finished folder under a temporary prefix, then publishes it file by file, the last one last: who sees
 * that one sees all. A second attempt publishes the same bytes under the same keys.
 *
 * @returns names of the published files, in order
 */
export async function publish({ store, jobId, attempt, folder, last }: PublishInput): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const names = entries
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)).split(path.sep).join('/'))
    .sort((a, b) => Number(a === last) - Number(b === last) || (a < b ? -1 : 1));
  const temporary = temporaryPrefix(jobId, attempt);
  const upload = (prefix: string, name: string) => {
    const contentType = CONTENT_TYPES[path.extname(name)] ?? 'application/octet-stream';
    return store.writeStream(`${prefix}${name}`, createReadStream(path.join(folder, name)), { contentType });
  };
  for (const name of names) await upload(temporary, name);
  for (const name of names) await upload(resultPrefix(jobId), name);
  for (const name of names) await store.delete(`${temporary}${name}`);
  return names;
}
