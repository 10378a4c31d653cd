import { appendFileSync } from 'node:fs';

/*
 * A worker that does what the name of its job says, up to the first dash: the queues' tests start it in place of
 * worker/main. It notes when it starts and ends in the file TRACE.
 */

const { JOB_ID, TASK, TRACE, ATTEMPTS } = process.env;
const attempt = Number(process.env.AWS_BATCH_JOB_ATTEMPT);
const index = Number(process.env.AWS_BATCH_JOB_ARRAY_INDEX ?? 0);
const note = (what) => appendFileSync(TRACE, `${what} ${JOB_ID} ${TASK} ${index} ${attempt}/${ATTEMPTS}\n`);
const end = (code) => {
  note('end');
  process.exit(code);
};
const sleep = (ms) => setTimeout(() => end(0), ms);

note('start');
const plays = {
  succeeds: () => end(0),
  unfit: () => end(65),
  tries: () => end(75),
  recovers: () => end(attempt < 2 ? 75 : 0),
  halves: () => end(index === 1 ? 65 : 0),
  takes: () => sleep(150),
  sleeps: () => sleep(30_000),
  graceful: () => {
    process.on('SIGTERM', () => end(75));
    sleep(30_000);
  },
  stubborn: () => {
    process.on('SIGTERM', () => note('ignored'));
    sleep(30_000);
  },
  killed: () => (attempt < 2 ? process.kill(process.pid, 'SIGKILL') : end(0)),
  prints: () => {
    process.stderr.write(`${'x'.repeat(1024 ** 2)}the last words`, () => end(0));
  },
};
plays[JOB_ID.split('-')[0]]();
