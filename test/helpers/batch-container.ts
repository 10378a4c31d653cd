import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import type { Readable } from 'node:stream';

export interface ContainerInput {
  readonly command: readonly [program: string, ...args: string[]];
  readonly environment: Readonly<Record<string, string>>;
  /** Called with what it prints, on stdout and stderr. */
  readonly onOutput: (text: string) => void;
}

export interface ContainerEnd {
  readonly exitCode?: number;
  /** Why there is no exit code. */
  readonly reason?: string;
}

export interface Container {
  /** When nothing of it is left; never rejects. */
  readonly ended: Promise<ContainerEnd>;
  /** SIGTERM, and SIGKILL for what is still there after the grace period, if there is one. */
  stop(graceMs?: number): void;
  kill(): void;
}

/** A process in a group of its own for a container: with the first process everything ends that it has started. */
export function startContainer({ command, environment, onOutput }: ContainerInput): Container {
  const [program, ...args] = command;
  const child = spawn(program, args, {
    env: { THREADS: '1', ...environment }, // other tests run beside it
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  for (const stream of [child.stdout, child.stderr]) listen(stream, onOutput);
  let timer: NodeJS.Timeout | undefined;
  const kill = () => killGroup(child.pid);
  const ended = new Promise<ContainerEnd>((resolve) => {
    child.once('error', ({ message }) => resolve({ reason: `CannotStartContainerError: ${message}` }));
    child.once('exit', (code, signal) => {
      clearTimeout(timer);
      kill();
      resolve({ exitCode: code ?? 128 + constants.signals[signal!] });
    });
  });
  return {
    ended,
    stop(graceMs) {
      child.kill('SIGTERM');
      if (graceMs !== undefined) timer ??= setTimeout(kill, graceMs);
    },
    kill,
  };
}

function listen(stream: Readable, onOutput: (text: string) => void): void {
  stream.setEncoding('utf8').on('data', onOutput);
}

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // it is gone
  }
}
