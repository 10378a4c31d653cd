import { createUpload } from '../core/jobs/uploads.ts';
import { type FunctionDeps, realDeps } from './lib/deps.ts';
import type { HttpHandler } from './lib/events.ts';
import { makeApiHandler } from './lib/http.ts';
import { onFirstCall } from './lib/lambda.ts';
import { ROUTES } from './lib/routes.ts';

/** POST /v1/uploads */
export function makeCreateUpload(deps: FunctionDeps): HttpHandler {
  return makeApiHandler(ROUTES.createUpload, deps, async ({ body }) => ({
    status: 201,
    body: await createUpload(deps, body),
  }));
}

export const handler = onFirstCall(realDeps, makeCreateUpload);
