import { describe, expect, it } from 'vitest';
import { submitJob } from '../../core/jobs/submit-job.ts';
import { makeCancelJob } from '../../functions/cancel-job.ts';
import { jobViewSchema } from '../../functions/lib/job-view.ts';
import { MITIGATION } from '../core/jobs/fixtures.ts';
import { apiEvent } from './events.ts';
import { bodyOf, makeReadyDeps } from './fixtures.ts';

describe('DELETE /v1/jobs/{id}', () => {
  it('cancels a job, once or twice', async () => {
    const deps = await makeReadyDeps();
    const { jobId } = await submitJob(deps, MITIGATION);
    const event = apiEvent({ method: 'DELETE', path: '/v1/jobs/{id}', params: { id: jobId } });
    for (const _ of [1, 2]) {
      const response = await makeCancelJob(deps)(event);
      expect(response.statusCode).toBe(200);
      expect(jobViewSchema.parse(bodyOf(response))).toMatchObject({ jobId, status: 'cancelled' });
    }
    expect(deps.queues.gpu.terminated[0]?.[0]).toBe('gpu-1');
  });

  it('answers 409 for a job that has ended', async () => {
    const deps = await makeReadyDeps();
    const record = await submitJob(deps, MITIGATION);
    await deps.store.put(`jobs/${record.jobId}/record.json`, { ...record, status: 'failed' });
    const params = { id: record.jobId };
    const response = await makeCancelJob(deps)(apiEvent({ method: 'DELETE', path: '/v1/jobs/{id}', params }));
    expect(response.statusCode).toBe(409);
  });
});
