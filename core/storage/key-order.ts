import type { Dirent } from 'node:fs';
import { isKey } from '../jobs/keys.ts';

export interface KeyRange {
  /** Of any kind: a folder, a part of a name, or empty. */
  readonly prefix: string;
  /** Only keys behind this one; empty for all. */
  readonly startAfter: string;
  /** Leaves out folders below the prefix. */
  readonly isFlat?: boolean;
}

/**
 * Keys of a range in order of their UTF-8 bytes, as S3 has them: a folder comes where its slash does, so `a/b` lies
 * between `a-b` and `a0`. Folders without a key in the range are not read, links are left out.
 *
 * @param entriesOf  what lies in a folder, by its key: `''` or ending with a slash
 */
export async function* keysInOrder(
  entriesOf: (folder: string) => Promise<readonly Dirent[]>,
  range: KeyRange,
  folder: string = folderOf(range.prefix),
): AsyncGenerator<string> {
  const entries = (await entriesOf(folder)).filter((entry) => entry.isFile() || entry.isDirectory());
  const keys = entries.map((entry) => `${folder}${entry.name}${entry.isDirectory() ? '/' : ''}`);
  for (const key of keys.filter((key) => isKey(key.replace(/\/$/, ''))).sort(compareKeys)) {
    if (key.endsWith('/')) {
      if (!range.isFlat && mayHold(key, range)) yield* keysInOrder(entriesOf, range, key);
    } else if (key.startsWith(range.prefix) && compareKeys(key, range.startAfter) > 0) {
      yield key;
    }
  }
}

/** Can a key below this folder lie in the range? */
function mayHold(folder: string, { prefix, startAfter }: KeyRange): boolean {
  if (!folder.startsWith(prefix) && !prefix.startsWith(folder)) return false;
  return startAfter.startsWith(folder) || compareKeys(folder, startAfter) > 0;
}

/** Everything up to the last slash, with it. */
const folderOf = (prefix: string): string => prefix.slice(0, prefix.lastIndexOf('/') + 1);

const compareKeys = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b));
