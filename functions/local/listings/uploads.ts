import { ConflictError, isCounterweightError, StorageError } from '../../../core/errors.ts';
import type { JobDeps } from '../../../core/jobs/deps.ts';
import { handleUpload } from '../../../core/jobs/handle-upload.ts';
import { folderOf, JOB_REQUEST_ENDING, UPLOAD_CONFIG, UPLOADS } from '../../../core/jobs/keys.ts';
import type { JobQueue } from '../../../core/queue/job-queue.ts';
import { problemOf } from '../../lib/problem.ts';
import { type DatedKey, newestFirst } from '../listings.ts';
import { remember } from './remember.ts';

/** Configurations and requests that are looked at, the newest ones. */
const MOST_STARTERS = 50;
/** Looking for the images of a data set can mean a long list of files. */
const LOOK_MS = 30_000;
/** A file that changed just now may be half of a copy in progress. */
const SETTLE_MS = 2000;

/** An upload that should start something and has not. */
export interface OpenUpload {
  /** Its place below `uploads/`. */
  readonly name: string;
  /** `waiting` for what it lacks; `refused` as it is, until it is brought again. */
  readonly state: 'waiting' | 'refused';
  /** What it lacks, or what is wrong. */
  readonly reason: string;
  readonly since: string;
}

type Found = Pick<OpenUpload, 'state' | 'reason'> | null;

/**
 * Configurations and requests below `uploads/` of a root that wait for something or were refused, the newest first.
 *
 * @param uploadKeys  as `makeUploadKeys` makes it
 */
export function makeListUploads(
  deps: JobDeps,
  root: string,
  uploadKeys: () => Promise<string[]>,
): () => Promise<OpenUpload[]> {
  const dry = dryRun(deps);
  const found = remember<Found>(deps.now, LOOK_MS);
  // A version that has started something never waits again.
  const done = new Set<string>();
  const look = async ({ key, changedMs, bytes }: DatedKey): Promise<OpenUpload | null> => {
    const version = [key, changedMs, bytes].join(' ');
    if (done.has(version)) return null;
    const open = await found(version, () => lookAt(dry, key));
    if (open === null) done.add(version);
    const since = new Date(changedMs).toISOString();
    return open && { name: key.slice(UPLOADS.length), ...open, since };
  };
  return async () => {
    const keys = (await uploadKeys()).filter(isRequest);
    const settled = (await newestFirst(root, keys)).filter(
      ({ changedMs }) => Math.abs(deps.now().getTime() - changedMs) > SETTLE_MS,
    );
    const uploads: OpenUpload[] = [];
    for (const starter of settled.slice(0, MOST_STARTERS)) {
      const open = await look(starter).catch(() => null);
      if (open !== null) uploads.push(open);
    }
    return uploads;
  };
}

function isRequest(key: string): boolean {
  return key.endsWith(JOB_REQUEST_ENDING) || key.slice(folderOf(key).length) === UPLOAD_CONFIG;
}

/** null where there is nothing to wait for and nothing wrong. */
async function lookAt(dry: JobDeps, key: string): Promise<Found> {
  try {
    const outcome = await handleUpload(dry, key);
    if ('lacks' in outcome) return { state: 'waiting', reason: `it lacks ${outcome.lacks}` };
    return 'ignored' in outcome ? { state: 'waiting', reason: outcome.ignored } : null;
  } catch (error) {
    if (!isCounterweightError(error) || error.code !== 'INVALID_INPUT') throw error;
    return { state: 'refused', reason: problemOf(error).message };
  }
}

/**
 * Deps with which an upload is looked at as the watcher does, and nothing comes of it: every write finds that another
 * writer was first, and the queue takes nothing.
 */
function dryRun(deps: JobDeps): JobDeps {
  const refuse = async () => {
    throw new ConflictError('dry run: expected no write', { where: 'dry run' });
  };
  const still = (queue: JobQueue): JobQueue => ({
    ...queue,
    submit: async () => {
      throw new StorageError('dry run: expected no work', { where: 'dry run' });
    },
    terminate: async () => {},
  });
  return {
    ...deps,
    store: { ...deps.store, write: refuse, writeStream: refuse, delete: async () => {} },
    queues: { cpu: still(deps.queues.cpu), gpu: still(deps.queues.gpu) },
  };
}
