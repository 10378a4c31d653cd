import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { InvalidInputError, StorageError } from '../../../core/errors.ts';
import { makeApiHandler } from '../../../functions/lib/http.ts';
import type { ApiAnswer, Route } from '../../../functions/lib/route.ts';
import { apiEvent } from '../events.ts';
import { bodyOf, makeFunctionDeps } from '../fixtures.ts';

const ROUTE = {
  method: 'POST',
  path: '/v1/things',
  summary: '',
  body: z.strictObject({ n: z.int() }),
  answers: {},
} as const satisfies Route;

async function call(answer: () => Promise<ApiAnswer>, event = apiEvent({ body: { n: 1 } })) {
  const deps = makeFunctionDeps();
  const response = await makeApiHandler(ROUTE, deps, answer)(event);
  return { response, log: deps.logs(), written: deps.written.join() };
}
const fail = (error: unknown) => () => Promise.reject(error);

describe('makeApiHandler', () => {
  it('answers in JSON with headers that forbid caching, sniffing and framing', async () => {
    const { response, log } = await call(async () => ({
      status: 201,
      body: { a: 1 },
      headers: { location: '/x' },
    }));
    expect(response).toMatchObject({ statusCode: 201, body: '{"a":1}' });
    expect(response.headers).toMatchObject({
      'content-type': 'application/json',
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      'strict-transport-security': expect.stringContaining('max-age='),
      'content-security-policy': expect.stringContaining("default-src 'none'"),
      location: '/x',
    });
    expect(log).toEqual([
      expect.objectContaining({ level: 'info', message: 'request', route: 'POST /v1/things', status: 201 }),
    ]);
  });

  it('says in body, header and log by which id a request is known', async () => {
    const event = apiEvent({ body: { n: 1 } });
    const { response, log } = await call(fail(new InvalidInputError('no')), event);
    const { requestId } = event.requestContext!;
    expect([bodyOf(response).requestId, response.headers['x-request-id'], log[0]?.requestId]).toEqual(
      Array.from({ length: 3 }, () => requestId),
    );
  });

  it.each([undefined, '', 'a b', '<script>', 'x'.repeat(129)])(
    'does not print the request id %j',
    async (requestId) => {
      const event = {
        ...apiEvent({ body: { n: 1 } }),
        requestContext: { ...(requestId !== undefined && { requestId }) },
      };
      const { response } = await call(async () => ({ status: 200, body: {} }), event);
      expect(response.headers['x-request-id']).toBe('unknown');
    },
  );

  it('names every issue of a body', async () => {
    const { response } = await call(fail(null), apiEvent({ body: { n: 'x', m: 1 } }));
    expect(response.headers['content-type']).toBe('application/problem+json');
    expect(bodyOf(response)).toMatchObject({
      code: 'INVALID_INPUT',
      issues: ['"n" must be a number, received text of 1 character', 'unknown key "m"'],
    });
  });

  it('refuses a body of another type before it reads it', async () => {
    const { response, log } = await call(
      fail(null),
      apiEvent({ body: '{', headers: { 'content-type': 'text/csv' } }),
    );
    expect(bodyOf(response)).toMatchObject({ code: 'UNSUPPORTED_TYPE' });
    expect(log[0]).toMatchObject({ status: 415, code: 'UNSUPPORTED_TYPE' });
  });

  it.each([new TypeError('row 7 of s3://bucket'), 'row 7 of s3://bucket', { stack: 'row 7 of s3://bucket' }])(
    'answers 500 to anything unforeseen, and keeps its text to itself (%#)',
    async (error) => {
      const { response, written, log } = await call(fail(error));
      expect(response.statusCode).toBe(500);
      expect(bodyOf(response)).toEqual({
        code: 'INTERNAL',
        message: expect.stringContaining('requestId'),
        requestId: expect.any(String),
      });
      expect(log[0]).toMatchObject({ level: 'error', code: expect.stringContaining('INTERNAL') });
      for (const word of ['row 7', 'bucket', 'http.test.ts']) {
        expect(`${response.body}${written}`).not.toContain(word);
      }
    },
  );

  it('says when to come back while a service behind does not answer', async () => {
    const { response } = await call(fail(new StorageError('s3://bucket')));
    expect(response.statusCode).toBe(503);
    expect(response.headers['retry-after']).toBe('5');
    expect(response.body).not.toContain('bucket');
  });
});
