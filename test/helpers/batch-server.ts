import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import type { JobDetail, SubmitJobRequest } from '@aws-sdk/client-batch';
import {
  assertRequest,
  type BatchDetail,
  environmentOf,
  mayRetry,
  Refusal,
} from '../core/queue/batch-rules.ts';

/** Any pair will do: the stand-in checks none. */
export const BATCH_CREDENTIALS = { accessKeyId: 'AKIATESTKEY', secretAccessKey: 'test-secret' } as const;

export interface BatchServerOptions {
  /** Program and arguments of the container. */
  readonly command: readonly [program: string, ...args: string[]];
  /** Environment of the job definition and the machine; default: PATH alone. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Called with the `detail` of each "Batch Job State Change". */
  readonly onEvent?: (detail: BatchDetail) => void;
  /** Containers at a time; default 2. */
  readonly capacity?: number;
  /** Length of Batch's second in time limits; default 1000. */
  readonly secondMs?: number;
  /** Between SIGTERM and SIGKILL; default 30 of those seconds. */
  readonly graceMs?: number;
}

export interface BatchServer {
  readonly endpoint: string;
  /** Bodies of SubmitJob, in order. */
  readonly submissions: readonly SubmitJobRequest[];
  /** Names of the operations called, in order. */
  readonly calls: readonly string[];
  detail(jobId: string): BatchDetail | undefined;
  /** Takes the machine of a running job away: its process is killed, and Batch says why. */
  loseHost(jobId: string): void;
  /** Answers the next calls with an error in place of a result. */
  failNext(status: number, type: string): void;
  close(): Promise<void>;
}

type Writable<T> = { -readonly [K in keyof T]: T[K] };
type Attempt = NonNullable<JobDetail['attempts']>[number];

interface Job {
  readonly request: SubmitJobRequest;
  readonly detail: Writable<BatchDetail>;
  readonly attempts: Attempt[];
  readonly children: Job[];
  child: ChildProcess | null;
  /** Why we end the process: StatusReason of the attempt, and whether another may follow. */
  stop: { readonly reason: string; readonly isFinal: boolean } | null;
}

const ACTIVE = ['SUBMITTED', 'PENDING', 'RUNNABLE', 'STARTING', 'RUNNING'];
const isOver = ({ detail }: Job) => !ACTIVE.includes(detail.status);

/** AWS Batch on the loopback: the SDK's wire format in front, child processes for containers behind. */
export async function startBatchServer(options: BatchServerOptions): Promise<BatchServer> {
  const machine = makeMachine(options);
  const calls: string[] = [];
  const failures: Refusal[] = [];
  const operations: Record<string, (body: never) => unknown> = {
    submitjob: machine.submit,
    describejobs: ({ jobs }: { jobs: string[] }) => {
      if (jobs.length > 100) throw new Refusal('ClientException', 'expected at most 100 jobs');
      return { jobs: jobs.flatMap((id) => machine.describe(id) ?? []) };
    },
    terminatejob: ({ jobId, reason }: { jobId: string; reason: string }) => machine.end(jobId, reason),
    canceljob: ({ jobId, reason }: { jobId: string; reason: string }) => {
      const status = machine.jobs.get(jobId)?.detail.status;
      if (status !== 'STARTING' && status !== 'RUNNING') machine.end(jobId, reason);
    },
    listjobs: ({ arrayJobId, jobQueue, jobStatus = 'RUNNING' }: Record<string, string>) => ({
      jobSummaryList: [...machine.jobs.values()]
        .filter(({ detail }) =>
          arrayJobId
            ? detail.jobId.startsWith(`${arrayJobId}:`)
            : detail.jobQueue === jobQueue && !detail.jobId.includes(':'),
        )
        .filter(({ detail }) => detail.status === jobStatus)
        .map(({ detail: { jobId, jobName, status, statusReason, container } }) => ({
          ...{ jobId, jobName, status, statusReason },
          container: { exitCode: container?.exitCode, reason: container?.reason },
        })),
    }),
  };
  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    const operation = /^\/v1\/(\w+)$/.exec(request.url ?? '')?.[1] ?? '';
    calls.push(operation);
    const headers = { 'content-type': 'application/json' };
    try {
      const body = (await json(request)) as never;
      const failure = failures.shift();
      if (failure) throw failure;
      const call = operations[operation];
      if (request.method !== 'POST' || !call)
        throw new Refusal('UnknownOperationException', 'no such operation', 404);
      response.writeHead(200, headers).end(JSON.stringify(call(body) ?? {}));
    } catch (error) {
      const { type = 'ServerException', message, status = 500 } = error as Refusal;
      response.writeHead(status, { ...headers, 'x-amzn-errortype': type }).end(JSON.stringify({ message }));
    }
  };
  const server = createServer((request, response) => void answer(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    submissions: machine.submissions,
    calls,
    detail: machine.describe,
    loseHost: machine.loseHost,
    failNext: (status, type) =>
      void failures.push(
        new Refusal(type, 'User: arn:aws:iam::123456789012:role/x is not authorized', status),
      ),
    close: async () => {
      server.closeAllConnections();
      await Promise.all([machine.close(), new Promise((resolve) => server.close(resolve))]);
    },
  };
}

function makeMachine(options: BatchServerOptions) {
  const { command, environment = { PATH: process.env.PATH ?? '' }, capacity = 2, secondMs = 1000 } = options;
  const graceMs = options.graceMs ?? 30 * secondMs;
  const jobs = new Map<string, Job>();
  const submissions: SubmitJobRequest[] = [];
  const running = new Set<Promise<void>>();
  let isClosed = false;
  let busy = 0;

  const change = (job: Job, change: Partial<BatchDetail>) => {
    Object.assign(job.detail, change, { attempts: [...job.attempts] });
    if (!isClosed) options.onEvent?.(structuredClone(job.detail));
  };

  function submit(request: SubmitJobRequest) {
    assertRequest(request);
    submissions.push(request);
    const jobId = randomUUID();
    const size = request.arrayProperties?.size;
    const children = Array.from({ length: size ?? 0 }, (_, index) =>
      addJob(request, `${jobId}:${index}`, { index }),
    );
    const job = addJob(request, jobId, size === undefined ? undefined : { size }, children);
    change(job, { status: 'SUBMITTED' });
    change(job, { status: request.dependsOn || size ? 'PENDING' : 'RUNNABLE' });
    setImmediate(schedule);
    return { jobId, jobName: request.jobName, jobArn: `arn:aws:batch:us-east-1:123456789012:job/${jobId}` };
  }

  function addJob(
    request: SubmitJobRequest,
    jobId: string,
    arrayProperties: { size?: number; index?: number } | undefined,
    children: Job[] = [],
  ): Job {
    const detail: BatchDetail = {
      jobId,
      jobName: request.jobName!,
      jobQueue: request.jobQueue!,
      jobDefinition: request.jobDefinition!,
      jobArn: `arn:aws:batch:us-east-1:123456789012:job/${jobId}`,
      status: 'PENDING',
      startedAt: undefined,
      createdAt: Date.now(),
      attempts: [],
      dependsOn: request.dependsOn,
      retryStrategy: request.retryStrategy,
      timeout: request.timeout,
      ...(arrayProperties && { arrayProperties }),
      container: { environment: request.containerOverrides?.environment ?? [] },
    };
    const job: Job = { request, detail, attempts: [], children, child: null, stop: null };
    jobs.set(jobId, job);
    return job;
  }

  /** Fails what depends on what failed, ends arrays whose processes have ended, and starts what there is room for. */
  function schedule(): void {
    for (const job of jobs.values()) if (!isClosed && !isOver(job)) consider(job);
  }

  function consider(job: Job): void {
    if (job.children.length > 0) {
      if (job.children.every(isOver)) endArray(job);
      return;
    }
    const before = (job.request.dependsOn ?? []).map(
      ({ jobId }) => jobs.get(jobId!)?.detail.status ?? 'FAILED',
    );
    if (before.includes('FAILED')) fail(job, 'Dependent Job failed');
    else if (before.every((status) => status === 'SUCCEEDED') && job.child === null && busy < capacity)
      begin(job);
  }

  function endArray(job: Job): void {
    const hasFailed = job.children.some(({ detail }) => detail.status === 'FAILED');
    const reason = job.stop?.reason ?? 'Array Child Job failed';
    change(job, hasFailed ? { status: 'FAILED', statusReason: reason } : { status: 'SUCCEEDED' });
    setImmediate(schedule);
  }

  function fail(job: Job, statusReason: string): void {
    change(job, { status: 'FAILED', statusReason, stoppedAt: Date.now() });
    setImmediate(schedule);
  }

  function begin(job: Job): void {
    busy += 1;
    change(job, { status: 'STARTING' });
    const [program, ...args] = command;
    const env = { ...environment, ...environmentOf(job) };
    const child = spawn(program, args, { env, stdio: 'ignore', detached: true });
    job.child = child;
    job.stop = null;
    const startedAt = Date.now();
    change(job, { status: 'RUNNING', startedAt });
    const limit = (job.request.timeout?.attemptDurationSeconds ?? 1e6) * secondMs;
    const timer = setTimeout(() => stop(job, 'Job attempt duration exceeded timeout'), limit);
    const done = new Promise<void>((resolve) => {
      child.once('exit', (code, signal) => {
        clearTimeout(timer);
        busy -= 1;
        job.child = null;
        settle(job, { code: code ?? 128 + (signal === 'SIGKILL' ? 9 : 15), startedAt });
        resolve();
      });
    });
    running.add(done);
    void done.then(() => running.delete(done));
  }

  function settle(job: Job, { code, startedAt }: { code: number; startedAt: number }): void {
    const { stop: stopped } = job;
    const container = stopped?.isFinal === false ? {} : { exitCode: code };
    const statusReason = stopped?.reason ?? 'Essential container in task exited';
    job.attempts.push({ startedAt, stoppedAt: Date.now(), statusReason, container });
    const hasSucceeded = code === 0 && stopped === null;
    if (!hasSucceeded && !stopped?.isFinal && mayRetry(job, { ...container, statusReason })) {
      change(job, { status: 'RUNNABLE' });
    } else {
      const status = hasSucceeded ? 'SUCCEEDED' : 'FAILED';
      const told = { ...job.detail.container, ...container };
      change(job, { status, statusReason, container: told, stoppedAt: Date.now() });
    }
    setImmediate(schedule);
  }

  function stop(job: Job, reason: string): void {
    const { child } = job;
    if (child === null || job.stop !== null) return;
    job.stop = { reason, isFinal: true };
    child.kill('SIGTERM');
    const timer = setTimeout(() => child.kill('SIGKILL'), graceMs);
    child.once('exit', () => clearTimeout(timer));
  }

  function end(jobId: string, reason: string): void {
    const job = jobs.get(jobId);
    if (!job || isOver(job)) return;
    job.stop = job.child === null ? { reason, isFinal: true } : job.stop;
    for (const child of job.children) end(child.detail.jobId, reason);
    if (job.child !== null) stop(job, reason);
    else if (job.children.length === 0) fail(job, reason);
    setImmediate(schedule);
  }

  /** A parent tells how many of its processes are in which status. */
  function describe(jobId: string): BatchDetail | undefined {
    const job = jobs.get(jobId);
    if (!job || job.children.length === 0) return job?.detail;
    const statusSummary: Record<string, number> = {};
    for (const { detail } of job.children)
      statusSummary[detail.status] = (statusSummary[detail.status] ?? 0) + 1;
    return { ...job.detail, arrayProperties: { ...job.detail.arrayProperties, statusSummary } };
  }

  return {
    jobs,
    submissions,
    describe,
    submit,
    end,
    loseHost(jobId: string) {
      const job = jobs.get(jobId);
      if (!job?.child) throw new Error(`job ${jobId}: expected a running one`);
      job.stop = { reason: 'Host EC2 (instance i-0123456789abcdef0) terminated.', isFinal: false };
      job.child.kill('SIGKILL');
    },
    async close() {
      isClosed = true;
      for (const { child } of jobs.values()) child?.kill('SIGKILL');
      await Promise.all(running);
    },
  };
}
