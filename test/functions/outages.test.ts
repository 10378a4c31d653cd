import { describe, expect, it } from 'vitest';
import { StorageError } from '../../core/errors.ts';
import type { JobRecord } from '../../core/jobs/record.ts';
import { readRecord } from '../../core/jobs/records.ts';
import { makeCancelJob } from '../../functions/cancel-job.ts';
import { makeCreateAudit } from '../../functions/create-audit.ts';
import { makeCreateJob } from '../../functions/create-job.ts';
import { makeCreateUpload } from '../../functions/create-upload.ts';
import { makeGetJob } from '../../functions/get-job.ts';
import { makeAuditTable } from '../../functions/lib/audit-table.ts';
import { makeStartBackend } from '../../functions/lib/backend.ts';
import type { EventHandler, HttpHandler, HttpResponse } from '../../functions/lib/events.ts';
import { makeListJobs } from '../../functions/list-jobs.ts';
import { makeOnBatchState } from '../../functions/on-batch-state.ts';
import { makeOnSchedule } from '../../functions/on-schedule.ts';
import { makeOnUpload } from '../../functions/on-upload.ts';
import { makeRandom } from '../../worker/random.ts';
import { AUDIT, MITIGATION, publish, SWEEP } from '../core/jobs/fixtures.ts';
import { type ApiCall, apiEvent, batchEvent, s3Notification } from './events.ts';
import { bodyOf, type FunctionTestDeps, makeReadyDeps } from './fixtures.ts';

/** Tries that a client or EventBridge makes; ten calls in a row all come through once in 58 tries: (2/3)^10. */
const TRIES = 2000;

type Method = (...values: unknown[]) => unknown;

/** The same store or queue, of whose calls a third fails: half of those before they did anything, half after. */
function flaky<T extends object>(target: T, random: () => number): T {
  const fail = (isFailing: boolean) => {
    if (isFailing) throw new StorageError('GET https://secret-bucket.s3/uploads/x');
  };
  const get = (object: T, name: string | symbol) => {
    const method = Reflect.get(object, name) as Method;
    return (...values: unknown[]) => {
      const throwOf = random() * 6;
      if (name === 'list' || name === 'listKeys') {
        fail(throwOf < 2);
        return method(...values);
      }
      return (async () => {
        fail(throwOf < 1);
        const answer = await method(...values);
        fail(throwOf < 2);
        return answer;
      })();
    };
  };
  return new Proxy(target, { get });
}

async function makeFlaky(seed: number) {
  const deps = await makeReadyDeps();
  const { next } = makeRandom(seed);
  const { cpu, gpu } = deps.queues;
  const queues = { cpu: flaky(cpu, next), gpu: flaky(gpu, next) };
  const store = flaky(deps.store, next);
  const auditTable = makeAuditTable({ store, startBackend: makeStartBackend() });
  const failing: FunctionTestDeps = { ...deps, store, queues, auditTable };
  return { deps, failing };
}

/** Asks until the answer is none of an outage; each of those says when to ask again, and nothing else. */
async function ask(deps: FunctionTestDeps, handler: HttpHandler, call: ApiCall): Promise<HttpResponse> {
  for (let count = 0; count < TRIES; count += 1) {
    const response = await handler(apiEvent(call));
    if (response.statusCode !== 503) return response;
    expect(response.headers['retry-after']).toBe('5');
    expect(bodyOf(response)).toMatchObject({ code: 'UNAVAILABLE' });
    expect(response.body).not.toMatch(/bucket|uploads/);
    deps.wait(5);
  }
  throw new Error('no answer');
}

/** Delivers an event until its handler takes it. */
async function deliver(deps: FunctionTestDeps, handler: EventHandler, event: unknown): Promise<void> {
  for (let count = 0; count < TRIES; count += 1) {
    const isTaken = await handler(event).then(
      () => true,
      () => false,
    );
    if (isTaken) return;
    deps.wait(60);
  }
  throw new Error('never taken');
}

const jobsOf = ({ store }: FunctionTestDeps) =>
  store.keys('jobs/').map((key) => store.json(key) as JobRecord);

describe.each([1, 2, 3, 4, 5])('while a third of all calls of store and queue fails (seed %i)', (seed) => {
  it('a request is answered with 503 or as ever, and makes one job that is queued once', async () => {
    const { deps, failing } = await makeFlaky(seed);
    const created = await ask(deps, makeCreateJob(failing), { body: SWEEP });
    expect(created.statusCode).toBe(202);
    const { jobId } = bodyOf(created) as { jobId: string };
    const params = { id: jobId };
    // Where its submission was left half-way, the next look after a minute goes on with it.
    let job = bodyOf(created);
    for (let look = 0; look < TRIES && job.status !== 'queued'; look += 1) {
      deps.wait(60);
      job = bodyOf(await ask(deps, makeGetJob(failing), { method: 'GET', params }));
    }
    expect(job.status).toBe('queued');
    expect((await ask(deps, makeListJobs(failing), { method: 'GET' })).statusCode).toBe(200);
    expect(
      (await ask(deps, makeCreateUpload(failing), { body: { name: 'a.csv', bytes: 9 } })).statusCode,
    ).toBe(201);
    expect((await ask(deps, makeCreateAudit(failing), { body: AUDIT })).statusCode).toBe(200);
    expect(jobsOf(deps).map(({ queueIds }) => queueIds)).toEqual([['gpu-1', 'gpu-2']]);
    expect([...deps.queues.gpu.works.values()].map(({ task }) => task)).toEqual(['shard', 'reduce']);
    expect((await ask(deps, makeCancelJob(failing), { method: 'DELETE', params })).statusCode).toBe(200);
    expect(new Set(deps.queues.gpu.terminated.map(([queueId]) => queueId))).toEqual(
      new Set(['gpu-1', 'gpu-2']),
    );
  });

  it('an upload becomes one job that is queued once', async () => {
    const { deps, failing } = await makeFlaky(seed);
    await deps.store.put('uploads/table/counterweight.json', { columns: AUDIT.columns });
    const { columns } = MITIGATION;
    await deps.store.put('uploads/set/counterweight.json', {
      model: 'model',
      manifest: 'labels.csv',
      columns,
    });
    await deps.store.put('uploads/x/night.job.json', SWEEP);
    const keys = [AUDIT.predictions, MITIGATION.manifest, 'uploads/x/night.job.json'];
    for (const key of keys) await deliver(deps, makeOnUpload(failing), s3Notification(key));
    deps.wait(60);
    await makeOnSchedule(deps)({});
    expect(jobsOf(deps).map(({ status }) => status)).toEqual(['queued', 'queued', 'queued']);
    expect([deps.queues.cpu.works.size, deps.queues.gpu.works.size]).toEqual([1, 3]);
  });

  it('the end of a job is recorded', async () => {
    const { deps, failing } = await makeFlaky(seed);
    await makeCreateJob(deps)(apiEvent({ body: MITIGATION }));
    const [record] = jobsOf(deps) as [JobRecord];
    await publish(deps.store, record);
    for (const status of ['RUNNING', 'SUCCEEDED'] as const) {
      const event = batchEvent({ jobId: record.jobId, queueId: 'gpu-1', status });
      await deliver(deps, makeOnBatchState(failing), event);
    }
    expect(await readRecord(deps, record.jobId)).toMatchObject({ status: 'succeeded', outcome: 'improved' });
  });
});
