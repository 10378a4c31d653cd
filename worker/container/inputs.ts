import { createWriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { InvalidInputError } from '../../core/errors.ts';
import { assertKey } from '../../core/jobs/keys.ts';
import type { ObjectStore } from '../../core/storage/object-store.ts';
import type { Progress } from '../progress.ts';

/**
 * Copies every object below a prefix into a folder, under its key.
 *
 * @returns path of the prefix in the folder
 * @throws InvalidInputError when there is no such object
 */
export async function fetchBelow(
  store: ObjectStore,
  prefix: string,
  { folder, progress }: { readonly folder: string; readonly progress: Progress },
): Promise<string> {
  const keys: string[] = [];
  for await (const { key } of store.list(prefix)) keys.push(key);
  if (keys.length === 0) {
    throw new InvalidInputError(`"${prefix}": expected uploaded objects, received none`, { prefix });
  }
  progress.start('fetch inputs', keys.length);
  for (const key of keys) {
    await fetchOne(store, key, folder);
    progress.advance();
  }
  return path.join(folder, prefix);
}

async function fetchOne(store: ObjectStore, key: string, folder: string): Promise<void> {
  assertKey(key); // it becomes a path
  const body = await store.readStream(key);
  if (body === null) return; // deleted since it was listed
  const file = path.join(folder, key);
  await mkdir(path.dirname(file), { recursive: true });
  await pipeline(body, createWriteStream(file));
}
