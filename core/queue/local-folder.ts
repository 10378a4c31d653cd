import { mkdir, readdir, readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { isCounterweightError, StorageError } from '../errors.ts';
import { codeOf, fillTemporary, replaceFile, sweepTemporaries, syncFolders } from '../storage/object-file.ts';
import { type LocalEntry, localEntrySchema } from './local-entry.ts';

/**
 * The files of a local queue:
 *
 *   entries/{queueId}.json                  one submission, replaced as a whole
 *   logs/{queueId}/{index}-{attempt}.log    what a process printed
 *   tmp/                                    bytes on their way
 */
export interface LocalFolder {
  /** In order of submission; comes first, since it makes the folder. @throws StorageError when one is damaged */
  load(): Promise<LocalEntry[]>;
  /** Writes happen one after another. */
  save(entry: LocalEntry): Promise<void>;
  forget(queueId: string): Promise<void>;
  logFile(queueId: string, index: number, attempt: number): string;
}

const ENDING = '.json';

export function openLocalFolder(folder: string): LocalFolder {
  const entries = path.join(folder, 'entries');
  const logs = path.join(folder, 'logs');
  const temporaries = path.join(folder, 'tmp');
  const fileOf = (queueId: string) => path.join(entries, `${queueId}${ENDING}`);
  let pending: Promise<void> = Promise.resolve();
  const inTurn = (operation: string, work: () => Promise<void>) => {
    const done = pending.then(() => attempt(operation, work));
    pending = done.catch(() => {});
    return done;
  };
  return {
    load: () =>
      attempt('reading', async () => {
        await mkdir(entries, { recursive: true });
        await sweepTemporaries(temporaries);
        const names = (await readdir(entries)).filter((name) => name.endsWith(ENDING));
        const loaded = await Promise.all(names.map((name) => readEntry(path.join(entries, name))));
        return loaded.sort((a, b) => a.order - b.order);
      }),
    save: (entry) =>
      inTurn('writing', async () => {
        const { file } = await fillTemporary(temporaries, [JSON.stringify(entry)]);
        await replaceFile(file, fileOf(entry.queueId));
        await syncFolders(entries, entries);
      }),
    forget: (queueId) =>
      inTurn('deleting', async () => {
        await rm(fileOf(queueId), { force: true });
        await rm(path.join(logs, queueId), { recursive: true, force: true });
      }),
    logFile: (queueId, index, attemptNumber) => path.join(logs, queueId, `${index}-${attemptNumber}.log`),
  };
}

async function readEntry(file: string): Promise<LocalEntry> {
  const name = path.basename(file);
  const text = await readFile(file, 'utf8');
  try {
    return localEntrySchema.refine(({ queueId }) => `${queueId}${ENDING}` === name).parse(JSON.parse(text));
  } catch (cause) {
    throw new StorageError(
      `job queue: entries/${name}: expected a submission, received something else; without the file the queue starts`,
      { where: 'job queue', name },
      { cause },
    );
  }
}

async function attempt<T>(operation: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (isCounterweightError(cause)) throw cause;
    const reason = codeOf(cause) || 'unknown reason';
    throw new StorageError(
      `job queue: ${operation} failed (${reason})`,
      { where: 'job queue', operation, reason },
      { cause },
    );
  }
}
