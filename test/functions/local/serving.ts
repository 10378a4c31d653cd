import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, vi } from 'vitest';
import { type LocalServer, type ServerOptions, startServer } from '../../../functions/local/server.ts';
import { buildPrograms } from '../../helpers/programs.ts';

/** Tells progress and then waits for its end, for tests of what is under way. */
export const SLOW_WORKER = [
  process.execPath,
  '--input-type=module',
  '--eval',
  `import { writeFileSync } from 'node:fs';
   const file = process.env.STORE_ROOT + '/jobs/' + process.env.JOB_ID + '/status.json';
   const progress = { stage: 'stage 1', done: 3, total: 10 };
   const attempt = Number(process.env.AWS_BATCH_JOB_ATTEMPT);
   writeFileSync(file, JSON.stringify({ attempt, updatedAt: new Date().toISOString(), progress }));
   process.on('SIGTERM', () => process.exit(75));
   setInterval(() => {}, 1000);`,
] as const;

/** Eight rows, two of each cell; half of the women and none of the men are predicted wrong. */
export const TABLE = 'y,sex,p\n1,f,0.9\n1,f,0.2\n0,f,0.8\n0,f,0.1\n1,m,0.9\n1,m,0.7\n0,m,0.3\n0,m,0.1\n';
export const COLUMNS = { label: 'y', sensitiveFeatures: ['sex'], score: 'p' };
export const AUDIT = { kind: 'audit', predictions: 'uploads/table/scores.csv', columns: COLUMNS };

export async function put(root: string, key: string, content: string): Promise<void> {
  const file = path.join(root, key);
  await mkdir(path.dirname(file), { recursive: true });
  await writeFile(file, content);
}

/** Of this machine, a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

export function post(url: string, body: unknown, headers: Record<string, string> = {}): Promise<Response> {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: text,
  });
}

export interface Job {
  readonly jobId: string;
  readonly status: string;
  readonly links?: Record<string, string>;
  readonly progress?: unknown;
}

export async function jsonOf<T>(response: Response | Promise<Response>): Promise<T> {
  return (await (await response).json()) as T;
}

/** Asks again until it holds. */
export async function until<T>(ask: () => Promise<T | null | undefined | false>, ms = 80_000): Promise<T> {
  const end = Date.now() + ms;
  for (;;) {
    const found = await ask();
    if (found) return found;
    if (Date.now() > end) throw new Error('it did not come in time');
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

export function jobWith(url: string, jobId: string, status: string): Promise<Job> {
  return until(async () => {
    const job = await jsonOf<Job>(fetch(`${url}/v1/jobs/${jobId}`));
    return job.status === status && job;
  });
}

interface Served extends LocalServer {
  readonly root: string;
  readonly log: string[];
}

/** A server in a process of its own. */
interface SpawnedServer {
  readonly url: string;
  /** Resolves to the exit code. */
  kill(signal: NodeJS.Signals): Promise<number | null>;
}

interface Servers {
  /** A root with the table of AUDIT. */
  makeRoot(): Promise<string>;
  serve(options?: Partial<ServerOptions>): Promise<Served>;
  /** The command line as a process of its own, once it listens. */
  spawnServe(root: string): Promise<SpawnedServer>;
}

const QUICK = { settleMs: 150, rescanMs: 1000, scheduleMs: 500, queueMs: 150, graceMs: 2000 };

/**
 * Servers and roots of one test file, stopped and gone after its tests. To be called before the tests, whose time it
 * extends.
 */
export function useServers(): Servers {
  // Processes are started here, on a machine that may be busy with other tests.
  vi.setConfig({ testTimeout: 180_000, hookTimeout: 120_000 });
  const folders: string[] = [];
  const servers: LocalServer[] = [];
  afterAll(async () => {
    await Promise.all(servers.map((server) => server.close()));
    await Promise.all(folders.map((folder) => rm(folder, { recursive: true, force: true, maxRetries: 5 })));
  });

  const makeFolder = async (name: string): Promise<string> => {
    const folder = await mkdtemp(path.join(tmpdir(), `counterweight-${name}-`));
    folders.push(folder);
    return folder;
  };
  let built: ReturnType<typeof buildPrograms> | undefined;
  const programs = () => {
    built ??= makeFolder('programs').then(buildPrograms);
    return built;
  };
  const makeRoot = async (): Promise<string> => {
    const root = await makeFolder('serve');
    await put(root, AUDIT.predictions, TABLE);
    return root;
  };

  return {
    makeRoot,
    async serve(options = {}) {
      const root = options.root ?? (await makeRoot());
      const log: string[] = [];
      const server = await startServer({
        host: '127.0.0.1',
        port: 0,
        concurrency: 2,
        command: options.command ?? [process.execPath, (await programs()).main],
        token: null,
        write: (line) => log.push(line),
        ...options,
        times: { ...QUICK, ...options.times },
        root,
      });
      servers.push(server);
      return { ...server, root, log };
    },
    spawnServe: async (root) => spawnServe((await programs()).counterweight, root),
  };
}

async function spawnServe(script: string, root: string): Promise<SpawnedServer> {
  // run.json names the threads, and whoever compares two servers wants it equal.
  const args = [script, 'serve', '--root', root, '--port', '0', '--worker-env', 'THREADS=1'];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let log = '';
  child.stderr.on('data', (text: Buffer) => {
    log += text;
  });
  const ended = new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)));
  const url = await new Promise<string>((resolve, reject) => {
    child.stdout.on('data', (text: Buffer) => {
      const found = /listening on (\S+)/.exec(text.toString())?.[1];
      if (found) resolve(found);
    });
    child.once('exit', () => reject(new Error(`the server ended: ${log}`)));
  });
  const kill = (signal: NodeJS.Signals) => {
    child.kill(signal);
    return ended;
  };
  return { url, kill };
}
