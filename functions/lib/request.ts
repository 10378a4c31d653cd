import { z } from 'zod';
import { parseWith } from '../../core/data/parse.ts';
import { InvalidInputError } from '../../core/errors.ts';
import { parseJson } from '../../core/jobs/json.ts';
import type { HttpEvent } from './events.ts';
import type { Problem } from './problem.ts';
import type { ApiRequest, Route } from './route.ts';

export const MAX_BODY_BYTES = 2 ** 20;

const TOO_LARGE: Problem = {
  status: 413,
  code: 'TOO_LARGE',
  message: `body: expected at most ${MAX_BODY_BYTES} bytes, received more`,
};
const NOT_JSON: Problem = {
  status: 415,
  code: 'UNSUPPORTED_TYPE',
  message: 'Content-Type: expected application/json, received another type or none',
};

/** What is wrong with a request before its body is read; null when nothing is. */
export function refusalOf(route: Route, event: HttpEvent): Problem | null {
  if (route.body === undefined) return null;
  const { body = '', isBase64Encoded, headers } = event;
  if (Buffer.byteLength(body, isBase64Encoded ? 'base64' : 'utf8') > MAX_BODY_BYTES) return TOO_LARGE;
  return /^\s*application\/json\s*(?:;|$)/i.test(headers?.['content-type'] ?? '') ? null : NOT_JSON;
}

/**
 * Values of a request that fit the route's schemas.
 *
 * @throws InvalidInputError naming each part that does not (`details.issues`)
 */
export function parseRequest<R extends Route>(route: R, event: HttpEvent): ApiRequest<R> {
  const { params, query, body, takesIdempotencyKey } = route;
  const request = {
    params: params && parseWith(params, event.pathParameters ?? {}, 'path'),
    query: query && parseWith(query, event.queryStringParameters ?? {}, 'query'),
    body: body && parseWith(body, parseJson(textOf(event), 'body'), 'body'),
    idempotencyKey: takesIdempotencyKey ? idempotencyKeyOf(event) : undefined,
  };
  return request as ApiRequest<R>;
}

function textOf({ body = '', isBase64Encoded }: HttpEvent): string {
  try {
    const bytes = Buffer.from(body, isBase64Encoded ? 'base64' : 'utf8');
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new InvalidInputError(
      'body: expected text in UTF-8, received other bytes',
      { where: 'body' },
      { cause },
    );
  }
}

const idempotencyKeySchema = z
  .string()
  .max(200)
  .regex(/^[\x21-\x7e]+$/, 'must be visible ASCII characters');

/** What ends the ARN of an assumed role: another one for each login, and for each container of one program. */
const SESSION = /^(arn:[^:]*:sts::\d*:assumed-role\/[^/]+)\/.*$/s;

function idempotencyKeyOf({ headers, requestContext }: HttpEvent): string | undefined {
  const given = headers?.['idempotency-key'];
  if (given === undefined) return undefined;
  const key = parseWith(idempotencyKeySchema, given, 'Idempotency-Key');
  const { iam, jwt } = requestContext?.authorizer ?? {};
  return `api:${iam?.userArn?.replace(SESSION, '$1') ?? String(jwt?.claims?.sub ?? '')}:${key}`;
}
