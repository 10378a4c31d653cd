import type { JobDeps } from './deps.ts';
import { JOBS, jobIdOfRecord, lastKeyOf } from './keys.ts';
import type { JobRecord, JobStatus } from './record.ts';
import { readRecord } from './records.ts';
import { isDamage } from './state.ts';

/** Records that one call reads at most while it looks for a status, so that it ends in time. */
const MAX_READ = 500;
/** Reads at once. */
const BATCH = 20;

export interface ListJobsOptions {
  readonly status?: JobStatus | undefined;
  /** Jobs to return at most, >= 1. */
  readonly limit: number;
  /** Id of the job to go on behind, as `next` gave it. */
  readonly after?: string | undefined;
}

export interface JobList {
  readonly jobs: readonly JobRecord[];
  /** Records that could not be read as such and are left out. */
  readonly damaged: number;
  /** Present when there may be more: pass it as `after`. */
  readonly next?: string;
}

/** Jobs from the newest to the oldest. Records are as stored: a listing asks no queue. */
export async function listJobs(
  deps: Pick<JobDeps, 'store'>,
  { status, limit, after }: ListJobsOptions,
): Promise<JobList> {
  const jobs: JobRecord[] = [];
  let read = 0;
  let damaged = 0;
  for await (const ids of batches(jobIds(deps, after), Math.min(BATCH, limit))) {
    const records = await Promise.all(ids.map((jobId) => readReadable(deps, jobId)));
    damaged += records.filter((record) => record === 'damaged').length;
    jobs.push(...records.filter(isRecord).filter((record) => hasStatus(record, status)));
    read += ids.length;
    if (jobs.length >= limit) return { jobs: jobs.slice(0, limit), damaged, next: jobs[limit - 1]!.jobId };
    if (read >= MAX_READ) return { jobs, damaged, next: ids.at(-1)! };
  }
  return { jobs, damaged };
}

/** One job's trouble must not hide all the others. */
async function readReadable(
  deps: Pick<JobDeps, 'store'>,
  jobId: string,
): Promise<JobRecord | 'damaged' | null> {
  try {
    return await readRecord(deps, jobId);
  } catch (error) {
    if (isDamage(error)) return 'damaged';
    throw error;
  }
}

function isRecord(record: JobRecord | 'damaged' | null): record is JobRecord {
  return record !== null && record !== 'damaged';
}

function hasStatus(record: JobRecord, status: JobStatus | undefined): boolean {
  return status === undefined || record.status === status;
}

async function* jobIds({ store }: Pick<JobDeps, 'store'>, after: string | undefined): AsyncGenerator<string> {
  const startAfter = after === undefined ? {} : { startAfter: lastKeyOf(after) };
  for await (const { key } of store.list(JOBS, startAfter)) {
    const jobId = jobIdOfRecord(key);
    if (jobId !== null) yield jobId;
  }
}

async function* batches(ids: AsyncIterable<string>, size: number): AsyncGenerator<string[]> {
  let batch: string[] = [];
  for await (const id of ids) {
    batch.push(id);
    if (batch.length < size) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}
