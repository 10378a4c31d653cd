import { claimJobId } from './claim.ts';
import type { JobDeps } from './deps.ts';
import { enqueue, resumeSubmission } from './enqueue.ts';
import { recordKey } from './keys.ts';
import type { JobRecord } from './record.ts';
import { readRecord } from './records.ts';
import type { JobRequest } from './schema.ts';
import { createState } from './state.ts';

export interface SubmitOptions {
  /** Equal keys name one job; absent: equal requests over the same uploads do. */
  readonly idempotencyKey?: string | undefined;
}

/**
 * The job of a request: a new one, or the one that the same request (or the same idempotency key) became before.
 * However many callers ask at once, and whichever of them dies at which point, there is one job.
 *
 * @throws InvalidInputError when an input was never uploaded
 * @throws ConflictError when the idempotency key belongs to another request
 * @throws StorageError when store or queue fail; the next call goes on from there
 */
export async function submitJob(
  deps: JobDeps,
  request: JobRequest,
  { idempotencyKey }: SubmitOptions = {},
): Promise<JobRecord> {
  const jobId = await claimJobId(deps, request, idempotencyKey);
  const known = await readRecord(deps, jobId);
  if (known !== null) return resumeSubmission(deps, known);
  const time = deps.now().toISOString();
  const record: JobRecord = {
    schemaVersion: 1,
    jobId,
    request,
    status: 'submitted',
    createdAt: time,
    updatedAt: time,
    queueIds: [],
  };
  if ((await createState(deps.store, recordKey(jobId), record)) !== null) return enqueue(deps, record);
  return (await readRecord(deps, jobId)) ?? record;
}
