import type { JobDetail, KeyValuePair, RetryStrategy, SubmitJobRequest } from '@aws-sdk/client-batch';

/** What DescribeJobs and the events tell of a job. */
export type BatchDetail = JobDetail & { readonly jobId: string; readonly status: string };

/** An answer other than 200. */
export class Refusal extends Error {
  readonly type: string;
  readonly status: number;

  constructor(type: string, message: string, status = 400) {
    super(message);
    this.type = type;
    this.status = status;
  }
}

/** What Batch says about the end of jobs, as users report it. */
export const REASON = {
  exited: 'Essential container in task exited',
  timeout: 'Job attempt duration exceeded timeout',
  host: 'Host EC2 (instance i-0123456789abcdef0) terminated.',
  start: 'Task failed to start',
  dependency: 'Dependent Job failed',
  array: 'Array Child Job failed',
} as const;

const JOB_NAME = /^[A-Za-z0-9][A-Za-z0-9_-]{0,127}$/;
/** Each may end with an asterisk. */
const EXIT_CODE_PATTERN = /^\d*\*?$/;
const REASON_PATTERN = /^[A-Za-z0-9.:\s]*\*?$/;
const MOST_PATTERN = 512;

/** The limits of SubmitJob as AWS documents them. */
export function assertRequest(request: SubmitJobRequest): void {
  const { jobName, jobQueue, jobDefinition, arrayProperties, retryStrategy, timeout, dependsOn } = request;
  const size = arrayProperties?.size;
  const environment = request.containerOverrides?.environment ?? [];
  const rules: readonly (readonly [boolean, string])[] = [
    [JOB_NAME.test(jobName ?? ''), 'Job name should match valid pattern'],
    [Boolean(jobQueue && jobDefinition), 'jobQueue and jobDefinition are required'],
    [size === undefined || (size >= 2 && size <= 10_000), 'array size must be between 2 and 10000'],
    [(timeout?.attemptDurationSeconds ?? 60) >= 60, 'attemptDurationSeconds must be at least 60'],
    [(dependsOn?.length ?? 0) <= 20, 'at most 20 dependencies'],
    [environment.every(({ name }) => !name?.startsWith('AWS_BATCH')), 'AWS_BATCH is a reserved prefix'],
    ...retryRules(retryStrategy ?? { attempts: 1 }),
  ];
  const broken = rules.find(([holds]) => !holds);
  if (broken) throw new Refusal('ClientException', broken[1]);
}

function retryRules({ attempts = 0, evaluateOnExit = [] }: RetryStrategy): (readonly [boolean, string])[] {
  const fits = (pattern: string | undefined, allowed: RegExp) =>
    pattern === undefined || (pattern.length <= MOST_PATTERN && allowed.test(pattern));
  return [
    [attempts >= 1 && attempts <= 10, 'attempts must be between 1 and 10'],
    [evaluateOnExit.length <= 5, 'at most 5 conditions'],
    [evaluateOnExit.every(({ action }) => /^(?:retry|exit)$/i.test(action ?? '')), 'action: RETRY or EXIT'],
    [
      evaluateOnExit.every(
        ({ onExitCode, onReason, onStatusReason }) =>
          fits(onExitCode, EXIT_CODE_PATTERN) &&
          fits(onReason, REASON_PATTERN) &&
          fits(onStatusReason, REASON_PATTERN),
      ),
      'a condition is not a valid pattern',
    ],
  ];
}

/** What Batch tells a container; variables of the submission win over those of the job definition. */
export function environmentOf(
  { containerOverrides, arrayProperties, jobQueue }: SubmitJobRequest,
  { jobId, arrayProperties: place, attempts = [] }: BatchDetail,
): Record<string, string> {
  const overrides: KeyValuePair[] = containerOverrides?.environment ?? [];
  return {
    ...Object.fromEntries(overrides.map(({ name, value }) => [name!, value!])),
    AWS_BATCH_CE_NAME: 'stand-in',
    AWS_BATCH_JOB_ID: jobId,
    AWS_BATCH_JQ_NAME: jobQueue!.slice(jobQueue!.lastIndexOf('/') + 1),
    AWS_BATCH_JOB_ATTEMPT: String(attempts.length + 1),
    ...(place?.index !== undefined && {
      AWS_BATCH_JOB_ARRAY_INDEX: String(place.index),
      AWS_BATCH_JOB_ARRAY_SIZE: String(arrayProperties!.size),
    }),
  };
}

/** How an attempt ended; a container whose host is gone leaves no exit code. */
export interface AttemptEnd {
  readonly exitCode?: number;
  /** Of the container, where it said one. */
  readonly reason?: string;
  readonly statusReason: string;
}

/** The first condition that fits decides, and what fits none is tried again. */
export function mayRetry(
  { attempts: most = 1, evaluateOnExit = [] }: RetryStrategy,
  made: number,
  { exitCode, reason = '', statusReason }: AttemptEnd,
): boolean {
  if (made >= most) return false;
  const rule = evaluateOnExit.find(
    ({ onExitCode, onStatusReason, onReason }) =>
      matches(onExitCode, String(exitCode ?? '')) &&
      matches(onStatusReason, statusReason) &&
      matches(onReason, reason),
  );
  return rule === undefined || rule.action?.toUpperCase() === 'RETRY';
}

/** A pattern is the whole text, or its beginning and an asterisk; an absent one fits everything. */
function matches(pattern: string | undefined, text: string): boolean {
  if (pattern === undefined) return true;
  return pattern.endsWith('*') ? text.startsWith(pattern.slice(0, -1)) : text === pattern;
}

/** ListJobs' filter by name, which knows no upper and lower case. */
export function matchesName(pattern: string, name: string): boolean {
  return matches(pattern.toLowerCase(), name.toLowerCase());
}
