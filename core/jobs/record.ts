import { z } from 'zod';
import { JobConflictError } from '../errors.ts';
import { jobRequestSchema } from './schema.ts';

/** `submitted`: recorded, not yet in the queue. The last three are final. */
export const JOB_STATUSES = ['submitted', 'queued', 'running', 'succeeded', 'failed', 'cancelled'] as const;
export type JobStatus = (typeof JOB_STATUSES)[number];

/** Which status may follow which; a late or repeated event for anything else changes nothing. */
const NEXT = {
  submitted: ['queued', 'running', 'succeeded', 'failed', 'cancelled'],
  queued: ['running', 'succeeded', 'failed', 'cancelled'],
  running: ['queued', 'succeeded', 'failed', 'cancelled'],
  succeeded: [],
  failed: [],
  cancelled: [],
} as const satisfies Record<JobStatus, readonly JobStatus[]>;

const progressSchema = z.strictObject({
  stage: z.string(),
  done: z.number().min(0),
  total: z.number().min(0),
});
export type JobProgress = z.output<typeof progressSchema>;

/** `jobs/{id}/record.json` */
export const jobRecordSchema = z.strictObject({
  schemaVersion: z.literal(1),
  jobId: z.string(),
  request: jobRequestSchema,
  status: z.enum(JOB_STATUSES),
  /** ISO 8601, UTC */
  createdAt: z.iso.datetime(),
  updatedAt: z.iso.datetime(),
  /** Ids under which the queue knows the work, in order of submission; the last one ends the job. */
  queueIds: z.array(z.string()),
  /** Verdict of a mitigation that succeeded. */
  outcome: z.enum(['improved', 'not-improved', 'rejected']).optional(),
  /** Why it failed, in a sentence without data. */
  error: z.strictObject({ code: z.string(), message: z.string() }).optional(),
  /** Names of the published files below results/{id}/. */
  results: z.array(z.string()).optional(),
});
export type JobRecord = z.output<typeof jobRecordSchema>;

/** `jobs/{id}/status.json`, written by the worker. */
export const jobProgressSchema = z.strictObject({
  attempt: z.int().min(1),
  updatedAt: z.iso.datetime(),
  progress: progressSchema,
});

export function isFinal(status: JobStatus): boolean {
  return NEXT[status].length === 0;
}

export type JobChange = Partial<Pick<JobRecord, 'status' | 'queueIds' | 'outcome' | 'error' | 'results'>>;

/**
 * The record after a change. Why it could not be queued, or failed, does not outlast the status that it stood beside.
 *
 * @throws JobConflictError when the status may not follow the one that the record has
 */
export function changeRecord(record: JobRecord, change: JobChange, now: Date): JobRecord {
  const { status } = change;
  const next: readonly JobStatus[] = NEXT[record.status];
  if (status !== undefined && status !== record.status && !next.includes(status)) {
    throw new JobConflictError(
      next.length === 0
        ? `job "${record.jobId}": expected one that has not ended, received one that is "${record.status}"`
        : `job "${record.jobId}": expected a status that can follow "${record.status}", received "${status}"`,
      {
        jobId: record.jobId,
        from: record.status,
        to: status,
      },
    );
  }
  const { error, ...rest } = record;
  const isSame = status === undefined || status === record.status;
  return { ...rest, ...(isSame && error && { error }), ...change, updatedAt: now.toISOString() };
}
