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
}

const EXAMPLES = `
Examples:
  counterweight serve --root data/
  counterweight serve --root /srv/counterweight --host 0.0.0.0 --token-file token.txt

Exit codes: 0 stopped, 64 wrong input, 75 try again (another server uses the root, the port is taken).`;

export function addServeCommand(program: Command, console: Console): void {
  program
    .command('serve')
    .summary('run the whole service on this machine')
    .description(
      'Serves the API and a web page over a folder, runs jobs as child processes, watches uploads/ and runs definitions/.',
    )
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
    .option('--public-url <url>', 'where clients find the server, when a proxy stands before it', webAddress)
    .addHelpText('after', EXAMPLES)
    .action((flags: ServeFlags) => serve(flags, console));
}

async function serve({ tokenFile, ...flags }: ServeFlags, { print, note, signal }: Console): Promise<void> {
  const token = tokenFile === undefined ? null : await readToken(tokenFile);
  // The one place where worker meets functions: both halves of the product in one process.
  const { startServer } = await import('../../functions/local/server.ts');
  const server = await startServer({
    ...flags,
    token,
    command: workerCommand(),
    write: (line) => note(line.trimEnd()),
  });
  try {
    print(`listening on ${server.url}`);
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
  const bundle = path.join(here, 'main.js');
  if (existsSync(bundle)) return [process.execPath, bundle];
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
  const isFit = URL.canParse(text) && /^https?:$/.test(new URL(text).protocol);
  if (isFit) return text.replace(/\/+$/, '');
  throw new InvalidArgumentError('expected an address that begins with http:// or https://');
}
