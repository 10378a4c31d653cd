import { submitJob } from '../core/jobs/submit-job.ts';
import { accepted } from './lib/answers.ts';
import { type FunctionDeps, realDeps } from './lib/deps.ts';
import type { HttpHandler } from './lib/events.ts';
import { makeApiHandler } from './lib/http.ts';
import { onFirstCall } from './lib/lambda.ts';
import { ROUTES } from './lib/routes.ts';

/** POST /v1/jobs */
export function makeCreateJob(deps: FunctionDeps): HttpHandler {
  return makeApiHandler(ROUTES.createJob, deps, async ({ body, idempotencyKey }) =>
    accepted(await submitJob(deps, body, { idempotencyKey })),
  );
}

export const handler = onFirstCall(realDeps, makeCreateJob);
