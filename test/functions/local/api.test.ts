import { describe, expect, it } from 'vitest';
import { ROUTES } from '../../../functions/lib/routes.ts';
import { makeApi, toEvent } from '../../../functions/local/api.ts';
import { makeFunctionDeps } from '../fixtures.ts';

const match = makeApi(makeFunctionDeps());

function requestTo(url: string, { headers = {}, body = '' } = {}) {
  const method = 'POST';
  return { method, url: new URL(url, 'http://local'), headers, body: Buffer.from(body), requestId: 'r-1' };
}

describe('an address of the API', () => {
  it('has a handler for each operation, under its method and path', () => {
    for (const { method, path } of Object.values(ROUTES)) {
      expect(match(method, path.replace('{id}', 'job-1')), `${method} ${path}`).toHaveProperty('handler');
    }
  });

  it('gives one segment of the path for each name in it, decoded', () => {
    expect(match('GET', '/v1/jobs/zt3k0p1ab-8f')).toMatchObject({ params: { id: 'zt3k0p1ab-8f' } });
    expect(match('GET', '/v1/jobs/a%2Fb')).toMatchObject({ params: { id: 'a/b' } });
    expect(match('GET', '/v1/jobs/%E0%A4%A')).toMatchObject({ params: { id: '%E0%A4%A' } });
  });

  it('names its methods to who comes with another, and is none beside them', () => {
    expect(match('PUT', '/v1/jobs')).toEqual({ allow: ['POST', 'GET'] });
    expect(match('POST', '/v1/jobs/x')).toEqual({ allow: ['GET', 'DELETE'] });
    for (const path of ['/v1', '/v1/jobs/', '/v1/jobs/a/b', '/v1/openapiXjson', '/x/v1/jobs', '/']) {
      expect(match('GET', path), path).toBeNull();
    }
  });
});

describe('the event of a request', () => {
  it('is what API Gateway would make of it', () => {
    const headers = { 'content-type': 'application/json', 'set-cookie': ['a', 'b'] };
    const event = toEvent(requestTo('/v1/jobs?limit=2&a=1&a=2', { headers, body: '{"ä":1}' }), { id: 'x' });
    expect(event).toEqual({
      headers: { 'content-type': 'application/json', 'set-cookie': 'a, b' },
      pathParameters: { id: 'x' },
      queryStringParameters: { limit: '2', a: '1,2' },
      body: Buffer.from('{"ä":1}').toString('base64'),
      isBase64Encoded: true,
      requestContext: { requestId: 'r-1' },
    });
  });

  it('lacks what the request lacks, and names no signer', () => {
    expect(toEvent(requestTo('/v1/jobs'), {})).toEqual({ headers: {}, requestContext: { requestId: 'r-1' } });
  });
});
