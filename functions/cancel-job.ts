import { cancelJob } from '../core/jobs/cancel-job.ts';
import { type FunctionDeps, realDeps } from './lib/deps.ts';
import type { HttpHandler } from './lib/events.ts';
import { makeApiHandler } from './lib/http.ts';
import { jobView } from './lib/job-view.ts';
import { onFirstCall } from './lib/lambda.ts';
import { ROUTES } from './lib/routes.ts';

/** DELETE /v1/jobs/{id} */
export function makeCancelJob(deps: FunctionDeps): HttpHandler {
  return makeApiHandler(ROUTES.cancelJob, deps, async ({ params: { id } }) => ({
    status: 200,
    body: jobView(await cancelJob(deps, id)),
  }));
}

export const handler = onFirstCall(realDeps, makeCancelJob);
