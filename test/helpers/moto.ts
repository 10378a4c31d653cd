import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const ROOT = join(import.meta.dirname, '../..');
const INSTALLED = join(ROOT, '.venv/bin/moto_server');

/** Any pair will do: moto checks none. */
export const MOTO_CREDENTIALS = { accessKeyId: 'AKIATESTKEY', secretAccessKey: 'test-secret' } as const;

export interface Moto {
  /** Set once the tests of the file run. */
  readonly endpoint: string;
}

/** Program of moto's server: MOTO_SERVER, or that of the virtual environment in the root; null where there is none. */
function motoProgram(): string | null {
  const named = process.env.MOTO_SERVER;
  if (named !== undefined && named !== '') return named;
  return existsSync(INSTALLED) ? INSTALLED : null;
}

/**
 * `describe` for tests that need moto: without it they are skipped and say so on stderr, but in CI they fail.
 *
 *   python3 -m venv .venv && .venv/bin/pip install -r test/requirements.txt
 *
 * @param settings  environment variables of moto, e.g. MOTO_S3_DEFAULT_MAX_KEYS
 */
export function describeWithMoto(
  title: string,
  tests: (moto: Moto) => void,
  settings: Readonly<Record<string, string>> = {},
): void {
  if (motoProgram() !== null) {
    describe(title, () => tests(useMoto(settings)));
  } else if (process.env.CI) {
    it(`finds moto_server: ${title}`, () =>
      expect.fail(`expected MOTO_SERVER or ${INSTALLED}, found neither (docs/storage.md)`));
  } else {
    process.stderr.write(`skipped, moto_server is not installed (docs/storage.md): ${title}\n`);
    describe.skip(title, () => tests(useMoto(settings)));
  }
}

/** moto's server on a free port of the loopback, started before the tests and stopped after them. */
function useMoto(settings: Readonly<Record<string, string>>): Moto {
  let endpoint = '';
  let server: ChildProcess | null = null;
  const stop = () => server?.kill('SIGKILL');
  beforeAll(async () => {
    server = spawn(motoProgram()!, ['--host', '127.0.0.1', '--port', '0'], {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { ...process.env, ...settings },
    });
    process.once('exit', stop);
    endpoint = await addressOf(server);
  });
  afterAll(() => {
    process.off('exit', stop);
    stop();
  });
  return {
    get endpoint() {
      return endpoint;
    },
  };
}

/** The server logs its address once it listens, and each request later on: its log has to be read all the time. */
function addressOf(server: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    const last: string[] = [];
    server.once('error', reject);
    server.once('exit', () => reject(new Error(`moto: expected a server, it ended:\n${last.join('\n')}`)));
    createInterface({ input: server.stderr! }).on('line', (line) => {
      last.splice(0, Math.max(0, last.length - 20));
      last.push(line);
      const [address] = /http:\/\/127\.0\.0\.1:\d+/.exec(line) ?? [];
      if (address !== undefined) resolve(address);
    });
  });
}
