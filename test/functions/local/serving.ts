import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll } from 'vitest';
import { type LocalServer, type ServerOptions, startServer } from '../../../functions/local/server.ts';

const ROOT = path.join(import.meta.dirname, '../../..');
const LOADER = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href;

/** The worker from its source. */
const WORKER = [process.execPath, '--import', LOADER, path.join(ROOT, 'worker/main.ts')] as const;

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

const folders: string[] = [];
const servers: LocalServer[] = [];
afterAll(async () => {
  await Promise.all(servers.map((server) => server.close()));
  await Promise.all(folders.map((folder) => rm(folder, { recursive: true, force: true, maxRetries: 5 })));
});

/** A root with the table of AUDIT, gone after the tests of the file. */
export async function makeRoot(): Promise<string> {
  const root = await mkdtemp(path.join(tmpdir(), 'counterweight-serve-'));
  folders.push(root);
  await put(root, AUDIT.predictions, TABLE);
  return root;
}

export async function put(root: string, key: string, content: string): Promise<void> {
  const file = path.join(root, key);
  await mkdir(path.dirname(file), { recursive: true });
  await writeFile(file, content);
}

export interface Served extends LocalServer {
  readonly root: string;
  readonly log: string[];
}

const QUICK = { settleMs: 150, rescanMs: 1000, scheduleMs: 500, queueMs: 150, graceMs: 2000 };

export async function serve(options: Partial<ServerOptions> = {}): Promise<Served> {
  const root = options.root ?? (await makeRoot());
  const log: string[] = [];
  const server = await startServer({
    host: '127.0.0.1',
    port: 0,
    concurrency: 2,
    command: WORKER,
    token: null,
    write: (line) => log.push(line),
    times: QUICK,
    ...options,
    root,
  });
  servers.push(server);
  return { ...server, root, log };
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
export async function until<T>(ask: () => Promise<T | null | undefined | false>, ms = 25_000): Promise<T> {
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

/** The command line as a process of its own, once it listens. */
export async function spawnServe(root: string) {
  const script = path.join(ROOT, 'worker/counterweight.ts');
  const args = ['--import', LOADER, script, 'serve', '--root', root, '--port', '0'];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)));
  const url = await new Promise<string>((resolve, reject) => {
    child.stdout.on('data', (text: Buffer) => {
      const found = /listening on (\S+)/.exec(text.toString())?.[1];
      if (found) resolve(found);
    });
    child.once('exit', () => reject(new Error('the server ended')));
  });
  const kill = (signal: NodeJS.Signals) => {
    child.kill(signal);
    return ended;
  };
  return { url, kill };
}
