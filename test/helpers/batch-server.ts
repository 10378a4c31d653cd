import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import type { KeyValuesPair, SubmitJobRequest } from '@aws-sdk/client-batch';
import {
  type BatchJob,
  type BatchMachine,
  cancel,
  close,
  detailOf,
  loseHost,
  reclaimHost,
  submit,
  terminate,
} from './batch-machine.ts';
import { type BatchDetail, matchesName, Refusal } from './batch-rules.ts';

/** Any pair will do: the stand-in checks none. */
export const BATCH_CREDENTIALS = { accessKeyId: 'AKIATESTKEY', secretAccessKey: 'test-secret' } as const;

export interface BatchServerOptions {
  /** Program and arguments of the container. */
  readonly command: readonly [program: string, ...args: string[]];
  /** Environment of the job definition and the machine; default: PATH alone. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Called with the `detail` of each "Batch Job State Change". */
  readonly onEvent?: (detail: BatchDetail) => void;
  /** Called with what containers print, e.g. `(jobId, text) => process.stderr.write(text)` to see why a test fails. */
  readonly onOutput?: (jobId: string, text: string) => void;
  /** Containers at a time; default 2. */
  readonly capacity?: number;
  /** Length of Batch's second in time limits; default 1000. */
  readonly secondMs?: number;
  /** Between SIGTERM and SIGKILL; default 30 of those seconds. */
  readonly graceMs?: number;
}

export interface BatchServer {
  readonly endpoint: string;
  /** Bodies of the SubmitJob calls that were accepted, in order. */
  readonly submissions: readonly SubmitJobRequest[];
  /** Names of the operations called, in order. */
  readonly calls: readonly string[];
  detail(jobId: string): BatchDetail | undefined;
  /** The end of what the containers of a job have printed, in all attempts; of one process of an array by `id:index`. */
  log(jobId: string): string;
  /** Takes the machine of a running job away: its processes are killed, and Batch says why. */
  loseHost(jobId: string): void;
  /** The same with the notice that Spot gives: SIGTERM, and 120 of Batch's seconds later the loss. */
  reclaimHost(jobId: string): void;
  /** Batch forgets jobs some days after their end. */
  forget(jobId: string): void;
  /** Answers the next call, or the next one of an operation such as `listjobs`, with an error in place of a result. */
  failNext(status: number, type: string, operation?: string): void;
  /** Does what the next call asks for, and hangs up without an answer. */
  loseNextAnswer(): void;
  close(): Promise<void>;
}

/** AWS Batch on the loopback: the SDK's wire format in front, child processes for containers behind. */
export async function startBatchServer(options: BatchServerOptions): Promise<BatchServer> {
  const { secondMs = 1000 } = options;
  const machine: BatchMachine = {
    options: {
      environment: { PATH: process.env.PATH ?? '' },
      capacity: 2,
      secondMs,
      graceMs: 30 * secondMs,
      onEvent: () => {},
      onOutput: () => {},
      ...options,
    },
    jobs: new Map(),
    running: new Set(),
    isClosed: false,
  };
  const front: Front = { machine, submissions: [], calls: [], failures: [], lostAnswers: 0 };
  const server = createServer((request, response) => void answer(front, request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const jobOf = (jobId: string) => machine.jobs.get(jobId);
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    submissions: front.submissions,
    calls: front.calls,
    detail: (jobId) => detailIn(machine, jobId),
    log: (jobId) => jobOf(jobId)?.log ?? '',
    loseHost: (jobId) => loseHost(machine, jobId),
    reclaimHost: (jobId) => reclaimHost(machine, jobId),
    forget: (jobId) => {
      for (const { detail } of [jobOf(jobId), ...(jobOf(jobId)?.children ?? [])].flatMap(
        (job) => job ?? [],
      )) {
        machine.jobs.delete(detail.jobId);
      }
    },
    failNext: (status, type, operation) => {
      const message = 'User: arn:aws:iam::123456789012:role/x is not authorized';
      front.failures.push({ refusal: new Refusal(type, message, status), operation });
    },
    loseNextAnswer: () => {
      front.lostAnswers += 1;
    },
    close: async () => {
      server.closeAllConnections();
      await Promise.all([close(machine), new Promise((resolve) => server.close(resolve))]);
    },
  };
}

interface Front {
  readonly machine: BatchMachine;
  readonly submissions: SubmitJobRequest[];
  readonly calls: string[];
  readonly failures: { readonly refusal: Refusal; readonly operation: string | undefined }[];
  lostAnswers: number;
}

async function answer(front: Front, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const operation = /^\/v1\/(\w+)$/.exec(request.url ?? '')?.[1] ?? '';
  front.calls.push(operation);
  const headers = { 'content-type': 'application/json' };
  try {
    const body = (await json(request)) as never;
    failIfAsked(front, operation);
    const call = Object.hasOwn(OPERATIONS, operation) ? OPERATIONS[operation] : undefined;
    if (request.method !== 'POST' || !call)
      throw new Refusal('UnknownOperationException', 'no such operation', 404);
    const result = JSON.stringify(call(front, body) ?? {});
    if (front.lostAnswers > 0) {
      front.lostAnswers -= 1;
      request.socket.destroy();
    } else response.writeHead(200, headers).end(result);
  } catch (error) {
    const { type = 'ServerException', message, status = 500 } = error as Refusal;
    response.writeHead(status, { ...headers, 'x-amzn-errortype': type }).end(JSON.stringify({ message }));
  }
}

function failIfAsked({ failures }: Front, called: string): void {
  const index = failures.findIndex(({ operation = called }) => operation === called);
  if (index >= 0) throw failures.splice(index, 1)[0]!.refusal;
}

const MOST_DESCRIBED = 100;

const OPERATIONS: Readonly<Record<string, (front: Front, body: never) => unknown>> = {
  submitjob({ machine, submissions }, request: SubmitJobRequest) {
    const { jobId, jobName, jobArn } = submit(machine, request).detail;
    submissions.push(request);
    return { jobId, jobName, jobArn };
  },
  describejobs({ machine }, { jobs = [] }: { jobs?: string[] }) {
    if (jobs.length > MOST_DESCRIBED) throw new Refusal('ClientException', 'expected at most 100 jobs');
    return { jobs: jobs.flatMap((id) => detailIn(machine, id) ?? []) };
  },
  terminatejob: ({ machine }, body: EndInput) => end(machine, body, terminate),
  canceljob: ({ machine }, body: EndInput) => end(machine, body, cancel),
  listjobs: ({ machine }, body: ListInput) => listJobs(machine, body),
};

function detailIn({ jobs }: BatchMachine, jobId: string): BatchDetail | undefined {
  const job = jobs.get(jobId);
  return job && detailOf(job);
}

interface EndInput {
  readonly jobId?: string;
  readonly reason?: string;
}

function end(machine: BatchMachine, { jobId, reason }: EndInput, by: typeof terminate): void {
  if (!jobId || !reason) throw new Refusal('ClientException', 'jobId and reason are required');
  const job = machine.jobs.get(jobId);
  if (job) by(machine, job, reason);
}

interface ListInput {
  readonly jobQueue?: string;
  readonly arrayJobId?: string;
  readonly jobStatus?: string;
  readonly filters?: readonly KeyValuesPair[];
  readonly maxResults?: number;
  readonly nextToken?: string;
}

/** Newest first. Of an array its parent is listed with a queue, its processes by the parent's id. */
function listJobs({ jobs }: BatchMachine, input: ListInput): object {
  const { jobQueue, arrayJobId, filters = [], maxResults = MOST_DESCRIBED, nextToken = '0' } = input;
  if ((jobQueue === undefined) === (arrayJobId === undefined))
    throw new Refusal('ClientException', 'expected either jobQueue or arrayJobId');
  if (filters.length > 1) throw new Refusal('ClientException', 'Only one filter can be used at a time');
  const of = [...jobs.values()].toReversed().filter(({ detail }) => {
    const [parent, index] = detail.jobId.split(':');
    return arrayJobId === undefined
      ? index === undefined && detail.jobQueue === jobQueue
      : index !== undefined && parent === arrayJobId;
  });
  const found = of.filter((job) => isListed(job, input));
  const start = Number(nextToken);
  const next = start + maxResults;
  return {
    jobSummaryList: found.slice(start, next).map(summaryOf),
    ...(next < found.length && { nextToken: String(next) }),
  };
}

/** With a filter the status does not count. */
function isListed({ detail }: BatchJob, { filters = [], jobStatus = 'RUNNING' }: ListInput): boolean {
  const [filter] = filters;
  if (filter === undefined) return detail.status === jobStatus;
  if (filter.name !== 'JOB_NAME') throw new Refusal('ClientException', 'this stand-in filters by JOB_NAME');
  return filter.values!.some((value) => matchesName(value, detail.jobName!));
}

function summaryOf({ detail }: BatchJob): object {
  const { jobId, jobArn, jobName, status, statusReason, createdAt, startedAt, stoppedAt } = detail;
  const { exitCode, reason } = detail.container ?? {};
  const times = { createdAt, startedAt, stoppedAt };
  return { jobId, jobArn, jobName, status, statusReason, ...times, container: { exitCode, reason } };
}
