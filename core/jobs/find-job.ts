import { isCounterweightError } from '../errors.ts';
import { noSuchJob } from './cancel-job.ts';
import type { JobDeps } from './deps.ts';
import { statusKey } from './keys.ts';
import { reconcile } from './reconcile.ts';
import { isFinal, type JobProgress, type JobRecord, jobProgressSchema } from './record.ts';
import { readRecord } from './records.ts';
import { readRepairable } from './state.ts';

export interface FoundJob {
  readonly record: JobRecord;
  /** What the worker last told, as far as it can be read; null before it starts and after the job has ended. */
  readonly progress: (JobProgress & { readonly attempt: number; readonly updatedAt: string }) | null;
  /** Why the queue could not be asked, when it could not: the record may then be behind. */
  readonly reconcileError?: Error;
}

/**
 * A job's record, brought up to date, with the worker's progress.
 *
 * @throws JobNotFoundError when no job has this id
 */
export async function findJob(deps: JobDeps, jobId: string): Promise<FoundJob> {
  const stored = await readRecord(deps, jobId);
  if (stored === null) throw noSuchJob(jobId);
  if (isFinal(stored.status)) return { record: stored, progress: null };
  const told = await readRepairable(deps.store, { key: statusKey(jobId), schema: jobProgressSchema });
  const news = told?.value ?? null;
  const { record, ...rest } = await reconciled(deps, stored, news && new Date(news.updatedAt));
  if (news === null || isFinal(record.status)) return { record, ...rest, progress: null };
  const { attempt, updatedAt, progress } = news;
  return { record, ...rest, progress: { ...progress, attempt, updatedAt } };
}

/** A queue that cannot be asked must not hide what the record says. */
async function reconciled(
  deps: JobDeps,
  stored: JobRecord,
  heardAt: Date | null,
): Promise<Pick<FoundJob, 'record' | 'reconcileError'>> {
  try {
    return { record: await reconcile(deps, stored, heardAt) };
  } catch (error) {
    if (isCounterweightError(error)) return { record: stored, reconcileError: error };
    throw error;
  }
}
