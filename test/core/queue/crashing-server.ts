import { makeLocalQueue } from '../../../core/queue/local-queue.ts';
import { PLAY_COMMAND } from './play-command.ts';

/** A server to be killed: `crashing-server.ts FOLDER TRACE JOB...` submits the jobs that were not before, and waits. */
const [, , folder, trace, ...jobIds] = process.argv as [string, string, string, string, ...string[]];
const queue = makeLocalQueue({
  command: PLAY_COMMAND,
  environment: { TRACE: trace },
  concurrency: 1,
  folder,
  retryDelayMs: 10,
});
for (const jobId of jobIds) {
  const work = { jobId, task: 'job', attempts: 50, timeoutSeconds: 60 } as const;
  const queueId = (await queue.find(work)) ?? (await queue.submit(work));
  process.stdout.write(`${queueId}\n`);
}
