import { describe, expect, it } from 'vitest';
import { submitJob } from '../../core/jobs/submit-job.ts';
import { jobListSchema } from '../../functions/lib/job-view.ts';
import { makeListJobs } from '../../functions/list-jobs.ts';
import { AUDIT } from '../core/jobs/fixtures.ts';
import { apiEvent } from './events.ts';
import { bodyOf, makeReadyDeps } from './fixtures.ts';

async function makeListed(size: number) {
  const deps = await makeReadyDeps();
  for (let index = 0; index < size; index += 1) {
    deps.wait(1);
    await submitJob(deps, AUDIT, { idempotencyKey: String(index) });
  }
  const list = async (query?: Record<string, string>) => {
    const response = await makeListJobs(deps)(
      apiEvent({ method: 'GET', path: '/v1/jobs', ...(query && { query }) }),
    );
    return { status: response.statusCode, body: bodyOf(response), text: response.body };
  };
  return { deps, list };
}

describe('GET /v1/jobs', () => {
  it('lists 20 jobs, the newest first, and says how to go on', async () => {
    const { list } = await makeListed(25);
    const first = jobListSchema.parse((await list()).body);
    expect(first.jobs).toHaveLength(20);
    const second = jobListSchema.parse((await list({ after: first.next! })).body);
    expect(second.jobs).toHaveLength(5);
    const times = [...first.jobs, ...second.jobs].map(({ createdAt }) => createdAt);
    expect(times.toSorted().reverse()).toEqual(times);
  });

  it('lists by status', async () => {
    const { list } = await makeListed(2);
    expect((await list({ status: 'queued' })).body.jobs).toHaveLength(2);
    expect((await list({ status: 'failed' })).body.jobs).toEqual([]);
  });

  it('says nothing of what a job was made of', async () => {
    const { list } = await makeListed(1);
    const { text } = await list();
    for (const word of ['uploads/', 'columns', 'cpu-1']) expect(text).not.toContain(word);
  });

  it.each([
    { limit: '0' },
    { limit: '101' },
    { limit: 'x' },
    { limit: '' },
    { status: 'lost' },
    { after: '../x' },
    { page: '1' },
  ])('refuses %j', async (query) => {
    const { list } = await makeListed(0);
    expect((await list(query)).status).toBe(400);
  });
});
