import { statusKey } from '../../core/jobs/keys.ts';
import type { JobProgress } from '../../core/jobs/record.ts';
import type { ObjectStore } from '../../core/storage/object-store.ts';
import type { Progress } from '../progress.ts';

/** Milliseconds between two writes of the status object, but for the start of a stage. */
const WRITE_EVERY_MS = 3000;

export interface StatusInput {
  readonly store: ObjectStore;
  readonly jobId: string;
  readonly attempt: number;
  readonly now: () => Date;
}

export interface StatusWriter extends Progress {
  /** Resolves when no write is under way. */
  settled(): Promise<void>;
}

/**
 * Progress as an object that the API reads. Writes happen beside the work and one at a time, so that an old one never
 * overtakes a new one; what changes during a write goes into the next. One that fails is dropped: the next says more.
 */
export function makeStatusWriter({ store, jobId, attempt, now }: StatusInput): StatusWriter {
  let current: JobProgress = { stage: 'starting', done: 0, total: 0 };
  let writtenAt = Number.NEGATIVE_INFINITY;
  let writing: Promise<void> | null = null;
  let isBehind = false;
  const writeOnce = async () => {
    writtenAt = now().getTime();
    const body = JSON.stringify({ attempt, updatedAt: now().toISOString(), progress: current });
    await store.write(statusKey(jobId), body, { contentType: 'application/json' });
  };
  const write = () => {
    isBehind = writing !== null;
    writing ??= writeOnce()
      .catch(() => {})
      .then(() => {
        writing = null;
        if (isBehind) write();
      });
  };
  const change = (next: JobProgress, isUrgent: boolean) => {
    current = next;
    if (isUrgent || now().getTime() - writtenAt >= WRITE_EVERY_MS) write();
  };
  return {
    start: (stage, total) => change({ stage, done: 0, total }, true),
    advance: (by = 1) => change({ ...current, done: current.done + by }, false),
    finish: () => change({ ...current, done: current.total }, false),
    settled: async () => {
      while (writing !== null) await writing;
    },
  };
}
