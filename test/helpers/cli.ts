import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { runCli } from '../../worker/cli.ts';

export interface CliRun {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
  /** Tensors that the command left behind. */
  readonly leaked: number;
}

export interface CliOptions {
  /** stderr is a terminal, so that a bar is drawn. */
  readonly isTTY?: boolean;
  readonly signal?: AbortSignal;
  readonly isDebug?: boolean;
}

/**
 * Runs one command line in this process, as `counterweight …` would.
 *
 * @param line  command, flags and values, none with a space in it
 */
export async function runCommand(line: string, options: CliOptions = {}): Promise<CliRun> {
  const { isTTY = false, signal = new AbortController().signal, isDebug = false } = options;
  const stdout = makeSink();
  const stderr = makeSink(isTTY);
  const before = tf.engine().state.numTensors;
  const args = line.split(' ').filter((word) => word !== '');
  const exitCode = await runCli(args, { stdout, stderr, signal, now: () => performance.now(), isDebug });
  return {
    exitCode,
    stdout: stdout.text(),
    stderr: stderr.text(),
    leaked: tf.engine().state.numTensors - before,
  };
}

function makeSink(isTTY = false) {
  let written = '';
  return {
    isTTY,
    columns: 80,
    write: (text: string) => {
      written += text;
      return true;
    },
    text: () => written,
  };
}

/** What a terminal shows after `output`: `\r` goes to the start of the line, `ESC[K` clears the rest of it. */
export function screenOf(output: string): string[] {
  return output.split('\n').map((line) => line.split('\r\u001b[K').at(-1)!);
}

/** Text for cells that no message may repeat. */
export const CANARY = 'CANARY-4711';

export interface BadInput {
  /** Written into the working folder before the command runs, removed after it. */
  readonly files?: Readonly<Record<string, Content | (() => Promise<Content>)>>;
  readonly line: string;
  /** The whole message. */
  readonly says: string;
  /** 64 and INVALID_INPUT when absent. */
  readonly exit?: readonly [exitCode: number, code: string];
}
type Content = string | Uint8Array;

/**
 * Tests that each bad input is refused as a user sees it, in words and with `--json`: the exact message and exit
 * code, no cell, stack or path of ours in the output, no tensor and no file left behind.
 *
 * @param cases  by title, which goes on from `what`; their paths start at the working folder
 */
export function testBadInputs(what: string, cases: Readonly<Record<string, BadInput>>): void {
  describe(what, () => {
    const table = Object.entries(cases);

    it.each(table)('%s is refused in words', async (_, { says, exit = [64], ...input }) => {
      const { exitCode, stdout, stderr, leaked } = await runBadInput(input);
      const [progress, message] = stderr.split(/(?<=^|\n)counterweight: /);
      expect(message).toBe(`${says}\n`);
      expect(progress).toMatch(/^(?:[a-z ]+ \d+\.\d s\n)*$/);
      expect({ exitCode, stdout, leaked }).toEqual({ exitCode: exit[0], stdout: '', leaked: 0 });
    });

    it.each(table)('%s is refused as JSON', async (_, { says, exit = [64, 'INVALID_INPUT'], ...input }) => {
      const { exitCode, stdout, leaked } = await runBadInput({ ...input, line: `${input.line} --json` });
      const error = { code: exit[1], message: says, details: expect.any(Object) };
      expect(JSON.parse(stdout)).toEqual({ error });
      expect({ exitCode, leaked }).toEqual({ exitCode: exit[0], leaked: 0 });
    });
  });
}

async function runBadInput({ files = {}, line }: Pick<BadInput, 'files' | 'line'>): Promise<CliRun> {
  const before = await readdir('.', { recursive: true });
  for (const [name, content] of Object.entries(files)) {
    await mkdir(path.dirname(name), { recursive: true });
    await writeFile(name, typeof content === 'function' ? await content() : content);
  }
  try {
    const run = await runCommand(line);
    for (const output of [run.stdout, run.stderr]) expectNoInternals(output);
    return run;
  } finally {
    for (const name of Object.keys(files)) await rm(name.split('/')[0]!, { recursive: true, force: true });
    expect(await readdir('.', { recursive: true })).toEqual(before);
  }
}

const ROOT = path.join(import.meta.dirname, '../..');

/** Fails when the output holds a planted cell, a line of a stack or a path of this product. */
export function expectNoInternals(output: string): void {
  for (const text of [CANARY, 'node_modules', 'file://', ROOT]) expect(output).not.toContain(text);
  expect(output).not.toMatch(/^\s*at .+:\d+/m);
}
