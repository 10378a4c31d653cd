import { setImmediate } from 'node:timers/promises';
import type { JobQueue, QueuedWork, QueueState } from '../../core/queue/job-queue.ts';

export interface MemoryQueue extends JobQueue {
  /** What was submitted, by queue id, in order. */
  readonly works: ReadonlyMap<string, QueuedWork>;
  /** Ids and reasons given to `terminate`. */
  readonly terminated: readonly (readonly [queueId: string, reason: string])[];
  /** Moves work on and returns its new state, as an event of the queue would tell it. */
  set(queueId: string, state: Partial<Omit<QueueState, 'queueId'>>): QueueState;
  /** Makes the queue forget work, as Batch does after a day. */
  forget(queueId: string): void;
  /** Runs before each call; throws what the call shall fail with. */
  before: (method: string) => void;
}

/** A JobQueue that runs nothing: a test says how work goes on. */
export function makeMemoryQueue(name = 'queue'): MemoryQueue {
  const works = new Map<string, QueuedWork>();
  const states = new Map<string, QueueState>();
  const terminated: (readonly [string, string])[] = [];
  const enter = async (method: string) => {
    queue.before(method);
    await setImmediate();
  };
  const set: MemoryQueue['set'] = (queueId, state) => {
    const next = { ...states.get(queueId)!, ...state };
    states.set(queueId, next);
    return next;
  };
  const queue: MemoryQueue = {
    works,
    terminated,
    before: () => {},
    set,
    forget: (queueId) => states.delete(queueId),
    async submit(work) {
      await enter('submit');
      const queueId = `${name}-${works.size + 1}`;
      works.set(queueId, work);
      states.set(queueId, { queueId, status: 'queued', attempts: 0 });
      return queueId;
    },
    async find({ jobId, task }) {
      await enter('find');
      const ids = [...states.keys()].filter((id) => {
        const work = works.get(id)!;
        return work.jobId === jobId && work.task === task;
      });
      return ids.find((id) => states.get(id)!.status !== 'failed') ?? ids[0] ?? null;
    },
    async describe(queueIds) {
      await enter('describe');
      return queueIds.map((queueId) => states.get(queueId) ?? null);
    },
    async terminate(queueId, reason) {
      await enter('terminate');
      terminated.push([queueId, reason]);
      const { status } = states.get(queueId) ?? { status: 'failed' };
      if (status === 'queued' || status === 'running') set(queueId, { status: 'failed', reason });
    },
  };
  return queue;
}
