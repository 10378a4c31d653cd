import type { HttpEvent, HttpHandler, HttpResponse } from './events.ts';
import { codeOf, type Problem, problemOf } from './problem.ts';
import { parseRequest, refusalOf } from './request.ts';
import type { ApiAnswer, ApiRequest, Route } from './route.ts';
import type { Telemetry } from './telemetry.ts';

const RETRY_AFTER_SECONDS = '5';

const HEADERS = {
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'referrer-policy': 'no-referrer',
  'strict-transport-security': 'max-age=63072000',
  'x-content-type-options': 'nosniff',
};

interface HttpDeps {
  readonly telemetry: Telemetry;
  readonly now: () => Date;
}

type Answer<R extends Route> = (request: ApiRequest<R>) => Promise<ApiAnswer>;

/**
 * A handler that parses what the route takes, answers in JSON, and tells of every error what a client may know.
 *
 * @param answer  sees parsed values only; may throw any error
 */
export function makeApiHandler<R extends Route>(
  route: R,
  { telemetry, now }: HttpDeps,
  answer: Answer<R>,
): HttpHandler {
  return async (event) => {
    const start = now().getTime();
    const requestId = requestIdOf(event);
    const { response, code } = await respond({ route, event, requestId }, answer);
    telemetry.log(response.statusCode >= 500 ? 'error' : 'info', 'request', {
      requestId,
      route: `${route.method} ${route.path}`,
      status: response.statusCode,
      ...(code !== undefined && { code }),
      durationMs: now().getTime() - start,
    });
    return response;
  };
}

interface Call<R extends Route> {
  readonly route: R;
  readonly event: HttpEvent;
  readonly requestId: string;
}

/** `code` says in the log why there is no answer. */
async function respond<R extends Route>(
  { route, event, requestId }: Call<R>,
  answer: Answer<R>,
): Promise<{ response: HttpResponse; code?: string }> {
  try {
    const refusal = refusalOf(route, event);
    if (refusal !== null) return refuse(refusal, requestId);
    const { status, body, headers } = await answer(parseRequest(route, event));
    const own = { 'content-type': 'application/json', 'x-request-id': requestId };
    return { response: jsonResponse({ status, body, headers: { ...own, ...headers } }) };
  } catch (error) {
    return { ...refuse(problemOf(error), requestId), code: codeOf(error) };
  }
}

/** An id of the gateway, so that it is safe to print. */
function requestIdOf({ requestContext }: HttpEvent): string {
  const id = requestContext?.requestId ?? '';
  return /^[\w=+./-]{1,128}$/.test(id) ? id : 'unknown';
}

function refuse({ status, ...problem }: Problem, requestId: string) {
  const headers = {
    'content-type': 'application/problem+json',
    'x-request-id': requestId,
    ...(status === 503 && { 'retry-after': RETRY_AFTER_SECONDS }),
  };
  const response = jsonResponse({ status, body: { ...problem, requestId }, headers });
  return { response, code: problem.code };
}

function jsonResponse({ status, body, headers }: Required<ApiAnswer>): HttpResponse {
  return { statusCode: status, headers: { ...HEADERS, ...headers }, body: JSON.stringify(body) };
}
