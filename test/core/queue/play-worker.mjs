import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';

/*
 * A worker that does what the name of its job says, up to the first dash: the queues' tests start it in place of
 * worker/main. It notes when it starts and ends in the file TRACE, and who it is in a file beside it.
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

const pidFile = `${TRACE}.${JOB_ID}.${index}.pid`;
if (isAlive(pidFile)) note('twice');
writeFileSync(pidFile, String(process.pid));

/** Does the process run whose number stands in a file? One whose end nobody has heard of yet does not. */
function isAlive(file) {
  const stat = existsSync(file) && `/proc/${readFileSync(file, 'utf8')}/stat`;
  return stat && existsSync(stat) && !/\) [ZX] /.test(readFileSync(stat, 'utf8'));
}

const [play] = JOB_ID.split('-');
const onTerm = { graceful: () => end(75), stubborn: () => note('ignored') }[play];
if (onTerm) process.on('SIGTERM', onTerm); // before anybody hears of the start
note('start');
const plays = {
  succeeds: () => end(0),
  unfit: () => end(65),
  tries: () => end(75),
  recovers: () => end(attempt < 2 ? 75 : 0),
  halves: () => end(index === 1 ? 65 : 0),
  takes: () => sleep(150),
  sleeps: () => sleep(30_000),
  lasts: () => sleep(1000),
  graceful: () => sleep(30_000),
  stubborn: () => sleep(30_000),
  killed: () => (attempt < 2 ? process.kill(process.pid, 'SIGKILL') : end(0)),
  prints: () => {
    process.stderr.write(`${'x'.repeat(1024 ** 2)}the last words`, () => end(0));
  },
};
plays[play]();
