/** A unit of work as a queue sees it: the job's record in the store says all the rest. */
export interface QueuedWork {
  readonly jobId: string;
  /** Task of the container: the whole job, one shard of a sweep, or the reduction of its shards. */
  readonly task: 'job' | 'shard' | 'reduce';
  /** Number of shards; each runs as its own process with its index. Absent for one process. */
  readonly shards?: number;
  /** Queue ids that must succeed first; when one fails, this fails too. */
  readonly after?: readonly string[];
  /** Attempts before the queue gives up on exit code 75 or a lost host, >= 1. */
  readonly attempts: number;
  readonly timeoutSeconds: number;
}

export type QueueStatus = 'queued' | 'running' | 'succeeded' | 'failed';

export interface QueueState {
  readonly queueId: string;
  readonly status: QueueStatus;
  /** Why it failed, in a sentence, when it did. */
  readonly reason?: string;
  readonly exitCode?: number;
  readonly attempts: number;
}

/** Runs `worker/main` somewhere: AWS Batch, or child processes of this machine. */
export interface JobQueue {
  /** @returns the id under which the queue knows the work */
  submit(work: QueuedWork): Promise<string>;
  /**
   * Id of work that was submitted for this job and task, ended or not; null where there is none, or the queue has
   * forgotten it. For who takes over from a process that died between `submit` and the noting of its id: submitting
   * anew would run the work twice. Of several that were submitted the eldest that has not failed, so that all who
   * look find the same one.
   */
  find(work: Pick<QueuedWork, 'jobId' | 'task'>): Promise<string | null>;
  /** States in the order asked for; null for an id that the queue does not (any longer) know. */
  describe(queueIds: readonly string[]): Promise<(QueueState | null)[]>;
  /** Stops work that is queued or running; nothing happens when it has ended. */
  terminate(queueId: string, reason: string): Promise<void>;
}
