import { z } from 'zod';
import type { JobDeps } from './deps.ts';
import { findJob } from './find-job.ts';
import { toJson } from './json.ts';
import { lockKey } from './keys.ts';
import { listJobs } from './list-jobs.ts';
import { isFinal, type JobRecord } from './record.ts';
import { readState } from './state.ts';

/** Records that one call reads: PAGE for each of PAGES. */
const PAGE = 100;
const PAGES = 5;
/** Older than any job gets with its attempts and its waiting for machines. */
const MAX_AGE_MS = 14 * 24 * 3_600_000;

/** `locks/catch-up.json`: behind which job the next call goes on; absent: at the newest. */
const cursorSchema = z.strictObject({ schemaVersion: z.literal(1), after: z.string().optional() });
const PLACE = { key: lockKey('catch-up'), schema: cursorSchema };

/** A job that had fallen behind, as it is now or why it could not be looked at. */
export type CaughtUp = { readonly jobId: string } & (
  | { readonly record: JobRecord }
  | { readonly error: unknown }
);

/**
 * Looks at jobs that have not ended, so that one whose events were lost, or whose submission was left half-way,
 * comes to its end though nobody asks for it. Bounded: a call goes on where the last one stopped.
 *
 * @returns the jobs whose status changed, and those that could not be looked at
 */
export async function catchUp(deps: JobDeps): Promise<CaughtUp[]> {
  const state = await readState(deps.store, PLACE);
  let after = state?.value.after;
  const caughtUp: CaughtUp[] = [];
  for (let page = 0; page < PAGES; page += 1) {
    const { jobs, next } = await listJobs(deps, { limit: PAGE, after });
    for (const job of jobs) caughtUp.push(...(await lookAt(deps, job)));
    after = isTooOld(jobs.at(-1), deps.now()) ? undefined : next;
    if (after === undefined) break;
  }
  const cursor = { schemaVersion: 1, ...(after !== undefined && { after }) };
  await deps.store.write(PLACE.key, toJson(cursor), { contentType: 'application/json' });
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

function isTooOld(job: JobRecord | undefined, now: Date): boolean {
  return job !== undefined && now.getTime() - Date.parse(job.createdAt) > MAX_AGE_MS;
}
