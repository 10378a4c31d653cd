import { findJob } from '../core/jobs/find-job.ts';
import { resultLinks } from '../core/jobs/results.ts';
import { type FunctionDeps, realDeps } from './lib/deps.ts';
import type { HttpHandler } from './lib/events.ts';
import { makeApiHandler } from './lib/http.ts';
import { jobView } from './lib/job-view.ts';
import { onFirstCall } from './lib/lambda.ts';
import { codeOf } from './lib/problem.ts';
import { ROUTES } from './lib/routes.ts';

/** Long enough to fetch a model, short enough that a link in a mail is of no use to its next reader. */
const LINK_SECONDS = 15 * 60;

/** GET /v1/jobs/{id} */
export function makeGetJob(deps: FunctionDeps): HttpHandler {
  return makeApiHandler(ROUTES.getJob, deps, async ({ params: { id } }) => {
    const { record, progress, reconcileError } = await findJob(deps, id);
    if (reconcileError !== undefined) {
      deps.telemetry.log('warn', 'queue not asked', { jobId: id, code: codeOf(reconcileError) });
    }
    const links = await resultLinks(deps.store, record, { seconds: LINK_SECONDS });
    return { status: 200, body: jobView(record, { progress, links, linkSeconds: LINK_SECONDS }) };
  });
}

export const handler = onFirstCall(realDeps, makeGetJob);
