import { isId } from '../core/jobs/keys.ts';
import { applyQueueState } from '../core/jobs/queue-state.ts';
import { parseBatchEvent } from './lib/batch-event.ts';
import { type FunctionDeps, realDeps } from './lib/deps.ts';
import type { EventHandler } from './lib/events.ts';
import { makeEventHandler, onFirstCall } from './lib/lambda.ts';

/** EventBridge "Batch Job State Change" */
export function makeOnBatchState(deps: FunctionDeps): EventHandler {
  const { telemetry } = deps;
  return makeEventHandler(deps, async (event) => {
    const news = parseBatchEvent(event);
    if (news?.jobId == null || !isId(news.jobId)) {
      telemetry.log('info', 'event ignored', { reason: 'it tells of no job of ours' });
      return;
    }
    const { jobId, state } = news;
    const record = await applyQueueState(deps, jobId, state);
    if (record === null) {
      telemetry.log('warn', 'event ignored', { jobId, reason: 'the job has no record' });
      return;
    }
    const { status, error } = record;
    telemetry.log('info', 'job state', { jobId, status, ...(error && { code: error.code }) });
  });
}

export const handler = onFirstCall(realDeps, makeOnBatchState);
