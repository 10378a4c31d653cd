import { type FunctionDeps, realDeps } from './lib/deps.ts';
import type { EventHandler } from './lib/events.ts';
import { makeEventHandler, onFirstCall } from './lib/lambda.ts';
import { startUpload } from './lib/start-upload.ts';
import { uploadedKeys } from './lib/upload-event.ts';

/** An object was created in the bucket: S3 notification, or EventBridge "Object Created". */
export function makeOnUpload(deps: FunctionDeps): EventHandler {
  return makeEventHandler(deps, async (event) => {
    const keys = uploadedKeys(event);
    if (keys.length === 0) deps.telemetry.log('info', 'event ignored', { reason: 'it tells of no upload' });
    const failures: unknown[] = [];
    for (const key of keys) await startUpload(deps, key).catch((error: unknown) => failures.push(error));
    // Only after all keys had their turn; those that started find their job when the event comes again.
    if (failures.length > 0) throw failures[0];
  });
}

export const handler = onFirstCall(realDeps, makeOnUpload);
