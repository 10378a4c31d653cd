import { z } from 'zod';
import type { QueueState, QueueStatus } from '../../core/queue/job-queue.ts';

const STATUS = {
  SUBMITTED: 'queued',
  PENDING: 'queued',
  RUNNABLE: 'queued',
  STARTING: 'queued',
  RUNNING: 'running',
  SUCCEEDED: 'succeeded',
  FAILED: 'failed',
} as const satisfies Record<string, QueueStatus>;

const containerSchema = z.object({ exitCode: z.int().optional(), reason: z.string().optional() });

/** What is read of EventBridge's "Batch Job State Change". */
const batchEventSchema = z.object({
  source: z.literal('aws.batch'),
  'detail-type': z.literal('Batch Job State Change'),
  detail: z.object({
    /** `{id}:{index}` for one process of an array job. */
    jobId: z.string(),
    status: z.enum(Object.keys(STATUS) as (keyof typeof STATUS)[]),
    statusReason: z.string().optional(),
    attempts: z.array(z.object({ container: containerSchema.optional() })).default([]),
    container: containerSchema
      .extend({
        environment: z.array(z.object({ name: z.string(), value: z.string().optional() })).default([]),
      })
      .optional(),
  }),
});

export interface BatchNews {
  /** Our job; null when the event is about work that is not ours. */
  readonly jobId: string | null;
  readonly state: QueueState;
}

/** What a Batch event says; null when it is no such event. */
export function parseBatchEvent(event: unknown): BatchNews | null {
  const parsed = batchEventSchema.safeParse(event);
  if (!parsed.success) return null;
  const { jobId: queueId, status, statusReason, attempts, container } = parsed.data.detail;
  const last = attempts.at(-1)?.container ?? container;
  const reason = [statusReason, last?.reason].filter((text) => text !== undefined).join(' ');
  return {
    jobId: container?.environment.find(({ name }) => name === 'JOB_ID')?.value ?? null,
    state: {
      queueId,
      status: STATUS[status],
      attempts: attempts.length,
      ...(reason !== '' && { reason }),
      ...(last?.exitCode !== undefined && { exitCode: last.exitCode }),
    },
  };
}
