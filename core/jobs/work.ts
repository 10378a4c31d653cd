import type { JobQueue, QueuedWork } from '../queue/job-queue.ts';
import type { JobDeps } from './deps.ts';
import type { JobRecord } from './record.ts';
import type { JobRequest } from './schema.ts';

const HOUR = 3600;

/** Starts of one audit: the first, and two more where the store failed or its host was lost. */
const AUDIT_ATTEMPTS = 3;
/** A mitigation runs for longer, on Spot machines that are taken away, and goes on from its checkpoints. */
const MITIGATION_ATTEMPTS = 5;

const AUDIT_TIMEOUT_SECONDS = 2 * HOUR;
/** Of one attempt; what hangs must not hold a GPU for days. */
const MITIGATION_TIMEOUT_SECONDS = 12 * HOUR;

/** One submission to the queue; it starts when the part before it has succeeded. */
export type WorkPart = Omit<QueuedWork, 'after'>;

/** The parts of a job in order: one, or the shards of a sweep and then what brings them together. */
export function partsOf({ jobId, request }: Pick<JobRecord, 'jobId' | 'request'>): WorkPart[] {
  if (request.kind !== 'mitigation') {
    return [{ jobId, task: 'job', attempts: AUDIT_ATTEMPTS, timeoutSeconds: AUDIT_TIMEOUT_SECONDS }];
  }
  const limits = { attempts: MITIGATION_ATTEMPTS, timeoutSeconds: MITIGATION_TIMEOUT_SECONDS };
  if (request.shards === 1) return [{ jobId, task: 'job', ...limits }];
  return [
    { jobId, task: 'shard', shards: request.shards, ...limits },
    { jobId, task: 'reduce', ...limits },
  ];
}

/** Training wants a GPU; an audit is inference and arithmetic. */
export function queueOf({ queues }: Pick<JobDeps, 'queues'>, { kind }: JobRequest): JobQueue {
  return kind === 'mitigation' ? queues.gpu : queues.cpu;
}
