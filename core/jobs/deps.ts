import type { JobQueue } from '../queue/job-queue.ts';
import type { ObjectStore } from '../storage/object-store.ts';

/** All that jobs are made of; nothing here knows whether it is AWS or one machine. */
export interface JobDeps {
  readonly store: ObjectStore;
  /** Audits run on `cpu`, mitigations on `gpu`; both may be one queue. */
  readonly queues: { readonly cpu: JobQueue; readonly gpu: JobQueue };
  readonly now: () => Date;
  /** At least 16 lower-case letters and digits, another one at every call. */
  readonly randomId: () => string;
  /** True once the process is about to end: long rounds then stop between two steps. Absent: never. */
  readonly isClosing?: () => boolean;
}
