#!/usr/bin/env node
import { runCli } from './cli.ts';
import { EXIT_CODES } from './commands/exit-codes.ts';

const stop = new AbortController();
process.on('SIGINT', () => {
  // The first Ctrl-C lets the job clean up, a second one does not wait for it.
  if (stop.signal.aborted) process.exit(EXIT_CODES.INTERRUPTED);
  stop.abort();
});
process.on('SIGTERM', () => stop.abort());

// A reader that has seen enough (head, less) closes the pipe; that is no error of ours.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit();
});

process.exitCode = await runCli(process.argv.slice(2), {
  stdout: process.stdout,
  stderr: process.stderr,
  signal: stop.signal,
  now: () => performance.now(),
  isDebug: process.env.COUNTERWEIGHT_DEBUG === '1',
});
