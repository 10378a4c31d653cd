import { makeLocalQueue } from '../../../core/queue/local-queue.ts';
import { PLAY_COMMAND } from './play-command.ts';

/** A server to be killed: `crashing-server.ts FOLDER TRACE JOB...` submits the jobs and waits. */
const [, , folder, trace, ...jobIds] = process.argv as [string, string, string, string, ...string[]];
const queue = makeLocalQueue({
  command: PLAY_COMMAND,
  environment: { TRACE: trace },
  concurrency: 1,
  folder,
});
for (const jobId of jobIds) {
  const queueId = await queue.submit({ jobId, task: 'job', attempts: 3, timeoutSeconds: 60 });
  process.stdout.write(`${queueId}\n`);
}
