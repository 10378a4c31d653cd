import * as tf from '@tensorflow/tfjs-core';
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

/** Runs one command line in this process, as `counterweight …args` would. */
export async function runCommand(args: readonly string[], options: CliOptions = {}): Promise<CliRun> {
  const { isTTY = false, signal = new AbortController().signal, isDebug = false } = options;
  const stdout = makeSink();
  const stderr = makeSink(isTTY);
  const before = tf.engine().state.numTensors;
  const exitCode = await runCli(args, { stdout, stderr, signal, now: () => performance.now(), isDebug });
  return {
    exitCode,
    stdout: stdout.text(),
    stderr: stderr.text(),
    leaked: tf.engine().state.numTensors - before,
  };
}

/** Command, flags and values as one string; no value here has a space in it. */
export function words(line: string): string[] {
  return line.split(' ').filter((word) => word !== '');
}

/** What a terminal shows after `output`: a carriage return goes to the start of the line, `ESC[K` clears it. */
export function screenOf(output: string): string[] {
  return output.split('\n').map((line) => line.split('\r\u001b[K').at(-1)!);
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
