import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { type Command, InvalidArgumentError } from 'commander';
import { StorageError } from '../../core/errors.ts';
import type { Console } from './console.ts';

interface ServeFlags {
  readonly root: string;
  readonly port: number;
  readonly host: string;
  readonly concurrency: number;
  readonly tokenFile?: string;
  readonly publicUrl?: string;
  readonly proxy?: readonly string[];
  readonly workerEnv?: Readonly<Record<string, string>>;
  readonly json?: boolean;
}

const DESCRIPTION = `Serves the API (docs/api.md) and a web page over one folder, runs jobs as child processes of this machine, \
starts what is put into uploads/, and audits by the schedules in definitions/. Ctrl-C or SIGTERM stops it; \
jobs go on from their checkpoints at the next start.`;

const EXAMPLES = `
In the folder:
  uploads/       tables, models and images that jobs may read
  definitions/   what to audit, how often, and what it must show: one JSON file each
  results/       what jobs found and made
  audits/        what scheduled audits found
  alerts/        those that broke a limit

Examples:
  counterweight serve --root data/
      for yourself, at http://127.0.0.1:8080
  openssl rand -hex 24 > token.txt
  counterweight serve --root /srv/counterweight --host 0.0.0.0 --token-file token.txt
      for a network; the page and the API then ask for the token
  counterweight serve --root /srv/counterweight --token-file token.txt --public-url https://fair.example.org
      behind a proxy that speaks TLS

The log is one JSON object a line, on stderr. Service files, proxies, backup and upgrades: docs/serve.md.

Exit codes: 0 stopped, 64 wrong input, 75 try again (another server uses the folder, the port is taken).`;

export function addServeCommand(program: Command, console: Console): void {
  program
    .command('serve')
    .summary('run the whole service on this machine')
    .description(DESCRIPTION)
    .requiredOption('--root <folder>', 'folder of everything: uploads, jobs, results; made when absent')
    .option('--port <number>', 'port to listen on; 0 takes a free one', wholeNumber(0, 65_535), 8080)
    .option('--host <address>', 'address to listen on; any but a loopback one needs a token', '127.0.0.1')
    .option(
      '--concurrency <number>',
      'jobs at a time, each a process of its own',
      wholeNumber(1, 256),
      Math.max(1, Math.floor(availableParallelism() / 2)),
    )
    .option('--token-file <file>', 'file with the token that callers must show, at least 16 characters')
    .option(
      '--public-url <url>',
      'where clients find the server when a proxy stands before it; https:// marks cookies as such',
      webAddress,
    )
    .option(
      '--proxy <address...>',
      'addresses or networks of proxies on other machines, whose X-Forwarded-For is believed as that of this one',
    )
    .option(
      '--worker-env <name=value...>',
      'variables for the jobs, such as LD_LIBRARY_PATH=/usr/local/cuda/lib64; they see none of yours',
      variable,
    )
    .option('--json', 'say where the server listens as JSON: {"url": …, "root": …}')
    .addHelpText('after', EXAMPLES)
    .action((flags: ServeFlags) => serve(flags, console));
}

async function serve(flags: ServeFlags, { print, note, signal }: Console): Promise<void> {
  const { tokenFile, workerEnv = {}, json, proxy, ...options } = flags;
  const token = tokenFile === undefined ? null : await readToken(tokenFile);
  // The one place where worker meets functions: both halves of the product in one process.
  const { startServer } = await import('../../functions/local/server.ts');
  const server = await startServer({
    ...options,
    ...(proxy && { proxies: proxy }),
    token,
    command: workerCommand(),
    workerEnvironment: workerEnv,
    write: (line) => note(line.trimEnd()),
  });
  try {
    const { url } = server;
    print(json ? JSON.stringify({ url, root: path.resolve(options.root) }) : `listening on ${url}`);
    await aborted(signal);
    note('stopping; jobs go on from their checkpoints at the next start');
  } finally {
    await server.close();
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}

async function readToken(file: string): Promise<string> {
  try {
    return (await readFile(file, 'utf8')).trim();
  } catch (cause) {
    throw new StorageError(`--token-file "${file}": cannot be read`, { where: '--token-file' }, { cause });
  }
}

/** The bundle beside this one, or the source in the repository. */
function workerCommand(): [string, ...string[]] {
  const here = path.dirname(fileURLToPath(import.meta.url));
  // Code that several bundles share lies in a folder below theirs.
  const bundle = [here, path.dirname(here)].map((folder) => path.join(folder, 'main.js')).find(existsSync);
  if (bundle !== undefined) return [process.execPath, bundle];
  const source = path.join(here, '..', 'main.ts');
  const loader = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href;
  return [process.execPath, '--import', loader, source];
}

function wholeNumber(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= least && value <= most) return value;
    throw new InvalidArgumentError(`expected a whole number from ${least} to ${most}`);
  };
}

function webAddress(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url !== null && /^https?:$/.test(url.protocol) && url.href === `${url.origin}/`) return url.origin;
  throw new InvalidArgumentError(
    'expected http:// or https:// and a name, without a path: the page needs a name of its own',
  );
}

function variable(text: string, others: Readonly<Record<string, string>> = {}): Record<string, string> {
  const [, name, value] = /^([A-Za-z_]\w*)=(.*)$/s.exec(text) ?? [];
  if (name !== undefined && value !== undefined) return { ...others, [name]: value };
  throw new InvalidArgumentError('expected NAME=VALUE');
}
