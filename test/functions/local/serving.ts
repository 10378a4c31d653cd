import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { build } from 'esbuild';
import { afterAll, vi } from 'vitest';
import { type LocalServer, type ServerOptions, startServer } from '../../../functions/local/server.ts';

const ROOT = path.join(import.meta.dirname, '../../..');

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

// Processes are started here, on a machine that may be busy with other tests.
vi.setConfig({ testTimeout: 180_000, hookTimeout: 120_000 });

const folders: string[] = [];
const servers: LocalServer[] = [];
afterAll(async () => {
  await Promise.all(servers.map((server) => server.close()));
  await Promise.all(folders.map((folder) => rm(folder, { recursive: true, force: true, maxRetries: 5 })));
});

let built: Promise<string> | undefined;

/** Both programs as npm installs them: they start in half the time that their sources take. */
function buildPrograms(): Promise<string> {
  built ??= (async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'counterweight-programs-'));
    folders.push(folder);
    await symlink(path.join(ROOT, 'node_modules'), path.join(folder, 'node_modules'));
    await writeFile(path.join(folder, 'package.json'), '{"type":"module"}');
    await build({
      absWorkingDir: ROOT,
      entryPoints: ['worker/main.ts', 'worker/counterweight.ts'],
      outdir: folder,
      bundle: true,
      splitting: true,
      platform: 'node',
      target: 'node20',
      format: 'esm',
      packages: 'external',
    });
    return folder;
  })();
  return built;
}

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
    command: options.command ?? [process.execPath, path.join(await buildPrograms(), 'main.js')],
    token: null,
    write: (line) => log.push(line),
    ...options,
    times: { ...QUICK, ...options.times },
    root,
  });
  servers.push(server);
  return { ...server, root, log };
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

/** The command line as a process of its own, once it listens. */
export async function spawnServe(root: string) {
  const script = path.join(await buildPrograms(), 'counterweight.js');
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
