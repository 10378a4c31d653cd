import { randomBytes } from 'node:crypto';
import { mkdir, readFile, realpath, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, isIPv6 } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { InvalidInputError, StorageError } from '../../core/errors.ts';
import { type LocalQueue, makeLocalQueue } from '../../core/queue/local-queue.ts';
import { makeDirectoryStore } from '../../core/storage/directory-store.ts';
import type { AuditDeps } from '../lib/audit-deps.ts';
import { makeAuditTable } from '../lib/audit-table.ts';
import { makeStartBackend } from '../lib/backend.ts';
import { codeOf } from '../lib/problem.ts';
import { makeTelemetry } from '../lib/telemetry.ts';
import { makeOnSchedule } from '../on-schedule.ts';
import { makeOnUpload } from '../on-upload.ts';
import { makeAccess } from './access.ts';
import { makeGate } from './gate.ts';
import { makeJobKeeper, noteJobs } from './job-keeper.ts';
import { makeListener } from './listener.ts';
import { repeat } from './repeat.ts';
import { type RootLock, takeRootLock } from './root-lock.ts';
import { type WatchOptions, watchUploads } from './watch.ts';

export interface ServerOptions {
  readonly root: string;
  readonly host: string;
  /** 0 for any that is free. */
  readonly port: number;
  /** Worker processes at a time, >= 1. */
  readonly concurrency: number;
  /** Program and arguments of one worker. */
  readonly command: readonly [program: string, ...args: string[]];
  /** Asked of every caller; null only on a loopback address. */
  readonly token: string | null;
  /** Where clients find the server when that is not `host`, for links. */
  readonly publicUrl?: string;
  /** Takes the log, line by line. */
  readonly write: (line: string) => void;
  readonly times?: Partial<ServerTimes>;
}

/** In milliseconds. */
export interface ServerTimes extends Required<Pick<WatchOptions, 'settleMs' | 'rescanMs'>> {
  readonly scheduleMs: number;
  readonly queueMs: number;
  /** Between SIGTERM and SIGKILL of a worker when the server stops. */
  readonly graceMs: number;
}

export interface LocalServer {
  readonly url: string;
  /** Takes no more requests, saves the workers' steps, and gives the root free. */
  close(): Promise<void>;
}

const TIMES: ServerTimes = {
  settleMs: 1500,
  rescanMs: 15_000,
  scheduleMs: 60_000,
  queueMs: 1000,
  graceMs: 30_000,
};
/** Bounds what this very process does at once; more audits wait, and beyond that are told to come again. */
const AUDITS_AT_ONCE = 4;
const AUDITS_WAITING = 200;
const MAX_CONNECTIONS = 500;
const MAX_HEADER_BYTES = 16 * 1024;
const LEAST_TOKEN_CHARACTERS = 16;
/** For 5 GiB over a slow line. */
const REQUEST_MS = 60 * 60 * 1000;
/** For answers under way when the server stops. */
const LAST_ANSWERS_MS = 5000;

/**
 * The service on one machine: the handlers of AWS over a folder and a queue of child processes.
 *
 * @throws InvalidInputError when others could reach it without a token
 * @throws ConflictError when another server uses the root
 */
export async function startServer(options: ServerOptions): Promise<LocalServer> {
  assertGuarded(options);
  await mkdir(options.root, { recursive: true });
  const root = await realpath(options.root);
  const own = path.join(root, '.counterweight');
  const lock = await takeRootLock(path.join(own, 'server'));
  try {
    return await serve({ ...options, root, lock, signingKey: await loadSigningKey(own) });
  } catch (error) {
    await lock.release();
    throw error;
  }
}

/** Is this the name or number of an address that only this machine reaches? */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(?:\.\d{1,3}){3}$/.test(host);
}

function assertGuarded({ token, host }: ServerOptions): void {
  if (token === null && !isLoopback(host)) {
    throw new InvalidInputError(
      'host: expected a loopback address where no token is asked for, received another one; give --token-file',
      { where: 'host' },
    );
  }
  if (token === null || (token.length >= LEAST_TOKEN_CHARACTERS && /^[\x21-\x7e]+$/.test(token))) return;
  throw new InvalidInputError(
    `token: expected at least ${LEAST_TOKEN_CHARACTERS} visible ASCII characters, received something else`,
    { where: 'token' },
  );
}

/** Outlives a restart, so that links and sessions do. No key of the store leads to it. */
async function loadSigningKey(folder: string): Promise<string> {
  const file = path.join(folder, 'signing-key');
  await writeFile(file, randomBytes(32).toString('hex'), { flag: 'wx', mode: 0o600 }).catch(() => undefined);
  return readFile(file, 'utf8');
}

interface Place extends ServerOptions {
  readonly lock: RootLock;
  readonly signingKey: string;
}

async function serve(place: Place): Promise<LocalServer> {
  const { root, signingKey, token, lock } = place;
  const server = createServer({ maxHeaderSize: MAX_HEADER_BYTES, requestTimeout: REQUEST_MS });
  server.maxConnections = MAX_CONNECTIONS;
  const url = await listen(server, place);
  const now = () => new Date();
  const telemetry = makeTelemetry({ write: place.write, now });
  const localQueue = openQueue(place);
  const open = new Set<string>();
  const queue = noteJobs(localQueue, open);
  const store = makeDirectoryStore(root, { baseUrl: place.publicUrl ?? url, signingKey, now });
  const auditTable = makeAuditTable({ store, startBackend: makeStartBackend() });
  const gate = makeGate(AUDITS_AT_ONCE, AUDITS_WAITING);
  const deps: AuditDeps = {
    store,
    queues: { cpu: queue, gpu: queue },
    telemetry,
    now,
    randomId: () => randomBytes(16).toString('hex'),
    auditTable: (request) => gate(() => auditTable(request)),
  };
  const work = await startWork(deps, open, place);
  const access = makeAccess({ token, secret: signingKey, hostnames: hostnamesOf(place), now });
  server.on('request', makeListener({ ...deps, access, signingKey, root, hasToken: token !== null }));
  return {
    url: place.publicUrl ?? url,
    async close() {
      await Promise.all([stopListening(server), work.close()]);
      await localQueue.close();
      await work.settle();
      await lock.release();
    },
  };
}

function openQueue({ root, command, concurrency, times }: Place): LocalQueue {
  return makeLocalQueue({
    command,
    environment: { STORE_ROOT: root, TMPDIR: tmpdir() },
    concurrency,
    folder: path.join(root, '.counterweight', 'queue'),
    graceMs: times?.graceMs ?? TIMES.graceMs,
  });
}

/** What goes on without requests: news of the queue, uploads, schedules. */
async function startWork(deps: AuditDeps, open: Set<string>, { root, times }: Place) {
  const { settleMs, rescanMs, scheduleMs, queueMs } = { ...TIMES, ...times };
  const { telemetry } = deps;
  const keeper = makeJobKeeper(deps, open, (jobId, error) =>
    telemetry.log('warn', 'job not looked at', { jobId, code: codeOf(error) }),
  );
  await keeper.recover();
  const onUpload = makeOnUpload(deps);
  const onSchedule = makeOnSchedule(deps);
  const parts = [
    repeat(keeper.tick, queueMs),
    repeat(() => onSchedule({}), scheduleMs),
    await watchUploads({ root, settleMs, rescanMs, onUpload: (key) => onUpload(createdEvent(key)) }),
  ];
  return {
    close: () => Promise.all(parts.map((part) => part.close())),
    settle: () => keeper.tick(),
  };
}

/** As EventBridge tells of an object that was created. */
function createdEvent(key: string) {
  return { source: 'aws.s3', 'detail-type': 'Object Created', detail: { object: { key } } };
}

function hostnamesOf({ host, publicUrl }: Place): string[] {
  const names = ['localhost', '127.0.0.1', '[::1]', isIPv6(host) ? `[${host}]` : host];
  return publicUrl === undefined ? names : [...names, new URL(publicUrl).hostname];
}

async function listen(server: Server, { host, port }: Place): Promise<string> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) =>
      reject(
        new StorageError(
          `port: expected one that is free here, received ${port} (${cause.code ?? 'unknown reason'})`,
          { where: 'port' },
          { cause },
        ),
      ),
    );
    server.listen(port, host, resolve);
  });
  const { port: bound } = server.address() as AddressInfo;
  return `http://${isIPv6(host) ? `[${host}]` : host}:${bound}`;
}

async function stopListening(server: Server): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeIdleConnections();
  const timer = setTimeout(() => server.closeAllConnections(), LAST_ANSWERS_MS);
  await closed;
  clearTimeout(timer);
}
