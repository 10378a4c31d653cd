import type { QueueState } from '../queue/job-queue.ts';

/** Why a job failed: `code` for a program, `message` as a sentence for people, without data. */
export interface Failure {
  readonly code: string;
  readonly message: string;
}

/** Given to the queue when a user stops a job, and found again in the reason that the queue reports. */
export const CANCEL_REASON = 'cancelled on request';

const MISCONFIGURED = 'the compute environment cannot run this job as it is set up; see docs/operations.md';

/** What the queue says when it ends work from outside, as far as that is known; the first that fits counts. */
const REASONS: readonly (Failure & { readonly pattern: RegExp })[] = [
  { pattern: new RegExp(CANCEL_REASON, 'i'), code: 'CANCELLED', message: 'the job was cancelled' },
  {
    pattern: /cannotpull|imagepull|pull image/i,
    code: 'IMAGE_UNAVAILABLE',
    message: 'the container image could not be pulled; see docs/operations.md',
  },
  {
    // Before the time limit: what the machine waited for in vain is said as a timeout as well.
    pattern: /resourceinitialization|network interface|dial tcp/i,
    code: 'MISCONFIGURED',
    message: MISCONFIGURED,
  },
  {
    pattern: /attempt duration exceeded/i,
    code: 'TIMEOUT',
    message: 'the job ran for longer than its time limit allows',
  },
  {
    pattern: /^host ec2|host .*(?:lost|terminated)|spot interruption/i,
    code: 'HOST_LOST',
    message: 'the machine was taken away in every attempt; the job can be submitted again',
  },
  {
    pattern: /outofmemory|out of memory|memory usage/i,
    code: 'OUT_OF_MEMORY',
    message: 'the job needed more memory than its container has',
  },
  {
    pattern: /dependent job/i,
    code: 'DEPENDENCY_FAILED',
    message: 'an earlier part of the job failed',
  },
  {
    pattern: /capacity:/i,
    code: 'NO_CAPACITY',
    message: 'no machine of the right kind was free in time; the job can be submitted again',
  },
  {
    pattern: /misconfiguration:/i,
    code: 'MISCONFIGURED',
    message: MISCONFIGURED,
  },
];

/** What worker/main ends with, and what an operating system makes of a killed process. */
const EXIT_CODES: Readonly<Record<number, Failure>> = {
  64: {
    code: 'INVALID_INPUT',
    message: 'the request or the data does not have the form that it must have',
  },
  65: { code: 'UNFIT', message: 'the data or the model is unfit for what was asked' },
  70: { code: 'FAILED', message: 'the work failed; trying again would fail the same way' },
  75: {
    code: 'TRY_LATER',
    message: 'something that the job needs (storage, backend) was not available in any attempt',
  },
  130: { code: 'INTERRUPTED', message: 'the work was interrupted' },
  137: {
    code: 'OUT_OF_MEMORY',
    message:
      'the process was killed: it needed more memory than its container has, or was stopped from outside',
  },
  139: { code: 'CRASHED', message: 'the process crashed' },
  143: { code: 'INTERRUPTED', message: 'the work was stopped from outside' },
};

/** Account numbers, ARNs, addresses and machine ids: of no use to the reader of a job, and not theirs to know. */
const INTERNAL = /arn:\S+|https?:\S+|\bi-[0-9a-f]{8,}\b|\b\d{12}\b\S*|s3:\S+/g;
const MAX_REASON = 200;

/** Why a job failed, from what the queue knows about it. */
export function failureOf({ reason, exitCode }: Pick<QueueState, 'reason' | 'exitCode'>): Failure {
  const known = REASONS.find(({ pattern }) => reason !== undefined && pattern.test(reason));
  if (known !== undefined) return { code: known.code, message: known.message };
  if (exitCode !== undefined) {
    return (
      EXIT_CODES[exitCode] ?? { code: 'FAILED', message: `the process ended with exit code ${exitCode}` }
    );
  }
  const said = reason?.replace(INTERNAL, '…').slice(0, MAX_REASON);
  const message = said ? `the queue ended the job: ${said}` : 'the queue ended the job without saying why';
  return { code: 'FAILED', message };
}
