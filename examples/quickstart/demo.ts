import path from 'node:path';
import { runDemo } from './run-demo.ts';

/*
 * npm run demo
 * npm run demo -- --seed 1     further flags go to `counterweight mitigate`
 */

const stop = new AbortController();
process.once('SIGINT', () => stop.abort());
process.exitCode = await runDemo(
  {
    folder: path.join('runs', 'quickstart'),
    externalCount: 400,
    testCount: 400,
    flags: process.argv.slice(2),
  },
  {
    stdout: process.stdout,
    stderr: process.stderr,
    signal: stop.signal,
    now: () => performance.now(),
    isDebug: false,
  },
);
