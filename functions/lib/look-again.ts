import { catchUp } from '../../core/jobs/catch-up.ts';
import { waitingDataSets } from '../../core/jobs/waiting.ts';
import type { FunctionDeps } from './deps.ts';
import { codeOf } from './problem.ts';
import { startUpload } from './start-upload.ts';

/** A data set that is still not complete by then is given up, until its configuration is uploaded again. */
const MAX_WAIT_MS = 7 * 24 * 3_600_000;

/** Brings jobs to their end whose events were lost or whose submission was left half-way. */
export async function lookAtJobs(deps: FunctionDeps): Promise<void> {
  for (const job of await catchUp(deps)) {
    const { jobId } = job;
    if ('error' in job) deps.telemetry.log('warn', 'job not looked at', { jobId, code: codeOf(job.error) });
    else deps.telemetry.log('info', 'job caught up', { jobId, status: job.record.status });
  }
}

/** Starts data sets whose last file came without an event that tells of it, such as an image. */
export async function lookAtDataSets(deps: FunctionDeps): Promise<void> {
  for await (const waiting of waitingDataSets(deps)) {
    try {
      if ('error' in waiting) throw waiting.error;
      const since = await startUpload(deps, waiting.config);
      const isWaiting = since !== null && deps.now().getTime() - since.getTime() < MAX_WAIT_MS;
      if (!isWaiting) await deps.store.delete(waiting.key);
    } catch (error) {
      deps.telemetry.log('warn', 'upload not looked at', { code: codeOf(error) });
    }
  }
}
