import { type FSWatcher, watch } from 'node:fs';
import { lstat, readdir } from 'node:fs/promises';
import path from 'node:path';

/** What is known of one folder. */
interface FolderEntry {
  /** Paths of the files that were wanted. */
  readonly files: readonly string[];
  readonly folders: readonly string[];
  readonly changedMs: number;
  /** Was it quiet before it was read? Clocks of file systems are coarse: a later change may bear the same time. */
  readonly isSettled: boolean;
}

/** Folders by path, the outermost first. */
export type FolderTree = ReadonlyMap<string, FolderEntry>;

const QUIET_MS = 2000;
/** Each costs the system memory; further folders are read at the next look. */
const MOST_FOLLOWED = 1000;

interface ReadOptions {
  /** The tree as it was; a folder that has not changed since is not read again. */
  readonly known: FolderTree;
  readonly isWanted: (name: string) => boolean;
}

/** A folder and all that lie below it; links are not followed. Folders that cannot be read are left out. */
export async function readTree(folder: string, { known, isWanted }: ReadOptions): Promise<FolderTree> {
  const tree = new Map<string, FolderEntry>();
  const rest = [folder];
  for (let next = rest.shift(); next !== undefined; next = rest.shift()) {
    const entry = await readEntry(next, { last: known.get(next), isWanted });
    if (entry === null) continue;
    tree.set(next, entry);
    rest.push(...entry.folders);
  }
  return tree;
}

async function readEntry(
  folder: string,
  { last, isWanted }: Pick<ReadOptions, 'isWanted'> & { readonly last: FolderEntry | undefined },
): Promise<FolderEntry | null> {
  // The time comes first: what is added while the folder is read changes it again.
  const stats = await lstat(folder).catch(() => null);
  if (stats === null) return null;
  const changedMs = stats.mtimeMs;
  if (last?.isSettled && last.changedMs === changedMs) return last;
  const isSettled = Math.abs(Date.now() - changedMs) > QUIET_MS;
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => null);
  if (entries === null) return null;
  const pathsOf = (chosen: typeof entries) => chosen.map(({ name }) => path.join(folder, name));
  return {
    files: pathsOf(entries.filter((entry) => entry.isFile() && isWanted(entry.name))),
    folders: pathsOf(entries.filter((entry) => entry.isDirectory())),
    changedMs,
    isSettled,
  };
}

/**
 * Hears of changes in folders. Folders, not files, are listened to: what Node calls a recursive watch holds every
 * single file of a data set.
 */
export function listenToFolders(onNews: () => void) {
  const ears = new Map<string, FSWatcher>();
  const drop = (folder: string) => {
    ears.get(folder)?.close();
    ears.delete(folder);
  };
  const add = (folder: string) => {
    const ear = listen(folder, onNews, () => drop(folder));
    if (ear !== null) ears.set(folder, ear);
  };
  return {
    /** Listens to these folders, and to no other. */
    follow(folders: Iterable<string>): void {
      const wanted = new Set(folders);
      for (const folder of [...ears.keys()].filter((name) => !wanted.has(name))) drop(folder);
      const missing = [...wanted].filter((folder) => !ears.has(folder));
      for (const folder of missing.slice(0, MOST_FOLLOWED - ears.size)) add(folder);
    },
    close(): void {
      for (const folder of [...ears.keys()]) drop(folder);
    },
  };
}

/** null where the system cannot tell, or tells of no more folders. */
function listen(folder: string, onNews: () => void, onError: () => void): FSWatcher | null {
  try {
    return watch(folder, onNews).on('error', onError);
  } catch {
    return null;
  }
}
