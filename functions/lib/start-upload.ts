import { createHash } from 'node:crypto';
import { isCounterweightError } from '../../core/errors.ts';
import { handleUpload } from '../../core/jobs/handle-upload.ts';
import type { FunctionDeps } from './deps.ts';
import { rulesOf } from './problem.ts';

/** First digits of a key's SHA-256. */
const DIGITS = 12;

/**
 * Starts what an upload is for and says in the log what became of it. What is wrong with an upload itself is logged
 * and not thrown, since it would be wrong the next time too.
 *
 * @returns since when a data set waits for what it lacks; null when there is nothing to wait for
 * @throws StorageError when store or queue fail
 */
export async function startUpload(deps: FunctionDeps, key: string): Promise<Date | null> {
  const { telemetry } = deps;
  const upload = createHash('sha256').update(key).digest('hex').slice(0, DIGITS);
  try {
    const outcome = await handleUpload(deps, key);
    if ('lacks' in outcome) {
      telemetry.log('info', 'upload waits', { upload, reason: `the data set lacks ${outcome.lacks}` });
      return outcome.since;
    }
    if ('ignored' in outcome) telemetry.log('info', 'upload ignored', { upload, reason: outcome.ignored });
    for (const { jobId, status } of 'started' in outcome ? outcome.started : []) {
      telemetry.log('info', 'upload has its job', { upload, jobId, status });
    }
  } catch (error) {
    if (!isCounterweightError(error) || error.code !== 'INVALID_INPUT') throw error;
    telemetry.log('warn', 'upload refused', { upload, code: error.code, issues: rulesOf(error) });
  }
  return null;
}
