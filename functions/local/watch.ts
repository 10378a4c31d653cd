import { lstat, mkdir } from 'node:fs/promises';
import path from 'node:path';
import { isStarter, UPLOADS } from '../../core/jobs/keys.ts';
import { type FolderTree, listenToFolders, readTree } from './folder-tree.ts';

export interface WatchOptions {
  /** Of the store; `uploads/` below it is watched. */
  readonly root: string;
  /** May be told of one file twice; what it throws brings the file again at the next look. */
  readonly onUpload: (key: string) => Promise<void>;
  /** A file counts as whole when two looks so far apart see the same; a copy in progress grows. */
  readonly settleMs?: number;
  /** Between looks when nothing is heard: some file systems tell of nothing. */
  readonly rescanMs?: number;
}

export interface Watcher {
  /** Ends when what was told last has been taken. */
  close(): Promise<void>;
}

const DEFAULTS = { settleMs: 1500, rescanMs: 15_000 } as const;
/** After news, so that many files at once are one look. */
const PAUSE_MS = 100;

interface Seen {
  readonly version: string;
  readonly since: number;
  readonly isTold: boolean;
}

/** Tells of every file below `uploads/` that can start something, once for each of its versions. */
export async function watchUploads(options: WatchOptions): Promise<Watcher> {
  const { root, onUpload, settleMs, rescanMs } = { ...DEFAULTS, ...options };
  const folder = path.join(root, UPLOADS);
  await mkdir(folder, { recursive: true });
  let tree: FolderTree = new Map();
  let seen = new Map<string, Seen>();
  let isClosed = false;
  let timer: NodeJS.Timeout | undefined;
  let due = Number.POSITIVE_INFINITY;
  let turn: Promise<void> = Promise.resolve();
  const news = listenToFolders(() => lookWithin(PAUSE_MS));
  const look = async () => {
    tree = await readTree(folder, { known: tree, isWanted: isStarter });
    // Before the files are looked at, so that what comes meanwhile is heard of.
    if (!isClosed) news.follow(tree.keys());
    const files = [...tree.values()].flatMap((entry) => entry.files);
    seen = await lookAt(files, { folder, seen, settleMs, onUpload, isClosed: () => isClosed });
    const isOpen = [...seen.values()].some(({ isTold }) => !isTold);
    lookWithin(isOpen ? settleMs : rescanMs);
  };
  const lookWithin = (ms: number) => {
    const at = performance.now() + ms;
    if (isClosed || at >= due) return;
    clearTimeout(timer);
    due = at;
    timer = setTimeout(() => {
      due = Number.POSITIVE_INFINITY;
      turn = turn.then(look).catch(() => lookWithin(rescanMs));
    }, ms);
  };
  lookWithin(0);
  return {
    async close() {
      isClosed = true;
      clearTimeout(timer);
      news.close();
      await turn;
    },
  };
}

interface Look extends Pick<Required<WatchOptions>, 'settleMs' | 'onUpload'> {
  readonly folder: string;
  readonly seen: ReadonlyMap<string, Seen>;
  readonly isClosed: () => boolean;
}

async function lookAt(
  files: readonly string[],
  { folder, seen, settleMs, onUpload, isClosed }: Look,
): Promise<Map<string, Seen>> {
  const next = new Map<string, Seen>();
  for (const file of files) {
    // The next server looks at all of them again.
    if (isClosed()) break;
    const version = await versionOf(file);
    if (version === null) continue;
    const now = performance.now();
    const last = seen.get(file);
    const state = last?.version === version ? last : { version, since: now, isTold: false };
    const isDue = !state.isTold && now - state.since >= settleMs;
    const key = `${UPLOADS}${path.relative(folder, file).split(path.sep).join('/')}`;
    const isTold = state.isTold || (isDue && (await wasTaken(onUpload, key)));
    next.set(file, { ...state, isTold });
  }
  return next;
}

async function wasTaken(onUpload: WatchOptions['onUpload'], key: string): Promise<boolean> {
  try {
    await onUpload(key);
    return true;
  } catch {
    return false;
  }
}

async function versionOf(file: string): Promise<string | null> {
  const stats = await lstat(file).catch(() => null);
  return stats === null ? null : [stats.ino, stats.size, stats.mtimeMs].join();
}
