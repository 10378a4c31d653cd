import { makeLocalQueue } from '../../../core/queue/local-queue.ts';

/** A server to be killed: `WORKER FOLDER TRACE JOB...` submits the jobs that were not submitted before, and waits. */
const [, , worker, folder, trace, ...jobIds] = process.argv as [string, string, string, string, string];
const queue = makeLocalQueue({
  command: [process.execPath, worker],
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
