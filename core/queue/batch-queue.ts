import {
  BatchClient,
  type BatchClientConfig,
  DescribeJobsCommand,
  type JobDetail,
  type JobStatus,
  type JobSummary,
  paginateListJobs,
  type RetryStrategy,
  SubmitJobCommand,
  type SubmitJobCommandInput,
  TerminateJobCommand,
} from '@aws-sdk/client-batch';
import { attempt } from './batch-error.ts';
import type { JobQueue, QueuedWork, QueueState, QueueStatus } from './job-queue.ts';

export interface BatchClientOptions {
  readonly region: string;
  /** Of a server other than AWS. */
  readonly endpoint?: string;
  /** Absent: where the SDK looks for them (role of the function, profile). */
  readonly credentials?: NonNullable<BatchClientConfig['credentials']>;
  /** >= 1; default 5 */
  readonly maxAttempts?: number;
}

export interface BatchQueueOptions {
  readonly queueArn: string;
  /** ARN or `name:revision`; its container runs worker/main. */
  readonly jobDefinition: string;
}

type NamedWork = Pick<QueuedWork, 'jobId' | 'task'>;

/** What Batch takes in one DescribeJobs. */
const PAGE = 100;
/** Batch refuses shorter time limits, and more attempts. */
const LEAST_TIMEOUT_SECONDS = 60;
const MOST_ATTEMPTS = 10;
/** Batch refuses an array of one. */
const LEAST_ARRAY = 2;
const MOST_NAME = 128;
const DEFAULT_TRIES = 5;
/**
 * The SDK's default is to wait for ever. Batch answers within a second or two; a submission that nobody answers, with
 * the five tries of looking for what became of it, ends within the 29 s of a function behind the API.
 */
const TIMEOUTS = { connectionTimeout: 2_000, socketTimeout: 4_000 } as const;

/** As in infra/batch.yml: what matches none of the conditions would be retried, hence the last one. */
const EVALUATE_ON_EXIT: NonNullable<RetryStrategy['evaluateOnExit']> = [
  { action: 'RETRY', onExitCode: '75' },
  { action: 'RETRY', onStatusReason: 'Host EC2*' },
  { action: 'EXIT', onReason: '*' },
];

const STATUS = {
  SUBMITTED: 'queued',
  PENDING: 'queued',
  RUNNABLE: 'queued',
  STARTING: 'queued',
  RUNNING: 'running',
  SUCCEEDED: 'succeeded',
  FAILED: 'failed',
} as const satisfies Record<JobStatus, QueueStatus>;

export function makeBatchClient({
  maxAttempts = DEFAULT_TRIES,
  ...options
}: BatchClientOptions): BatchClient {
  return new BatchClient({ ...options, maxAttempts, requestHandler: TIMEOUTS });
}

/**
 * AWS Batch as a queue. Its ids are Batch's job ids; Batch forgets work a day or more after its end. Retries of a
 * call that failed are the client's.
 *
 * Every method throws StorageError when Batch refuses the call or cannot be reached.
 */
export function makeBatchQueue(client: BatchClient, options: BatchQueueOptions): JobQueue {
  return {
    submit: (work) =>
      attempt('submitting', async () => {
        const command = new SubmitJobCommand(inputOf(work, options));
        lookBeforeRetry(command, () => find(client, work, options));
        const { jobId } = await client.send(command);
        return jobId!;
      }),
    find: (work) => find(client, work, options),
    describe: (queueIds) =>
      attempt('describing', async () => {
        const details = await detailsOf(client, queueIds);
        return Promise.all(
          queueIds.map((queueId) => {
            const detail = details.get(queueId);
            return detail === undefined ? null : stateWithShards(client, detail);
          }),
        );
      }),
    terminate: (queueId, reason) =>
      attempt('terminating', async () => {
        await client.send(new TerminateJobCommand({ jobId: queueId, reason }));
      }),
  };
}

function inputOf(work: QueuedWork, { queueArn, jobDefinition }: BatchQueueOptions): SubmitJobCommandInput {
  const { jobId, task, shards = 1, after = [], attempts, timeoutSeconds } = work;
  const environment = { JOB_ID: jobId, TASK: task, ATTEMPTS: String(Math.min(attempts, MOST_ATTEMPTS)) };
  return {
    jobName: nameOf(work),
    jobQueue: queueArn,
    jobDefinition,
    containerOverrides: {
      environment: Object.entries(environment).map(([name, value]) => ({ name, value })),
    },
    ...(shards >= LEAST_ARRAY && { arrayProperties: { size: shards } }),
    ...(after.length > 0 && { dependsOn: after.map((id) => ({ jobId: id })) }),
    retryStrategy: { attempts: Math.min(attempts, MOST_ATTEMPTS), evaluateOnExit: EVALUATE_ON_EXIT },
    timeout: { attemptDurationSeconds: Math.max(LEAST_TIMEOUT_SECONDS, Math.ceil(timeoutSeconds)) },
    propagateTags: true,
  };
}

/**
 * Batch takes no token by which it would know a submission again. So where its answer was lost, the client looks for
 * the job before it submits once more. A look has tries of its own: after one that failed, the client's remaining
 * tries end at once.
 */
function lookBeforeRetry({ middlewareStack }: SubmitJobCommand, look: () => Promise<string | null>): void {
  let tries = 0;
  let failure: { readonly error: unknown } | null = null;
  middlewareStack.add(
    (next) => async (args) => {
      tries += 1;
      if (failure !== null) throw failure.error;
      if (tries === 1) return next(args);
      const jobId = await look().catch((error: unknown) => {
        failure = { error };
        throw error;
      });
      if (jobId === null) return next(args);
      return { response: null, output: { jobId, jobName: args.input.jobName, $metadata: {} } };
    },
    { step: 'finalizeRequest', priority: 'low', name: 'lookBeforeRetry' }, // within the client's retries
  );
}

function find(client: BatchClient, work: NamedWork, { queueArn }: BatchQueueOptions): Promise<string | null> {
  return attempt('finding', async () => {
    const jobName = nameOf(work);
    const filters = [{ name: 'JOB_NAME', values: [jobName] }];
    const found: JobSummary[] = [];
    for await (const page of paginateListJobs({ client }, { jobQueue: queueArn, filters })) {
      found.push(...(page.jobSummaryList ?? []));
    }
    // The newest come first. The filter is case-insensitive, names are not; processes of an array bear its name.
    const eldest = found.reverse().filter((job) => job.jobName === jobName && !job.jobId!.includes(':'));
    const best = eldest.find(({ status }) => status !== 'FAILED') ?? eldest[0];
    return best?.jobId ?? null;
  });
}

function nameOf({ jobId, task }: NamedWork): string {
  return `counterweight-${task}-${jobId}`.replace(/[^A-Za-z0-9_-]/g, '-').slice(0, MOST_NAME);
}

async function detailsOf(client: BatchClient, queueIds: readonly string[]): Promise<Map<string, JobDetail>> {
  const unique = [...new Set(queueIds)];
  const details = new Map<string, JobDetail>();
  for (let start = 0; start < unique.length; start += PAGE) {
    const { jobs = [] } = await client.send(
      new DescribeJobsCommand({ jobs: unique.slice(start, start + PAGE) }),
    );
    for (const job of jobs) details.set(job.jobId!, job);
  }
  return details;
}

/** Of an array that failed, Batch says only that a process did: the first that failed says why. */
async function stateWithShards(client: BatchClient, detail: JobDetail): Promise<QueueState> {
  const state = stateOf(detail);
  const size = detail.arrayProperties?.size ?? 0;
  if (state.status !== 'failed' || size < LEAST_ARRAY) return state;
  const ids = Array.from({ length: size }, (_, index) => `${detail.jobId}:${index}`);
  const details = await detailsOf(client, ids);
  const failed = ids.map((id) => details.get(id)).find((shard) => shard?.status === 'FAILED');
  if (failed === undefined) return state;
  const { reason = state.reason, ...rest } = stateOf(failed);
  return { ...rest, queueId: state.queueId, ...(reason !== undefined && { reason }) };
}

function stateOf(detail: JobDetail): QueueState {
  const { jobId, statusReason, attempts = [], container } = detail;
  const last = attempts.at(-1)?.container ?? container;
  const state = { queueId: jobId!, status: statusOf(detail), attempts: attempts.length };
  if (state.status !== 'failed') return state;
  const { exitCode } = last ?? {};
  const reason = sentence([
    statusReason,
    last?.reason === statusReason ? undefined : last?.reason,
    exitCode === undefined ? undefined : `exit code ${exitCode}`,
    attempts.length > 1 ? `after ${attempts.length} attempts` : undefined,
  ]);
  return { ...state, ...(reason !== '' && { reason }), ...(exitCode !== undefined && { exitCode }) };
}

/** An array is PENDING for Batch until its last process has ended. */
function statusOf({ status, arrayProperties }: JobDetail): QueueStatus {
  const hasRunning = (arrayProperties?.statusSummary?.RUNNING ?? 0) > 0;
  return STATUS[status!] === 'queued' && hasRunning ? 'running' : STATUS[status!];
}

function sentence(parts: readonly (string | undefined)[]): string {
  return parts.flatMap((part) => (part ? [withoutAccount(part.replace(/\.$/, ''))] : [])).join(', ');
}

/** ARNs and account numbers are no business of who reads a reason. */
function withoutAccount(text: string): string {
  return text.replace(/arn:[^\s,)]+|\b\d{12}\b/g, '…');
}
