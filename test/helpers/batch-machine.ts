import { randomUUID } from 'node:crypto';
import type { ArrayPropertiesDetail, SubmitJobRequest } from '@aws-sdk/client-batch';
import { type Container, type ContainerEnd, startContainer } from './batch-container.ts';
import { assertRequest, type BatchDetail, environmentOf, mayRetry, REASON, Refusal } from './batch-rules.ts';

type Writable<T> = { -readonly [K in keyof T]: T[K] };

/** One job, the parent of an array, or one process of it. */
export interface BatchJob {
  readonly request: SubmitJobRequest;
  readonly detail: Writable<BatchDetail>;
  /** Of an array. */
  readonly children: readonly BatchJob[];
  /** Of the attempt that runs. */
  container: Container | null;
  /** Why we end that attempt: its StatusReason, and whether another may follow. */
  stop: { readonly reason: string; readonly isFinal: boolean; readonly isHostGone: boolean } | null;
  /** Given to TerminateJob or CancelJob. */
  ending: string | null;
  /** The end of what all attempts have printed. */
  log: string;
}

interface MachineOptions {
  readonly command: readonly [program: string, ...args: string[]];
  readonly environment: Readonly<Record<string, string>>;
  readonly capacity: number;
  readonly secondMs: number;
  readonly graceMs: number;
  readonly onEvent: (detail: BatchDetail) => void;
  readonly onOutput: (jobId: string, text: string) => void;
}

export interface BatchMachine {
  readonly options: MachineOptions;
  readonly jobs: Map<string, BatchJob>;
  readonly running: Set<Promise<void>>;
  isClosed: boolean;
}

/** Between the notice that a Spot host goes and its end. */
const NOTICE_SECONDS = 120;
const MOST_LOG = 64 * 1024;

function isOver({ detail }: BatchJob): boolean {
  return detail.status === 'SUCCEEDED' || detail.status === 'FAILED';
}

const hasBegun = ({ detail }: BatchJob) => detail.status === 'STARTING' || detail.status === 'RUNNING';

function change({ options, isClosed }: BatchMachine, job: BatchJob, changes: Partial<BatchDetail>): void {
  Object.assign(job.detail, changes);
  if (!isClosed) options.onEvent(structuredClone(detailOf(job)));
}

/** A parent tells how many of its processes are in which status. */
export function detailOf({ detail, children }: BatchJob): BatchDetail {
  if (children.length === 0) return detail;
  const statusSummary: Record<string, number> = {};
  for (const child of children) {
    statusSummary[child.detail.status] = (statusSummary[child.detail.status] ?? 0) + 1;
  }
  return { ...detail, arrayProperties: { ...detail.arrayProperties, statusSummary } };
}

export function submit(machine: BatchMachine, request: SubmitJobRequest): BatchJob {
  assertRequest(request);
  const jobId = randomUUID();
  const size = request.arrayProperties?.size;
  const children = Array.from({ length: size ?? 0 }, (_, index) =>
    addJob(machine, makeJob(request, `${jobId}:${index}`, { index })),
  );
  const job = addJob(machine, makeJob(request, jobId, size === undefined ? undefined : { size }, children));
  change(machine, job, { status: 'SUBMITTED' });
  const isWaiting = size !== undefined || job.detail.dependsOn!.length > 0;
  for (const each of [job, ...children])
    change(machine, each, { status: isWaiting ? 'PENDING' : 'RUNNABLE' });
  scheduleSoon(machine);
  return job;
}

function addJob({ jobs }: BatchMachine, job: BatchJob): BatchJob {
  jobs.set(job.detail.jobId, job);
  return job;
}

function makeJob(
  request: SubmitJobRequest,
  jobId: string,
  arrayProperties?: ArrayPropertiesDetail,
  children: readonly BatchJob[] = [],
): BatchJob {
  const detail: BatchDetail = {
    jobId,
    jobArn: `arn:aws:batch:us-east-1:123456789012:job/${jobId}`,
    jobName: request.jobName!,
    jobQueue: request.jobQueue!,
    jobDefinition: request.jobDefinition!,
    status: 'SUBMITTED',
    createdAt: Date.now(),
    startedAt: undefined,
    attempts: [],
    dependsOn: request.dependsOn ?? [],
    retryStrategy: request.retryStrategy,
    timeout: request.timeout,
    container: { environment: request.containerOverrides?.environment ?? [] },
    ...(arrayProperties && { arrayProperties }),
  };
  return { request, detail, children, container: null, stop: null, ending: null, log: '' };
}

function scheduleSoon(machine: BatchMachine): void {
  setImmediate(() => {
    for (const job of machine.jobs.values()) if (!machine.isClosed && !isOver(job)) consider(machine, job);
  });
}

/** Moves a job on as far as it can go by now. */
function consider(machine: BatchMachine, job: BatchJob): void {
  if (job.children.length > 0) {
    if (job.children.every(isOver)) endArray(machine, job);
    return;
  }
  if (job.detail.status === 'PENDING') leavePending(machine, job);
  const busy = [...machine.jobs.values()].filter(hasBegun).length;
  if (job.detail.status === 'RUNNABLE' && busy < machine.options.capacity) begin(machine, job);
}

/** A job that was cancelled while it waited for others is told so when those have ended. */
function leavePending(machine: BatchMachine, job: BatchJob): void {
  const statuses = (job.request.dependsOn ?? []).map(
    ({ jobId }) => machine.jobs.get(jobId!)?.detail.status ?? 'FAILED',
  );
  const areOver = statuses.every((status) => status === 'SUCCEEDED' || status === 'FAILED');
  if (job.ending !== null) {
    if (areOver) fail(machine, job, job.ending);
  } else if (statuses.includes('FAILED')) fail(machine, job, REASON.dependency);
  else if (areOver) change(machine, job, { status: 'RUNNABLE' });
}

function endArray(machine: BatchMachine, job: BatchJob): void {
  const hasFailed = job.children.some(({ detail }) => detail.status === 'FAILED');
  if (hasFailed) fail(machine, job, job.ending ?? REASON.array);
  else {
    change(machine, job, { status: 'SUCCEEDED', stoppedAt: Date.now() });
    scheduleSoon(machine);
  }
}

function fail(machine: BatchMachine, job: BatchJob, statusReason: string): void {
  change(machine, job, { status: 'FAILED', statusReason, stoppedAt: Date.now() });
  scheduleSoon(machine);
}

function begin(machine: BatchMachine, job: BatchJob): void {
  const { command, environment, secondMs, onOutput } = machine.options;
  change(machine, job, { status: 'STARTING' });
  const container = startContainer({
    command,
    environment: { ...environment, ...environmentOf(job.request, job.detail) },
    onOutput: (text) => {
      job.log = `${job.log}${text}`.slice(-MOST_LOG);
      onOutput(job.detail.jobId, text);
    },
  });
  job.container = container;
  job.stop = null;
  const startedAt = Date.now();
  change(machine, job, { status: 'RUNNING', startedAt });
  const { attemptDurationSeconds } = job.request.timeout ?? {};
  const timer =
    attemptDurationSeconds &&
    setTimeout(() => stopFinally(machine, job, REASON.timeout), attemptDurationSeconds * secondMs);
  const done = container.ended.then((end) => {
    clearTimeout(timer);
    job.container = null;
    settle(machine, job, { ...end, startedAt });
  });
  machine.running.add(done);
  void done.then(() => machine.running.delete(done));
}

/** Exit code 0 is a success unless Batch itself had ended the attempt for good. */
function settle(
  machine: BatchMachine,
  job: BatchJob,
  { startedAt, ...end }: ContainerEnd & { startedAt: number },
): void {
  const { stop } = job;
  const container = stop?.isHostGone ? {} : end;
  const hasSucceeded = container.exitCode === 0 && !stop?.isFinal;
  const natural = end.exitCode === undefined ? REASON.start : REASON.exited;
  const statusReason = hasSucceeded ? REASON.exited : (stop?.reason ?? natural);
  const attempt = { startedAt, stoppedAt: Date.now(), statusReason, container };
  const attempts = [...job.detail.attempts!, attempt];
  const retry = job.request.retryStrategy ?? {};
  if (!hasSucceeded && !stop?.isFinal && mayRetry(retry, attempts.length, { ...container, statusReason })) {
    change(machine, job, { status: 'RUNNABLE', attempts });
  } else {
    change(machine, job, {
      status: hasSucceeded ? 'SUCCEEDED' : 'FAILED',
      attempts,
      statusReason,
      stoppedAt: attempt.stoppedAt,
      container: { ...job.detail.container, ...container },
    });
  }
  scheduleSoon(machine);
}

/** What Batch ends itself, because of its time or of a user, it does not try again. */
function stopFinally({ options }: BatchMachine, job: BatchJob, reason: string): void {
  if (job.container === null || job.stop?.isFinal) return;
  job.stop = { reason, isFinal: true, isHostGone: false };
  job.container.stop(options.graceMs);
}

/** CancelJob: what has begun goes on, also in an array. */
export function cancel(machine: BatchMachine, job: BatchJob, reason: string): void {
  if (isOver(job) || hasBegun(job)) return;
  job.ending ??= reason;
  for (const child of job.children) cancel(machine, child, reason);
  if (job.detail.status === 'RUNNABLE') fail(machine, job, reason);
  scheduleSoon(machine);
}

export function terminate(machine: BatchMachine, job: BatchJob, reason: string): void {
  cancel(machine, job, reason);
  for (const each of [job, ...job.children]) if (hasBegun(each)) stopFinally(machine, each, reason);
}

/** The host is gone from one moment to the next. */
export function loseHost(machine: BatchMachine, jobId: string): void {
  const job = runningJob(machine, jobId);
  if (!job.stop?.isFinal) job.stop = { reason: REASON.host, isFinal: false, isHostGone: true };
  job.container!.kill();
}

/**
 * A Spot host is taken back: the container hears SIGTERM, and two minutes later everything is gone. One that ends
 * in time leaves its exit code.
 */
export function reclaimHost(machine: BatchMachine, jobId: string): void {
  const job = runningJob(machine, jobId);
  const { container } = job;
  job.stop ??= { reason: REASON.host, isFinal: false, isHostGone: false };
  container!.stop();
  const timer = setTimeout(() => loseHost(machine, jobId), NOTICE_SECONDS * machine.options.secondMs);
  void container!.ended.then(() => clearTimeout(timer));
}

function runningJob({ jobs }: BatchMachine, jobId: string): BatchJob {
  const job = jobs.get(jobId);
  if (!job?.container) throw new Refusal('ClientException', `job ${jobId}: expected a running one`);
  return job;
}

export async function close(machine: BatchMachine): Promise<void> {
  machine.isClosed = true;
  for (const { container } of machine.jobs.values()) container?.kill();
  await Promise.all(machine.running);
}
