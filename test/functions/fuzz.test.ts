import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { JobRecord } from '../../core/jobs/record.ts';
import { submitJob } from '../../core/jobs/submit-job.ts';
import { makeCancelJob } from '../../functions/cancel-job.ts';
import { makeCreateAudit } from '../../functions/create-audit.ts';
import { makeCreateJob } from '../../functions/create-job.ts';
import { makeCreateUpload } from '../../functions/create-upload.ts';
import { makeGetJob } from '../../functions/get-job.ts';
import { makeGetOpenapi } from '../../functions/get-openapi.ts';
import type { HttpEvent, HttpHandler, HttpResponse } from '../../functions/lib/events.ts';
import { openapiDocument } from '../../functions/lib/openapi.ts';
import { ROUTES } from '../../functions/lib/routes.ts';
import { makeListJobs } from '../../functions/list-jobs.ts';
import { AUDIT, MITIGATION, MODEL_AUDIT, publish, SWEEP } from '../core/jobs/fixtures.ts';
import { apiEvent } from './events.ts';
import { type FunctionTestDeps, makeReadyDeps } from './fixtures.ts';
import { type Hints, type JsonSchema, mutated, schemaArbitrary } from './schema-arbitrary.ts';

const REQUESTS = 10_000;
/** Of this process, however busy the machine is. */
const LIMIT_MS = 25_000;
/** Requests that one store serves, so that listings do not grow without end. */
const PER_STORE = 400;

type Name = keyof typeof ROUTES;

const FACTORIES: Readonly<Record<Name, (deps: FunctionTestDeps) => HttpHandler>> = {
  createAudit: makeCreateAudit,
  createJob: makeCreateJob,
  listJobs: makeListJobs,
  getJob: makeGetJob,
  cancelJob: makeCancelJob,
  createUpload: makeCreateUpload,
  getOpenapi: makeGetOpenapi,
};

/** Planted in rows and in keys of others; no answer and no log line may hold one. */
const ROW = 'ROW-CANARY-4711';
const KEY = 'KEY-CANARY-4711';

const TABLES = {
  'uploads/t/good.csv': `y,sex,p,part,note\n1,f,0.9,a,${ROW}\n0,f,0.1,b,${ROW}\n1,m,0.7,a,x\n0,m,0.6,b,x\n`,
  'uploads/t/cell.csv': `y,sex,p,part\n1,f,0.9,a\n0,f,${ROW},b\n`,
  'uploads/t/labels.csv': `y,sex,p,part\n${ROW},f,0.9,a\n0,f,0.2,b\nx,f,0.1,b\n`,
  'uploads/t/headless.csv': `1,${ROW},0.9\n0,f,0.2\n`,
  'uploads/t/torn.csv': `y,sex,p,part\n1,f,0.9,${ROW},7\n`,
  'uploads/t/quote.csv': `y,sex,p,part\n1,"${ROW},0.9,a\n`,
  'uploads/t/binary.csv': `y,sex,p\u0000${ROW}`,
  'uploads/t/empty.csv': '',
};

/** Jobs that are there from the start, in every state. */
const STATUSES = ['queued', 'running', 'succeeded', 'failed', 'cancelled'] as const;
const jobIdFor = (status: string) => `job-${status}`;

async function makeTarget() {
  const deps = await makeReadyDeps();
  for (const [key, table] of Object.entries(TABLES)) await deps.store.put(key, table);
  const template = await submitJob(deps, MITIGATION);
  for (const status of STATUSES) {
    const jobId = jobIdFor(status);
    const request = { ...MITIGATION, manifest: `uploads/${KEY}/labels.csv`, model: `uploads/${KEY}/model` };
    const message = `/tmp/x/uploads/${KEY}/labels.csv, line 2, column "y": received "${ROW}"`;
    const record: JobRecord = {
      ...template,
      jobId,
      request,
      status,
      results: ['run.json', 'report.html'],
      ...(status === 'failed' && { error: { code: 'INVALID_INPUT', message } }),
    };
    await deps.store.put(`jobs/${jobId}/record.json`, record);
    await publish(deps.store, record);
  }
  await deps.store.put(`definitions/${KEY.toLowerCase()}.json`, { request: AUDIT });
  const handlers = Object.entries(FACTORIES).map(([name, make]) => [name, make(deps)] as const);
  return { deps, handlers: Object.fromEntries(handlers) as Record<Name, HttpHandler> };
}

const HINTS: Hints = {
  predictions: [
    ...Object.keys(TABLES),
    ...Array.from({ length: 8 }, () => 'uploads/t/good.csv'),
    'uploads/t/none.csv',
  ],
  model: ['uploads/set/model/', 'uploads/set/model', 'uploads/none'],
  manifest: ['uploads/set/labels.csv'],
  label: ['y'],
  sensitiveFeatures: ['sex', 'part'],
  score: ['p'],
  prediction: ['p', 'note'],
  positiveLabel: ['1'],
  subject: ['note', 'y'],
  image: ['note'],
  split: ['part'],
  only: ['a', 'a', 'b', 'c'],
  name: ['scores.csv', 'counterweight.json', 'model/w.bin', 'a.exe', '../x.csv'],
  id: [...STATUSES.map(jobIdFor), 'job-unknown'],
  after: STATUSES.map(jobIdFor),
};

/** Requests that go all the way; what is mutated of them goes nearly so far. */
const VALID: Readonly<Partial<Record<Name, readonly unknown[]>>> = {
  createAudit: [...Object.keys(TABLES).map((predictions) => ({ ...AUDIT, predictions })), AUDIT, MODEL_AUDIT],
  createJob: [AUDIT, MODEL_AUDIT, MITIGATION, SWEEP],
  createUpload: [{ name: 'scores.csv', bytes: 1000 }],
};

interface Operation {
  readonly operationId: Name;
  readonly parameters: readonly { readonly name: string; readonly in: string; readonly schema: JsonSchema }[];
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: JsonSchema }>> };
}

const OPERATIONS = Object.values(
  openapiDocument().paths as Record<string, Record<string, Operation>>,
).flatMap((path) => Object.values(path));

const asText = (value: unknown): string =>
  typeof value === 'string' ? value : String(JSON.stringify(value));

/** What may go wrong on the way of a request, whatever it says. */
const TRANSPORT = fc.record({
  type: fc.oneof(
    { weight: 8, arbitrary: fc.constantFrom('application/json', 'application/json; charset=utf-8') },
    { weight: 1, arbitrary: fc.constantFrom('text/plain', '') },
  ),
  key: fc.option(fc.constantFrom('monday', 'monday', 'tuesday', '', 'ü', 'x'.repeat(300)), { freq: 2 }),
  body: fc.oneof(
    { weight: 8, arbitrary: fc.constant('whole') },
    { weight: 2, arbitrary: fc.constantFrom('cut', 'deep', 'base64', 'called base64', 'bytes', 'none') },
  ),
});

function eventArbitrary({
  operationId,
  parameters,
  requestBody,
}: Operation): fc.Arbitrary<[Name, HttpEvent]> {
  const within = (where: string) => {
    const own = parameters.filter((parameter) => parameter.in === where);
    const properties = Object.fromEntries(own.map(({ name, schema }) => [name, schema]));
    return mutated(schemaArbitrary({ type: 'object', properties }, HINTS)).map((values) =>
      typeof values === 'object' && values !== null
        ? Object.fromEntries(Object.entries(values).map(([name, value]) => [name, asText(value)]))
        : {},
    );
  };
  const schema = requestBody?.content['application/json']?.schema;
  const valid = VALID[operationId] ?? [];
  const body =
    schema === undefined
      ? fc.constant(undefined)
      : mutated(fc.oneof(schemaArbitrary(schema, HINTS), fc.constantFrom(...valid)));
  return fc
    .record({ params: within('path'), query: within('query'), body, transport: TRANSPORT })
    .map(({ transport, ...parts }) => [operationId, makeEvent(parts, transport)]);
}

function makeEvent(
  { params, query, body }: { params: Record<string, string>; query: Record<string, string>; body: unknown },
  { type, key, body: how }: { type: string; key: string | null; body: string },
): HttpEvent {
  const text = JSON.stringify(body) ?? '';
  const spelled: Readonly<Record<string, string>> = {
    cut: text.slice(0, text.length / 2),
    deep: '['.repeat(5000) + ']'.repeat(5000),
    base64: Buffer.from(text).toString('base64'),
    bytes: Buffer.from([0xff, 0xfe, 0x00]).toString('base64'),
  };
  const headers = { 'content-type': type, ...(key !== null && { 'idempotency-key': key }) };
  const event = apiEvent({ params, query, headers, ...(how !== 'none' && { body: spelled[how] ?? text }) });
  return { ...event, isBase64Encoded: ['base64', 'called base64', 'bytes'].includes(how) };
}

/** @param stored  whether an object lies under a key, or below it */
function expectHarmless(
  event: HttpEvent,
  { statusCode, body }: HttpResponse,
  stored: (key: string) => boolean,
): void {
  expect(statusCode, body).toBeGreaterThanOrEqual(200);
  expect(statusCode, body).toBeLessThan(500);
  expect(() => JSON.parse(body)).not.toThrow();
  for (const word of [ROW, KEY, 'secret-bucket', '/tmp/', 'node_modules', '.ts:']) {
    expect(body).not.toContain(word);
  }
  expect(body).not.toMatch(/\n\s*at .+:\d+|\bat \S+ \(/);
  // A refusal may quote what the caller wrote; nothing else names what is in the bucket.
  const quoted = statusCode < 400 ? '' : sentIn(event);
  const keys: readonly string[] = body.match(KEYS) ?? [];
  expect(keys.filter((key) => !quoted.includes(key) && stored(key))).toEqual([]);
}

/** Whatever looks like a key of the bucket. */
const KEYS = /\b(?:uploads|jobs|results|tmp|requests|waiting|definitions|audits|locks)\/[\w./-]+/g;

/** All that a caller wrote, as one text. */
function sentIn({ body = '', isBase64Encoded, ...rest }: HttpEvent): string {
  const text = isBase64Encoded ? Buffer.from(body, 'base64').toString('utf8') : body;
  return `${body}\n${text}\n${JSON.stringify(rest)}`;
}

describe('any request', () => {
  it(`of ${REQUESTS} is answered with 2xx or 4xx and gives nothing away`, {
    timeout: 4 * LIMIT_MS,
  }, async () => {
    const start = process.cpuUsage();
    const seen = new Map<string, number>();
    let target = await makeTarget();
    let count = 0;
    const property = fc.asyncProperty(fc.oneof(...OPERATIONS.map(eventArbitrary)), async ([name, event]) => {
      count += 1;
      if (count % PER_STORE === 0) target = await makeTarget();
      const response = await target.handlers[name](event);
      expectHarmless(event, response, (key) => target.deps.store.keys(key).length > 0);
      const outcome = `${name} ${response.statusCode}`;
      seen.set(outcome, (seen.get(outcome) ?? 0) + 1);
      const written = target.deps.written.splice(0).join('');
      for (const word of [ROW, KEY, 'uploads/', '/tmp/']) expect(written).not.toContain(word);
    });
    await fc.assert(property, { numRuns: REQUESTS });
    // It reached what it was meant to reach: every answer of every route, and every refusal.
    const wanted = Object.entries(ROUTES).flatMap(([name, { answers }]) =>
      Object.keys(answers).map((status) => `${name} ${status}`),
    );
    const refusals = [
      'getJob 404',
      'cancelJob 409',
      'createJob 409',
      'createJob 400',
      'createJob 415',
      'createAudit 400',
    ];
    expect([...seen.keys()]).toEqual(expect.arrayContaining([...wanted, ...refusals]));
    const { user, system } = process.cpuUsage(start);
    expect((user + system) / 1000).toBeLessThan(LIMIT_MS);
  });
});
