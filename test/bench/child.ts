import { spawn } from 'node:child_process';

export interface Finished {
  readonly code: number;
  readonly lines: readonly string[];
  readonly seconds: number;
}

/** Runs a program to its end; its errors are shown. */
export async function runChild(command: readonly [string, ...string[]]): Promise<Finished> {
  const [program, ...args] = command;
  const start = performance.now();
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const chunks: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
  const code = await new Promise<number>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (status) => resolve(status ?? -1));
  });
  const lines = Buffer.concat(chunks).toString().trim().split('\n');
  return { code, lines, seconds: (performance.now() - start) / 1000 };
}

/** A TypeScript program of ours. */
export function typescript(file: string, ...args: string[]): [string, ...string[]] {
  return [process.execPath, '--import', 'tsx', file, ...args];
}
