import { listJobs } from '../core/jobs/list-jobs.ts';
import { type FunctionDeps, realDeps } from './lib/deps.ts';
import type { HttpHandler } from './lib/events.ts';
import { makeApiHandler } from './lib/http.ts';
import { jobSummary } from './lib/job-view.ts';
import { onFirstCall } from './lib/lambda.ts';
import { ROUTES } from './lib/routes.ts';

/** GET /v1/jobs */
export function makeListJobs(deps: FunctionDeps): HttpHandler {
  return makeApiHandler(ROUTES.listJobs, deps, async ({ query }) => {
    const { jobs, damaged, next } = await listJobs(deps, query);
    if (damaged > 0) deps.telemetry.log('error', 'job records left out', { reason: `${damaged} damaged` });
    return { status: 200, body: { jobs: jobs.map(jobSummary), ...(next !== undefined && { next }) } };
  });
}

export const handler = onFirstCall(realDeps, makeListJobs);
