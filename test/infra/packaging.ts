import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { cp, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import type { Json, Template } from './template.ts';

export const ROOT = path.join(import.meta.dirname, '../..');
const SERVERLESS = path.join(ROOT, 'node_modules/.bin/serverless');
const CFN_LINT = path.join(ROOT, '.venv/bin/cfn-lint');

const run = promisify(execFile);
const isCi = (process.env.CI ?? '') !== '';

/** What a test needs that npm test alone does not bring. On CI nothing is skipped: there it fails. */
interface Need {
  readonly isMissing: boolean;
  /** For the title of what is skipped. */
  readonly note: string;
}

function need(file: string, how: string): Need {
  const isMissing = !isCi && !existsSync(file);
  return { isMissing, note: isMissing ? ` (SKIPPED: ${path.relative(ROOT, file)} is missing; ${how})` : '' };
}

export const serverless = need(SERVERLESS, 'npm install');
export const cfnLint = need(CFN_LINT, 'pip install -r test/requirements.txt into .venv');

export async function makeFolder(): Promise<string> {
  return mkdtemp(path.join(tmpdir(), 'counterweight-infra-'));
}

export const removeFolder = (folder: string) => rm(folder, { recursive: true, force: true });

/** Runs scripts/build.ts into `{folder}/dist`. */
export async function buildInto(folder: string): Promise<void> {
  const args = ['--import', 'tsx', 'scripts/build.ts', path.join(folder, 'dist')];
  await run(process.execPath, args, { cwd: ROOT });
}

export interface Packaged {
  readonly template: Template;
  readonly templateFile: string;
  /** The service as the packaging tool understood it. */
  readonly provider: { readonly [name: string]: Json };
}

/**
 * Runs `serverless package` on a copy of its configuration beside `{folder}/dist`, without credentials, without a home
 * that could hold some, and with a proxy that refuses every connection.
 *
 * @param params  replace those of serverless.yml
 */
export async function packageIn(
  folder: string,
  params: Readonly<Record<string, string>> = {},
): Promise<Packaged> {
  await cp(path.join(ROOT, 'serverless.yml'), path.join(folder, 'serverless.yml'));
  await cp(path.join(ROOT, 'infra'), path.join(folder, 'infra'), { recursive: true });
  const args = Object.entries(params).map(([name, value]) => `--param=${name}=${value}`);
  const nowhere = 'http://127.0.0.1:9';
  await run(SERVERLESS, ['package', ...args], {
    cwd: folder,
    env: {
      PATH: process.env.PATH ?? '',
      HOME: folder,
      HTTP_PROXY: nowhere,
      HTTPS_PROXY: nowhere,
      AWS_EC2_METADATA_DISABLED: 'true',
    },
  });
  const read = async (name: string) => JSON.parse(await readFile(path.join(folder, name), 'utf8'));
  const templateFile = path.join(folder, '.serverless/cloudformation-template-update-stack.json');
  const state = await read('.serverless/serverless-state.json');
  return {
    template: await read('.serverless/cloudformation-template-update-stack.json'),
    templateFile,
    provider: state.service.provider,
  };
}

/**
 * What cfn-lint has to say about a template; empty when nothing.
 *
 * W3005 is left out: the packaging tool writes a DependsOn beside a reference that implies it.
 */
export async function lint(templateFile: string): Promise<string> {
  try {
    await run(CFN_LINT, ['--ignore-checks', 'W3005', '--', templateFile]);
    return '';
  } catch (error) {
    return (error as { stdout?: string }).stdout || String(error);
  }
}
