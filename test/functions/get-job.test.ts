import { describe, expect, it } from 'vitest';
import { StorageError } from '../../core/errors.ts';
import { applyQueueState } from '../../core/jobs/queue-state.ts';
import type { JobRecord } from '../../core/jobs/record.ts';
import { submitJob } from '../../core/jobs/submit-job.ts';
import { makeGetJob } from '../../functions/get-job.ts';
import { jobViewSchema } from '../../functions/lib/job-view.ts';
import { MITIGATION, publish } from '../core/jobs/fixtures.ts';
import { apiEvent } from './events.ts';
import { bodyOf, makeReadyDeps } from './fixtures.ts';

async function makeShown() {
  const deps = await makeReadyDeps();
  const record = await submitJob(deps, MITIGATION);
  const get = async (id = record.jobId) => {
    const params = { id };
    const response = await makeGetJob(deps)(apiEvent({ method: 'GET', path: '/v1/jobs/{id}', params }));
    return { status: response.statusCode, body: bodyOf(response), text: response.body };
  };
  return { deps, record, get };
}

describe('GET /v1/jobs/{id}', () => {
  it('shows the settings of a job, not the keys of its inputs', async () => {
    const { get } = await makeShown();
    const { status, body, text } = await get();
    expect(status).toBe(200);
    expect(jobViewSchema.parse(body)).toMatchObject({ kind: 'mitigation', status: 'queued' });
    expect(body.settings).toMatchObject({ preset: 'robust', threshold: 0.5 });
    expect(text).not.toContain('uploads/');
  });

  it('shows the progress that the worker tells', async () => {
    const { get, deps, record } = await makeShown();
    const told = { stage: 'stage 1', done: 2, total: 10 };
    const updatedAt = deps.now().toISOString();
    await deps.store.put(`jobs/${record.jobId}/status.json`, { attempt: 2, updatedAt, progress: told });
    expect((await get()).body).toMatchObject({
      status: 'running',
      progress: { ...told, attempt: 2, updatedAt },
    });
  });

  it('links to report, run and model once the job has succeeded', async () => {
    const { get, deps, record } = await makeShown();
    await deps.store.put(`results/${record.jobId}/model/model.json`, {});
    await publish(deps.store, record);
    await applyQueueState(deps, record.jobId, deps.queues.gpu.set('gpu-1', { status: 'succeeded' }));
    const { body } = await get();
    expect(jobViewSchema.parse(body)).toMatchObject({
      status: 'succeeded',
      outcome: 'improved',
      linkSeconds: 900,
    });
    expect(Object.keys(body.links as object)).toEqual(['model/model.json', 'report.html', 'run.json']);
  });

  it('hears of the end whose event was lost', async () => {
    const { get, deps } = await makeShown();
    deps.queues.gpu.set('gpu-1', { status: 'failed', exitCode: 65 });
    deps.wait(60);
    expect((await get()).body).toMatchObject({ status: 'failed', error: { code: 'UNFIT' } });
  });

  it('shows the record and warns in the log while the queue does not answer', async () => {
    const { get, deps } = await makeShown();
    deps.queues.gpu.before = () => {
      throw new StorageError('down');
    };
    deps.wait(60);
    expect((await get()).body).toMatchObject({ status: 'queued' });
    expect(deps.logs()[0]).toMatchObject({ level: 'warn', message: 'queue not asked', code: 'STORAGE' });
  });

  it('shows why the worker failed without its paths, keys and cells', async () => {
    const { get, deps, record } = await makeShown();
    const message =
      '/tmp/counterweight-ab12/inputs/uploads/set/labels.csv, line 3, column "y": expected one spelling per group, received "CANARY" for /tmp/counterweight-ab12/inputs/uploads/set/images/p1.png';
    const failed: JobRecord = { ...record, status: 'failed', error: { code: 'INVALID_INPUT', message } };
    await deps.store.put(`jobs/${record.jobId}/record.json`, failed);
    expect((await get()).body.error).toEqual({
      code: 'INVALID_INPUT',
      message:
        'manifest, line 3, column "y": expected one spelling per group, received "…" for images/p1.png',
    });
  });

  it('answers 404 for an id that no job has, and 400 for what is no id', async () => {
    const { get } = await makeShown();
    expect(await get('a-1')).toMatchObject({ status: 404, body: { code: 'JOB_NOT_FOUND' } });
    expect((await get('../record')).status).toBe(400);
  });
});
