import { type FunctionDeps, realTelemetry } from './lib/deps.ts';
import type { HttpHandler } from './lib/events.ts';
import { makeApiHandler } from './lib/http.ts';
import { onFirstCall } from './lib/lambda.ts';
import { openapiDocument } from './lib/openapi.ts';
import { ROUTES } from './lib/routes.ts';

/** GET /v1/openapi.json */
export function makeGetOpenapi(deps: Pick<FunctionDeps, 'telemetry' | 'now'>): HttpHandler {
  const body = openapiDocument();
  return makeApiHandler(ROUTES.getOpenapi, deps, async () => ({ status: 200, body }));
}

export const handler = onFirstCall(realTelemetry, makeGetOpenapi);
