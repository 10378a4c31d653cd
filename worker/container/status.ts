import { statusKey } from '../../core/jobs/keys.ts';
import type { JobProgress } from '../../core/jobs/record.ts';
import type { ObjectStore } from '../../core/storage/object-store.ts';
import type { Progress } from '../progress.ts';

/** Milliseconds between two writes of the status object. */
const WRITE_EVERY_MS = 3000;

export interface StatusInput {
  readonly store: ObjectStore;
  readonly jobId: string;
  readonly attempt: number;
  readonly now: () => Date;
}

/**
 * Progress as an object that the API reads. Writes happen beside the work, one at a time and at most every few
 * seconds; one that fails is dropped, since the next says more.
 */
export function makeStatusWriter({
  store,
  jobId,
  attempt,
  now,
}: StatusInput): Progress & { flush(): Promise<void> } {
  let current: JobProgress = { stage: 'starting', done: 0, total: 0 };
  let writtenAt = Number.NEGATIVE_INFINITY;
  let pending: Promise<void> = Promise.resolve();
  const write = () => {
    writtenAt = now().getTime();
    const body = JSON.stringify({ attempt, updatedAt: now().toISOString(), progress: current });
    pending = pending
      .then(() => store.write(statusKey(jobId), body, { contentType: 'application/json' }))
      .then(() => {})
      .catch(() => {});
  };
  const change = (next: JobProgress, isUrgent: boolean) => {
    current = next;
    if (isUrgent || now().getTime() - writtenAt >= WRITE_EVERY_MS) write();
  };
  return {
    start: (stage, total) => change({ stage, done: 0, total }, true),
    advance: (by = 1) => change({ ...current, done: current.done + by }, false),
    finish: () => change({ ...current, done: current.total }, false),
    flush: async () => {
      write();
      await pending;
    },
  };
}
