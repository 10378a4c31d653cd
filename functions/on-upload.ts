import { createHash } from 'node:crypto';
import { isCounterweightError } from '../core/errors.ts';
import { handleUpload } from '../core/jobs/handle-upload.ts';
import { type FunctionDeps, realDeps } from './lib/deps.ts';
import type { EventHandler } from './lib/events.ts';
import { makeEventHandler, onFirstCall } from './lib/lambda.ts';
import { rulesOf } from './lib/problem.ts';
import { uploadedKeys } from './lib/upload-event.ts';

/** An object was created in the bucket: S3 notification, or EventBridge "Object Created". */
export function makeOnUpload(deps: FunctionDeps): EventHandler {
  return makeEventHandler(deps, async (event) => {
    const keys = uploadedKeys(event);
    if (keys.length === 0) deps.telemetry.log('info', 'event ignored', { reason: 'it tells of no upload' });
    const failures: unknown[] = [];
    for (const key of keys) await startFrom(deps, key).catch((error: unknown) => failures.push(error));
    // Only after all keys had their turn; those that started find their job when the event comes again.
    if (failures.length > 0) throw failures[0];
  });
}

/** What is wrong with an upload itself is logged, since it would be wrong the next time too. */
async function startFrom(deps: FunctionDeps, key: string): Promise<void> {
  const upload = createHash('sha256').update(key).digest('hex').slice(0, 12);
  try {
    const outcome = await handleUpload(deps, key);
    if ('ignored' in outcome) {
      deps.telemetry.log('info', 'upload ignored', { upload, reason: outcome.ignored });
      return;
    }
    for (const { jobId, status } of outcome.started) {
      deps.telemetry.log('info', 'upload has its job', { upload, jobId, status });
    }
  } catch (error) {
    if (!isCounterweightError(error) || error.code !== 'INVALID_INPUT') throw error;
    deps.telemetry.log('warn', 'upload refused', { upload, code: error.code, issues: rulesOf(error) });
  }
}

export const handler = onFirstCall(realDeps, makeOnUpload);
