import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { expectNoInternals, runCommand } from '../../helpers/cli.ts';
import { useTempFolder } from '../../helpers/files.ts';
import { buildPrograms } from '../../helpers/programs.ts';

const ROOT = path.join(import.meta.dirname, '../../..');
const LOADER = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href;
const TABLE = 'y,sex,p\n1,f,0.9\n1,f,0.2\n0,f,0.8\n0,f,0.1\n1,m,0.9\n1,m,0.7\n0,m,0.3\n0,m,0.1\n';
const AUDIT = {
  kind: 'audit',
  predictions: 'uploads/table/scores.csv',
  columns: { label: 'y', sensitiveFeatures: ['sex'], score: 'p' },
};

const folder = useTempFolder();
let counterweight = '';
beforeAll(async () => {
  await mkdir(folder.at('programs'));
  ({ counterweight } = await buildPrograms(folder.at('programs')));
});
const children: ChildProcess[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

/** Starts the program itself, and waits for the line that says where it listens. */
async function start(args: readonly string[], program = counterweight) {
  const child = spawn(process.execPath, [program, 'serve', ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  children.push(child);
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const ended = once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>;
  const lines = createInterface({ input: child.stdout });
  const first = (await Promise.race([once(lines, 'line'), ended]))[0] as string | number | null;
  if (typeof first !== 'string') throw new Error(`serve ended: ${stderr}`);
  return { child, first, ended, stderr: () => stderr };
}

const post = (url: string, body: unknown, headers: Record<string, string> = {}) =>
  fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });

async function succeeded(url: string, jobId: string): Promise<void> {
  for (let tries = 0; tries < 200; tries += 1) {
    const { status } = (await (await fetch(`${url}/v1/jobs/${jobId}`)).json()) as { status: string };
    if (status === 'succeeded') return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error('the job did not succeed');
}

describe('counterweight serve', () => {
  it.each(['SIGINT', 'SIGTERM'] as const)(
    'says where it listens, and stops cleanly on %s',
    async (signal) => {
      const root = folder.at(`plain-${signal}`);
      const { child, first, ended, stderr } = await start(['--root', root, '--port', '0']);
      const [, url] = /^listening on (http:\/\/127\.0\.0\.1:\d+)$/.exec(first)!;
      expect((await fetch(`${url}/health`)).status).toBe(200);
      child.kill(signal);
      expect(await ended).toEqual([0, null]);
      expect(stderr()).toContain('stopping; jobs go on from their checkpoints at the next start\n');
      expect(await readdir(path.join(root, '.counterweight/server'))).toEqual([]);
    },
  );

  it('says it as JSON to scripts, and refuses a second server on its folder with code 75', async () => {
    const root = folder.at('json');
    const { first } = await start(['--root', root, '--port', '0', '--json', '--quiet']);
    const { url, ...rest } = JSON.parse(first) as { url: string };
    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    expect(rest).toEqual({ root });
    const second = await runCommand(`serve --root ${root} --port 0`);
    expect(second).toMatchObject({ exitCode: 75, stdout: '' });
    expect(second.stderr).toContain('that no other server uses');
    const other = await runCommand(`serve --root ${folder.at('other')} --port ${new URL(url).port} --json`);
    expect(other.exitCode).toBe(75);
    expect(JSON.parse(other.stdout)).toMatchObject({ error: { code: 'STORAGE' } });
    // Nothing holds a root whose server did not come to be.
    expect(await readdir(folder.at('other/.counterweight/server'))).toEqual([]);
  });

  it('asks for the token of its file, and keeps it to itself', async () => {
    const token = 'f81d4fae7dec11d0a76500a0c91e6bf6';
    const file = await folder.write('token.txt', `${token}\n`);
    const args = ['--root', folder.at('token'), '--port', '0', '--host', '0.0.0.0', '--token-file', file];
    const { child, first, ended, stderr } = await start([...args, '--json']);
    // A name that other machines can use, not the address that stands for all.
    const { port, hostname } = new URL((JSON.parse(first) as { url: string }).url);
    expect(hostname).not.toBe('0.0.0.0');
    const jobs = `http://127.0.0.1:${port}/v1/jobs`;
    expect((await fetch(jobs)).status).toBe(401);
    expect((await fetch(jobs, { headers: { authorization: `Bearer ${token}` } })).status).toBe(200);
    child.kill('SIGTERM');
    await ended;
    expect(stderr()).not.toContain(token);
  });

  it('runs jobs with the variables that it is told, and with none of its own', async () => {
    const root = folder.at('variables');
    await folder.write('variables/uploads/table/scores.csv', TABLE);
    // NODE_OPTIONS is read by every worker; this one ends a worker that sees more than it should.
    const check = await folder.write(
      'check.cjs',
      'if (process.env.HOME || process.env.PATH) process.exit(64);',
    );
    const env = ['--worker-env', `NODE_OPTIONS=--require=${check}`, 'OTHER=a=b'];
    const { first } = await start(['--root', root, '--port', '0', ...env]);
    const url = first.slice('listening on '.length);
    const { jobId } = (await (await post(`${url}/v1/jobs`, AUDIT)).json()) as { jobId: string };
    await succeeded(url, jobId);
  });
});

describe('counterweight serve --help', () => {
  it('says what each folder is for, how to begin, and what each exit code means', async () => {
    const { exitCode, stdout } = await runCommand('serve --help');
    expect(exitCode).toBe(0);
    for (const word of [
      'uploads/',
      'definitions/',
      '--token-file',
      'Examples:',
      'docs/serve.md',
      'Exit codes:',
    ]) {
      expect(stdout).toContain(word);
    }
  });
});

describe('bad input', () => {
  beforeAll(async () => {
    await folder.write('short.txt', 'short');
    await folder.write('a-file', '');
    await writeFile(folder.at('locked'), '').then(() => chmod(folder.at('locked'), 0o400));
    await folder.write('good.txt', 'x'.repeat(32));
  });

  it.each([
    ['', 64, '--root'],
    ['--root ROOT --port 70000', 64, 'a whole number from 0 to 65535'],
    ['--root ROOT --port 80a', 64, 'a whole number'],
    ['--root ROOT --concurrency 0', 64, 'a whole number from 1 to 256'],
    ['--root ROOT --public-url fair.example', 64, 'http:// or https://'],
    ['--root ROOT --public-url https://fair.example/path', 64, 'without a path'],
    ['--root ROOT --proxy proxy.example', 64, 'an address or a network'],
    ['--root ROOT --worker-env NAME', 64, 'NAME=VALUE'],
    ['--root ROOT --host 0.0.0.0', 64, '--token-file'],
    ['--root ROOT --public-url https://fair.example', 64, '--token-file'],
    ['--root ROOT --token-file absent.txt', 64, 'cannot be read'],
    ['--root ROOT --token-file ROOT/short.txt', 64, 'at least 16'],
    ['--root ROOT/a-file --port 0', 64, 'a folder that this user may write to'],
    ['--root ROOT/a-file/below --port 0', 64, 'a folder that this user may write to'],
    ['--root ROOT/free --host 192.0.2.1 --token-file ROOT/good.txt', 64, 'an address of this machine'],
    ['--root ROOT --colour', 64, 'unknown option'],
  ])('%s is refused with code %i: %s', async (line, exitCode, says) => {
    const run = await runCommand(`serve ${line.replaceAll('ROOT', folder.path)}`);
    expect(run).toMatchObject({ exitCode, stdout: '', leaked: 0 });
    expect(run.stderr).toContain(says);
    expect(run.stderr.trim().split('\n').length).toBeLessThanOrEqual(2);
    expectNoInternals(run.stderr);
  });

  it('a port that another program has is refused with code 75', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as { port: number };
    const run = await runCommand(`serve --root ${folder.at('busy')} --port ${port}`);
    other.close();
    expect(run.exitCode).toBe(75);
    expect(run.stderr).toContain(`received ${port}, which another program has`);
  });
});

describe('the built program', () => {
  const out = path.join(ROOT, 'node_modules/.cache', `serve-test-${process.pid}`);
  afterAll(() => rm(out, { recursive: true, force: true }));

  it('serves, and runs its jobs in its own worker', async () => {
    await promisify(execFile)(
      process.execPath,
      ['--import', LOADER, path.join(ROOT, 'scripts/build.ts'), out],
      {
        cwd: ROOT,
      },
    );
    await folder.write('built/uploads/table/scores.csv', TABLE);
    // As npm links it into the path.
    const linked = folder.at('counterweight');
    await symlink(path.join(out, 'counterweight.js'), linked);
    const { child, first, ended } = await start(['--root', folder.at('built'), '--port', '0'], linked);
    const url = first.slice('listening on '.length);
    const answer = await post(`${url}/v1/audits`, AUDIT);
    expect(answer.status).toBe(200);
    const { jobId } = (await (await post(`${url}/v1/jobs`, AUDIT)).json()) as { jobId: string };
    await succeeded(url, jobId);
    child.kill('SIGINT');
    expect(await ended).toEqual([0, null]);
  });
});
