import { describe, expect, it } from 'vitest';
import { MAX_BODY_BYTES, parseRequest, refusalOf } from '../../../functions/lib/request.ts';
import { ROUTES } from '../../../functions/lib/routes.ts';
import { AUDIT } from '../../core/jobs/fixtures.ts';
import { apiEvent } from '../events.ts';

const { createJob, listJobs, getJob } = ROUTES;

describe('refusalOf', () => {
  it.each(['application/json', 'Application/JSON; charset=utf-8', ' application/json ;x'])(
    'lets the type %j through',
    (type) => {
      expect(refusalOf(createJob, apiEvent({ body: AUDIT, headers: { 'content-type': type } }))).toBeNull();
    },
  );

  it.each(['text/plain', 'application/jsonp', 'multipart/form-data; a=application/json', ''])(
    'answers 415 to the type %j',
    (type) => {
      const event = apiEvent({ body: AUDIT, headers: { 'content-type': type } });
      expect(refusalOf(createJob, event)?.status).toBe(415);
    },
  );

  it('answers 415 to a body without a type, and to no headers at all', () => {
    expect(refusalOf(createJob, apiEvent())?.status).toBe(415);
    expect(refusalOf(createJob, { body: '{}' })?.status).toBe(415);
  });

  it.each([false, true])(
    'lets 1 MiB through and answers 413 to a byte more, base64 %s',
    (isBase64Encoded) => {
      const spell = (size: number) => {
        const text = 'ü'.repeat(size / 2) + 'x'.repeat(size % 2);
        return isBase64Encoded ? Buffer.from(text).toString('base64') : text;
      };
      const refusal = (size: number) =>
        refusalOf(createJob, { ...apiEvent({ body: spell(size) }), isBase64Encoded });
      expect(refusal(MAX_BODY_BYTES)).toBeNull();
      expect(refusal(MAX_BODY_BYTES + 1)?.status).toBe(413);
    },
  );

  it('asks nothing of a route without a body', () => {
    expect(refusalOf(listJobs, {})).toBeNull();
  });
});

describe('parseRequest', () => {
  it('reads a body, encoded or not', () => {
    const body = JSON.stringify(AUDIT);
    const plain = parseRequest(createJob, apiEvent({ body }));
    const encoded = { ...apiEvent({ body: Buffer.from(body).toString('base64') }), isBase64Encoded: true };
    expect(plain.body).toEqual(AUDIT);
    expect(parseRequest(createJob, encoded).body).toEqual(AUDIT);
  });

  it('refuses bytes that are no UTF-8, and an empty body', () => {
    const body = Buffer.from([0x22, 0xff, 0x22]).toString('base64');
    const event = { ...apiEvent({ body }), isBase64Encoded: true };
    expect(() => parseRequest(createJob, event)).toThrow('expected text in UTF-8');
    expect(() => parseRequest(createJob, {})).toThrow('no JSON');
  });

  it('reads path and query, and fills in defaults', () => {
    expect(parseRequest(getJob, apiEvent({ params: { id: 'a-1' } })).params).toEqual({ id: 'a-1' });
    expect(parseRequest(listJobs, apiEvent({ query: { limit: '7' } })).query).toEqual({ limit: 7 });
    expect(parseRequest(listJobs, {}).query).toEqual({ limit: 20 });
    expect(() => parseRequest(getJob, {})).toThrow('path: "id" is missing');
  });

  it('binds an idempotency key to its caller', () => {
    const keyOf = (event: Parameters<typeof parseRequest>[1]) =>
      parseRequest(createJob, { ...event, body: JSON.stringify(AUDIT) }).idempotencyKey;
    const headers = { 'idempotency-key': 'monday' };
    const jwt = { requestContext: { authorizer: { jwt: { claims: { sub: 'bob' } } } }, headers };
    const keys = [keyOf(apiEvent({ headers })), keyOf(jwt), keyOf({ headers })];
    expect(keys).toEqual([
      'api:arn:aws:iam::123456789012:user/alice:monday',
      'api:bob:monday',
      'api::monday',
    ]);
    expect(keyOf({})).toBeUndefined();
  });

  it('takes all sessions of one role for one caller, and two roles for two', () => {
    const keyOf = (userArn: string) => {
      const requestContext = { authorizer: { iam: { userArn } } };
      const headers = { 'idempotency-key': 'monday' };
      return parseRequest(createJob, { requestContext, headers, body: JSON.stringify(AUDIT) }).idempotencyKey;
    };
    const role = 'arn:aws-us-gov:sts::123456789012:assumed-role/nightly';
    expect([`${role}/i-0a1b`, `${role}/alice@example.org`].map(keyOf)).toEqual([
      `api:${role}:monday`,
      `api:${role}:monday`,
    ]);
    expect(keyOf('arn:aws:sts::123456789012:assumed-role/nightly-2/i-0a1b')).not.toBe(
      keyOf(`${role}/i-0a1b`),
    );
    const federated = 'arn:aws:sts::123456789012:federated-user/bob';
    expect(keyOf(federated)).toBe(`api:${federated}:monday`);
  });

  it.each(['', 'a b', 'ü', 'x'.repeat(201), 'a\n'])('refuses the idempotency key %j', (key) => {
    const event = apiEvent({ body: AUDIT, headers: { 'idempotency-key': key } });
    expect(() => parseRequest(createJob, event)).toThrow(expect.objectContaining({ code: 'INVALID_INPUT' }));
  });

  it('reads no idempotency key where a route takes none', () => {
    const event = apiEvent({ headers: { 'idempotency-key': 'a b' } });
    expect(parseRequest(listJobs, event).idempotencyKey).toBeUndefined();
  });
});
