import { beginRound, readCursor, writeCursor } from './cursor.ts';
import type { JobDeps } from './deps.ts';
import { findJob } from './find-job.ts';
import { listJobs } from './list-jobs.ts';
import { isFinal, type JobRecord } from './record.ts';

/** Records that one call reads: PAGE for each of PAGES. */
const PAGE = 100;
const PAGES = 5;
/** Older than any job gets with its attempts and its waiting for machines. */
const MAX_AGE_MS = 14 * 24 * 3_600_000;

/** Says behind which job the next call goes on; at the newest again once all were looked at. */
const CURSOR = 'catch-up';

/** A job that had fallen behind, as it is now or why it could not be looked at. */
export type CaughtUp = { readonly jobId: string } & (
  | { readonly record: JobRecord }
  | { readonly error: unknown }
);

/**
 * Looks at jobs that have not ended, so that one whose events were lost, or whose submission was left half-way,
 * comes to its end though nobody asks for it. Bounded in number and time: a call goes on where the last one stopped.
 *
 * @returns the jobs whose status changed, and those that could not be looked at
 */
export async function catchUp(deps: JobDeps): Promise<CaughtUp[]> {
  const isOver = beginRound(deps);
  const caughtUp: CaughtUp[] = [];
  let after = await readCursor(deps.store, CURSOR);
  const start = after;
  for (let page = 0; page < PAGES; page += 1) {
    const { jobs, next } = await listJobs(deps, { limit: PAGE, after });
    let looked = 0;
    while (looked < jobs.length && !isOver()) {
      caughtUp.push(...(await lookAt(deps, jobs[looked]!)));
      looked += 1;
    }
    const isCut = looked < jobs.length;
    after = isCut ? (jobs[looked - 1]?.jobId ?? after) : nextPage(deps, jobs, next);
    if (isCut || after === undefined) break;
  }
  if (after !== start) await writeCursor(deps.store, CURSOR, after);
  return caughtUp;
}

async function lookAt(deps: JobDeps, { jobId, status }: JobRecord): Promise<CaughtUp[]> {
  if (isFinal(status)) return [];
  try {
    const { record, reconcileError } = await findJob(deps, jobId);
    if (reconcileError !== undefined) return [{ jobId, error: reconcileError }];
    return record.status === status ? [] : [{ jobId, record }];
  } catch (error) {
    return [{ jobId, error }];
  }
}

function nextPage(
  { now }: JobDeps,
  jobs: readonly JobRecord[],
  next: string | undefined,
): string | undefined {
  const oldest = jobs.at(-1);
  const isTooOld = oldest !== undefined && now().getTime() - Date.parse(oldest.createdAt) > MAX_AGE_MS;
  return isTooOld ? undefined : next;
}
