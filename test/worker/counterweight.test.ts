import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { beforeAll, describe, expect, it } from 'vitest';
import { expectNoInternals } from '../helpers/cli.ts';
import { useTempFolder } from '../helpers/files.ts';
import { writeImageSet, writeInkModel } from '../helpers/made-files.ts';
import { buildPrograms } from '../helpers/programs.ts';

const folder = useTempFolder();
const SOURCE = path.join(import.meta.dirname, '../../worker/counterweight.ts');
const TSX = createRequire(import.meta.url).resolve('tsx');
const DATA =
  '--model model --manifest labels.csv --image file --label malignant --sensitive ink --preprocess unit';

let built = '';

beforeAll(async () => {
  await writeImageSet(folder.path);
  await writeInkModel(folder.at('model'));
  await mkdir(folder.at('built'));
  built = (await buildPrograms(folder.at('built'))).counterweight;
});

/** Starts the program itself in the made folder, its output in pipes. @param program  by default as it is shipped */
function start(line: string, program: readonly string[] = [built], env: NodeJS.ProcessEnv = {}) {
  const child = spawn(process.execPath, [...program, ...line.split(' ')], {
    cwd: folder.path,
    env: { ...process.env, ...env },
  });
  return { child, ended: once(child, 'close') as Promise<[number | null, NodeJS.Signals | null]> };
}

async function run(line: string, program?: readonly string[], env: NodeJS.ProcessEnv = {}) {
  const { child, ended } = start(line, program, env);
  const [stdout, stderr, [exitCode]] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  return { exitCode, stdout, stderr };
}

/** Resolves when the program has said `word` on stderr; gives what it says until its end. */
function listen({ stderr }: Pick<ChildProcess, 'stderr'>, word: string) {
  let said = '';
  const heard = new Promise<void>((resolve) => {
    stderr!.setEncoding('utf8').on('data', (piece: string) => {
      said += piece;
      if (said.includes(word)) resolve();
    });
  });
  return { heard, all: () => said };
}

describe.concurrent('the process', () => {
  it.each(['SIGINT', 'SIGTERM'] as const)(
    'ends a mitigation on %s with exit 130, one sentence and no folder',
    async (signal) => {
      const place = `stopped-${signal}`;
      await mkdir(folder.at(place));
      await folder.write(`${signal}.json`, '{"batchSize": 4, "body": {"epochs": 1000}}');
      const method = `--preset bmft-released --options ${signal}.json --split-column part`;
      const { child, ended } = start(`mitigate ${DATA} ${method} --out ${place}/run`);
      const { heard, all } = listen(child, 'importance');
      await Promise.race([heard, ended]);
      child.kill(signal);
      expect(await ended, all()).toEqual([130, null]);
      expect(all()).toMatch(/\ncounterweight: stopped; nothing was written\n$/);
      expect(await readdir(folder.at(place))).toEqual([]);
    },
  );

  it('prints nothing but JSON to a pipe with --json', async () => {
    const { exitCode, stdout, stderr } = await run(`audit ${DATA} --json`);
    expect(exitCode, stderr).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ schemaVersion: 2, overall: { support: 100 } });
    expect(stderr).toMatch(/^audit +\d+\.\d s\n$/);
  });

  it('gives no stack to a reader that goes away, as `head` does', async () => {
    const { child, ended } = start(`audit ${DATA} --json --quiet`);
    child.stdout.destroy();
    const [stderr] = await Promise.all([text(child.stderr), ended]);
    expectNoInternals(stderr);
    expect(stderr).toBe('');
  });

  it('ends with the exit code of an error, and shows its stack when COUNTERWEIGHT_DEBUG is 1', async () => {
    const source = ['--import', TSX, SOURCE];
    const { exitCode, stdout, stderr } = await run('inspect nowhere', source, { COUNTERWEIGHT_DEBUG: '1' });
    expect({ exitCode, stdout }).toEqual({ exitCode: 64, stdout: '' });
    expect(stderr).toMatch(
      /^counterweight: model "nowhere": no such file or folder\nStorageError: .*\n +at /,
    );
  });
});

describe('package.json', () => {
  it('starts this program by its script and ships it by its bin', async () => {
    const root = path.join(import.meta.dirname, '../..');
    const { scripts, bin } = JSON.parse(await readFile(path.join(root, 'package.json'), 'utf8'));
    expect(path.join(root, scripts.counterweight.replace(/^tsx /, ''))).toBe(SOURCE);
    expect(bin).toEqual({ counterweight: 'dist/counterweight.js' });
  });
});
