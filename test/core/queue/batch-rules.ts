import type { JobDetail, KeyValuePair, SubmitJobRequest } from '@aws-sdk/client-batch';

/** What DescribeJobs and the events tell of a job. */
export type BatchDetail = JobDetail & { readonly jobId: string; readonly status: string };

/** What the rules need of a job of the stand-in. */
export interface BatchJob {
  readonly request: SubmitJobRequest;
  readonly detail: BatchDetail;
  readonly attempts: readonly unknown[];
}

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

const JOB_NAME = /^[A-Za-z0-9][A-Za-z0-9_-]{0,127}$/;

/** The limits of SubmitJob as AWS documents them. */
export function assertRequest({
  jobName,
  jobQueue,
  jobDefinition,
  arrayProperties,
  ...rest
}: SubmitJobRequest): void {
  const size = arrayProperties?.size;
  const attempts = rest.retryStrategy?.attempts ?? 1;
  const rules: readonly (readonly [boolean, string])[] = [
    [JOB_NAME.test(jobName ?? ''), 'Job name should match valid pattern'],
    [Boolean(jobQueue && jobDefinition), 'jobQueue and jobDefinition are required'],
    [size === undefined || (size >= 2 && size <= 10_000), 'array size must be between 2 and 10000'],
    [attempts >= 1 && attempts <= 10, 'attempts must be between 1 and 10'],
    [(rest.retryStrategy?.evaluateOnExit?.length ?? 0) <= 5, 'at most 5 conditions'],
    [(rest.timeout?.attemptDurationSeconds ?? 60) >= 60, 'attemptDurationSeconds must be at least 60'],
    [(rest.dependsOn?.length ?? 0) <= 20, 'at most 20 dependencies'],
  ];
  const broken = rules.find(([holds]) => !holds);
  if (broken) throw new Refusal('ClientException', broken[1]);
}

/** What Batch tells a container; overrides win over the job definition. */
export function environmentOf({ request, detail, attempts }: BatchJob): Record<string, string> {
  const overrides: KeyValuePair[] = request.containerOverrides?.environment ?? [];
  const index = detail.arrayProperties?.index;
  return {
    ...Object.fromEntries(overrides.map(({ name, value }) => [name!, value!])),
    AWS_BATCH_JOB_ID: detail.jobId,
    AWS_BATCH_JQ_NAME: detail.jobQueue!,
    AWS_BATCH_JOB_ATTEMPT: String(attempts.length + 1),
    ...(index !== undefined && { AWS_BATCH_JOB_ARRAY_INDEX: String(index) }),
  };
}

/** The first condition that fits decides, and what fits none is tried again. */
export function mayRetry(
  { request: { retryStrategy }, attempts }: BatchJob,
  { exitCode, statusReason }: { readonly exitCode?: number; readonly statusReason: string },
): boolean {
  if (attempts.length >= (retryStrategy?.attempts ?? 1)) return false;
  const fits = (pattern: string | undefined, text: string) =>
    pattern === undefined ||
    (pattern.endsWith('*') ? text.startsWith(pattern.slice(0, -1)) : text === pattern);
  const rule = retryStrategy?.evaluateOnExit?.find(
    ({ onExitCode, onStatusReason, onReason }) =>
      fits(onExitCode, String(exitCode ?? '')) && fits(onStatusReason, statusReason) && fits(onReason, ''),
  );
  return rule === undefined || rule.action?.toUpperCase() === 'RETRY';
}
