import { randomBytes } from 'node:crypto';
import { mkdir, readFile, realpath, writeFile } from 'node:fs/promises';
import { isIPv6 } from 'node:net';
import { availableParallelism, hostname, tmpdir } from 'node:os';
import path from 'node:path';
import { InvalidInputError, isCounterweightError, StorageError } from '../../core/errors.ts';
import { type LocalQueue, makeLocalQueue } from '../../core/queue/local-queue.ts';
import { makeDirectoryStore } from '../../core/storage/directory-store.ts';
import type { ObjectStore } from '../../core/storage/object-store.ts';
import type { AuditDeps } from '../lib/audit-deps.ts';
import { type AuditTable, makeAuditTable } from '../lib/audit-table.ts';
import { makeStartBackend } from '../lib/backend.ts';
import { codeOf } from '../lib/problem.ts';
import { makeTelemetry } from '../lib/telemetry.ts';
import { makeOnSchedule } from '../on-schedule.ts';
import { makeOnUpload } from '../on-upload.ts';
import { type Access, makeAccess } from './access.ts';
import { makeGate } from './gate.ts';
import { makeJobKeeper, noteJobs } from './job-keeper.ts';
import { makeListener } from './listener.ts';
import { listJobIds } from './listings.ts';
import { isLoopback, makeIsProxy } from './peers.ts';
import { openPort, type Port } from './port.ts';
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
  /** Variables that each worker sees besides those that the server sets. */
  readonly workerEnvironment?: Readonly<Record<string, string>>;
  /** Asked of every caller; null only where nobody but this machine can call. */
  readonly token: string | null;
  /** Where clients find the server when that is not `host`, for links: an origin, without a path. */
  readonly publicUrl?: string;
  /** Addresses and networks of proxies that are not on this machine; what they add to `X-Forwarded-For` is believed. */
  readonly proxies?: readonly string[];
  /** Takes the log, line by line. */
  readonly write: (line: string) => void;
  readonly times?: Partial<ServerTimes>;
}

/** In milliseconds. */
interface ServerTimes extends Required<Pick<WatchOptions, 'settleMs' | 'rescanMs'>> {
  readonly scheduleMs: number;
  readonly queueMs: number;
  /** Between SIGTERM and SIGKILL of a worker when the server stops. */
  readonly graceMs: number;
  /** For a request to come in full, and between two pieces of an upload. */
  readonly arrivalMs: number;
  readonly pauseMs: number;
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
  arrivalMs: 30_000,
  pauseMs: 30_000,
};
/**
 * Bounds what this very process does at once, so that it goes on answering: an audit of such a table, some 100,000
 * rows, keeps it busy for at most a quarter of a second at a stretch. More audits wait, and beyond that are told to
 * come again; larger tables become jobs.
 */
const LARGEST_AUDIT_BYTES = 2 ** 20;
const AUDITS_AT_ONCE = 2;
const AUDITS_WAITING = 200;
const LEAST_TOKEN_CHARACTERS = 16;

/**
 * The service on one machine: the handlers of AWS over a folder and a queue of child processes.
 *
 * @throws InvalidInputError when others could reach it without a token, or host or root cannot be used
 * @throws ConflictError when another server uses the root
 * @throws StorageError when another program has the port, or the root cannot be written
 */
export async function startServer(options: ServerOptions): Promise<LocalServer> {
  assertGuarded(options);
  const root = await openRoot(options.root);
  const own = path.join(root, '.counterweight');
  const lock = await takeRootLock(path.join(own, 'server')).catch(rootError);
  try {
    return await serve({ ...options, root, lock, signingKey: await loadSigningKey(own) });
  } catch (error) {
    await lock.release();
    return rootError(error);
  }
}

function assertGuarded({ token, host, publicUrl }: ServerOptions): void {
  const publicHost = publicUrl === undefined ? host : new URL(publicUrl).hostname.replace(/^\[|\]$/g, '');
  if (token === null && !(isLoopback(host) && isLoopback(publicHost))) {
    const where = isLoopback(host) ? 'public-url' : 'host';
    throw new InvalidInputError(
      `${where}: expected a loopback address where no token is asked for, received another one; give --token-file`,
      { where },
    );
  }
  if (token === null || (token.length >= LEAST_TOKEN_CHARACTERS && /^[\x21-\x7e]+$/.test(token))) return;
  throw new InvalidInputError(
    `token: expected at least ${LEAST_TOKEN_CHARACTERS} visible ASCII characters, received something else`,
    { where: 'token' },
  );
}

async function openRoot(folder: string): Promise<string> {
  try {
    await mkdir(folder, { recursive: true });
    return await realpath(folder);
  } catch (error) {
    return rootError(error);
  }
}

/** Of the file system; all others pass as they are. */
function rootError(cause: unknown): never {
  if (isCounterweightError(cause) || !(cause instanceof Error && 'syscall' in cause)) throw cause;
  const reason = (cause as NodeJS.ErrnoException).code ?? 'unknown reason';
  const message = `root: expected a folder that this user may write to, received another place (${reason})`;
  const isBusy = ['EMFILE', 'ENFILE', 'ENOSPC', 'EIO'].includes(reason);
  const Kind = isBusy ? StorageError : InvalidInputError;
  throw new Kind(message, { where: 'root' }, { cause });
}

/** Outlives a restart, so that links and sessions do. No key of the store leads to it. */
async function loadSigningKey(folder: string): Promise<string> {
  const file = path.join(folder, 'signing-key');
  await writeFile(file, randomBytes(32).toString('hex'), { flag: 'wx', mode: 0o600 }).catch(() => undefined);
  return readFile(file, 'utf8').catch(rootError);
}

interface Place extends ServerOptions {
  readonly lock: RootLock;
  readonly signingKey: string;
}

/** The port comes first: where it is taken, no job may have started. */
async function serve(place: Place): Promise<LocalServer> {
  const port = await openPort({ ...place, isProxy: makeIsProxy(place.proxies) });
  const queue = openQueue(place);
  try {
    return await serveOn(port, queue, place);
  } catch (error) {
    await Promise.all([port.close(), queue.close()]);
    throw error;
  }
}

async function serveOn(port: Port, localQueue: LocalQueue, place: Place): Promise<LocalServer> {
  const { root, signingKey, token, publicUrl, lock } = place;
  const now = () => new Date();
  const open = new Set<string>();
  let isClosing = false;
  const queue = noteJobs(localQueue, open);
  const url = publicUrl ?? reachable(port.url, place);
  const store = makeDirectoryStore(root, { baseUrl: url, signingKey, now });
  const deps: AuditDeps = {
    store,
    queues: { cpu: queue, gpu: queue },
    // Metrics are for CloudWatch; here each verdict is a line of the log.
    telemetry: { ...makeTelemetry({ write: place.write, now }), metric() {} },
    now,
    randomId: () => randomBytes(16).toString('hex'),
    auditTable: boundedAudits(store),
    isClosing: () => isClosing,
  };
  const work = await startWork(deps, open, place);
  const access = openAccess(place, now);
  const times = { ...TIMES, ...place.times };
  port.answerWith(makeListener({ ...deps, ...times, access, signingKey, root, hasToken: token !== null }));
  return {
    url,
    async close() {
      isClosing = true;
      // At once: jobs save what they have while the rest comes to its end.
      await Promise.all([port.close(), work.close(), localQueue.close()]);
      await work.settle();
      await lock.release();
    },
  };
}

function openAccess({ token, signingKey, publicUrl, proxies, ...place }: Place, now: () => Date): Access {
  return makeAccess({
    token,
    secret: signingKey,
    hostnames: hostnamesOf(place),
    publicUrl,
    // Where nobody said that there is a proxy, no header speaks for a client.
    isProxy: publicUrl === undefined && proxies === undefined ? () => false : makeIsProxy(proxies),
    now,
  });
}

function openQueue({ root, command, concurrency, workerEnvironment, times }: Place): LocalQueue {
  // Jobs side by side share the cores instead of fighting for them.
  const threads = Math.max(1, Math.floor(availableParallelism() / concurrency));
  return makeLocalQueue({
    command,
    environment: { THREADS: `${threads}`, ...workerEnvironment, STORE_ROOT: root, TMPDIR: tmpdir() },
    concurrency,
    folder: path.join(root, '.counterweight', 'queue'),
    graceMs: times?.graceMs ?? TIMES.graceMs,
  });
}

function boundedAudits(store: ObjectStore): AuditTable {
  const auditTable = makeAuditTable({ store, startBackend: makeStartBackend() });
  const gate = makeGate(AUDITS_AT_ONCE, AUDITS_WAITING);
  return async (request) => {
    const info = await store.info(request.predictions);
    if (info !== null && info.bytes > LARGEST_AUDIT_BYTES) return null;
    return gate(() => auditTable(request));
  };
}

/** What goes on without requests: news of the queue, uploads, schedules. */
async function startWork(deps: AuditDeps, open: Set<string>, { root, times }: Place) {
  const { settleMs, rescanMs, scheduleMs, queueMs } = { ...TIMES, ...times };
  const { telemetry } = deps;
  const keeper = makeJobKeeper(deps, open, (jobId, error) =>
    telemetry.log('warn', 'job not looked at', { jobId, code: codeOf(error) }),
  );
  await keeper.recover(await listJobIds(root));
  const onUpload = makeOnUpload(deps);
  const onSchedule = makeOnSchedule(deps);
  const parts = [
    await watchUploads({ root, settleMs, rescanMs, onUpload: (key) => onUpload(createdEvent(key)) }),
    repeat(keeper.tick, queueMs),
    repeat(() => onSchedule({}), scheduleMs),
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

function hostnamesOf({ host }: Pick<Place, 'host'>): string[] {
  return ['localhost', '127.0.0.1', '[::1]', isIPv6(host) ? `[${host}]` : host];
}

/** A server that listens on every address is found by the machine's name. */
function reachable(url: string, { host }: Place): string {
  if (host !== '0.0.0.0' && host !== '::') return url;
  return `http://${hostname()}:${new URL(url).port}`;
}
