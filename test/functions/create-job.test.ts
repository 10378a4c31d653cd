import { describe, expect, it } from 'vitest';
import { StorageError } from '../../core/errors.ts';
import { makeCreateJob } from '../../functions/create-job.ts';
import { jobViewSchema } from '../../functions/lib/job-view.ts';
import { AUDIT, MITIGATION, SWEEP } from '../core/jobs/fixtures.ts';
import { apiEvent } from './events.ts';
import { bodyOf, makeFunctionDeps, makeReadyDeps } from './fixtures.ts';

describe('POST /v1/jobs', () => {
  it.each([AUDIT, MITIGATION, SWEEP])('accepts a job and says where to follow it (%#)', async (request) => {
    const deps = await makeReadyDeps();
    const response = await makeCreateJob(deps)(apiEvent({ body: request }));
    const job = jobViewSchema.parse(bodyOf(response));
    expect(response.statusCode).toBe(202);
    expect(job).toMatchObject({ status: 'queued', kind: request.kind });
    expect(response.headers.location).toBe(`/v1/jobs/${job.jobId}`);
    expect(response.body).not.toContain('uploads/');
  });

  it('makes one job of twenty equal requests at once, whatever the order of their keys', async () => {
    const deps = await makeReadyDeps();
    const handler = makeCreateJob(deps);
    const reversed = Object.fromEntries(Object.entries(MITIGATION).reverse());
    const responses = await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        handler(apiEvent({ body: index % 2 ? MITIGATION : reversed })),
      ),
    );
    expect(new Set(responses.map(({ statusCode }) => statusCode))).toEqual(new Set([202]));
    expect(new Set(responses.map((response) => bodyOf(response).jobId)).size).toBe(1);
    expect(deps.queues.gpu.works.size).toBe(1);
    expect(deps.store.keys('jobs/')).toHaveLength(1);
  });

  it('makes another job of the same request under another Idempotency-Key', async () => {
    const deps = await makeReadyDeps();
    const handler = makeCreateJob(deps);
    const ids: unknown[] = [];
    for (const key of ['monday', 'monday', 'tuesday']) {
      const response = await handler(apiEvent({ body: AUDIT, headers: { 'idempotency-key': key } }));
      ids.push(bodyOf(response).jobId);
    }
    expect(ids[1]).toBe(ids[0]);
    expect(ids[2]).not.toBe(ids[0]);
  });

  it('refuses an Idempotency-Key that belongs to another request', async () => {
    const handler = makeCreateJob(await makeReadyDeps());
    const headers = { 'idempotency-key': 'monday' };
    await handler(apiEvent({ body: AUDIT, headers }));
    const response = await handler(apiEvent({ body: MITIGATION, headers }));
    expect(response.statusCode).toBe(409);
    expect(bodyOf(response)).toMatchObject({ code: 'CONFLICT' });
  });

  it('says which input was never uploaded, not where it should lie', async () => {
    const response = await makeCreateJob(makeFunctionDeps())(apiEvent({ body: AUDIT }));
    expect(response.statusCode).toBe(400);
    expect(bodyOf(response).issues).toEqual([
      '"predictions" must name an object that was uploaded, found none',
    ]);
    expect(response.body).not.toContain('uploads/');
  });

  it('answers 503 while the queue is down, and makes one job once it is up', async () => {
    const deps = await makeReadyDeps();
    const handler = makeCreateJob(deps);
    deps.queues.cpu.before = () => {
      throw new StorageError('batch.eu-west-1.amazonaws.com: connection refused');
    };
    const response = await handler(apiEvent({ body: AUDIT }));
    expect(response.statusCode).toBe(503);
    expect(response.body).not.toContain('amazonaws');
    deps.queues.cpu.before = () => {};
    expect((await handler(apiEvent({ body: AUDIT }))).statusCode).toBe(202);
    expect(deps.queues.cpu.works.size).toBe(1);
  });
});
