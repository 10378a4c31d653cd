import { StorageError } from '../../core/errors.ts';
import { cancelJob } from '../../core/jobs/cancel-job.ts';
import { JOB_REQUEST_ENDING, UPLOAD_CONFIG } from '../../core/jobs/keys.ts';
import { submitJob } from '../../core/jobs/submit-job.ts';
import { makeCancelJob } from '../../functions/cancel-job.ts';
import { makeCreateAudit } from '../../functions/create-audit.ts';
import { makeCreateJob } from '../../functions/create-job.ts';
import { makeCreateUpload } from '../../functions/create-upload.ts';
import { makeGetJob } from '../../functions/get-job.ts';
import { makeListJobs } from '../../functions/list-jobs.ts';
import { makeOnBatchState } from '../../functions/on-batch-state.ts';
import { makeOnSchedule } from '../../functions/on-schedule.ts';
import { makeOnUpload } from '../../functions/on-upload.ts';
import { AUDIT, MITIGATION, MODEL_AUDIT, publish, SWEEP } from '../core/jobs/fixtures.ts';
import { apiEvent, batchEvent, s3BridgeEvent } from '../functions/events.ts';
import { type FunctionTestDeps, makeReadyDeps } from '../functions/fixtures.ts';
import type { MemoryStore } from '../helpers/memory-store.ts';

/** One call of a store, with its key or prefix, or of a queue, with its name. */
export interface Call {
  readonly method: string;
  readonly key: string;
}

type Scenario = (watched: Watched) => Promise<unknown>;

interface Watched {
  readonly deps: FunctionTestDeps;
  /** Runs what is not the handler's doing, unwatched. */
  readonly aside: <T>(work: () => Promise<T>) => Promise<T>;
}

const body = (content: unknown) => apiEvent({ body: content });
const ofJob = (jobId: string) => apiEvent({ method: 'GET', path: '/v1/jobs/{id}', params: { id: jobId } });
const onlyJobIn = ({ store }: FunctionTestDeps) => store.keys('jobs/')[0]!.split('/')[1]!;
const STALE_SECONDS = 120;

/** Another process cancels the job while this one submits it, so that this one must stop what it submitted. */
function cancelDuringSubmission({ deps, aside }: Watched): void {
  for (const queue of [deps.queues.cpu, deps.queues.gpu]) {
    const { submit } = queue;
    queue.submit = async (work) => {
      const queueId = await submit(work);
      await aside(() => cancelJob(deps, work.jobId));
      return queueId;
    };
  }
}

/** A configuration whose model is not there yet. */
async function putIncompleteSet({ store }: FunctionTestDeps): Promise<void> {
  const config = { model: 'model/', manifest: 'labels.csv', columns: MITIGATION.columns };
  await store.put(`uploads/other/${UPLOAD_CONFIG}`, config);
  await store.put('uploads/other/labels.csv', 'y,sex\n1,f\n');
}

/** The submission of a job that is left half-way: the queue does not answer. */
async function leaveHalfway({ deps, aside }: Watched, work: () => Promise<unknown>): Promise<void> {
  const queues = [deps.queues.cpu, deps.queues.gpu];
  for (const queue of queues) {
    queue.before = () => {
      throw new StorageError('job queue: unreachable', { where: 'job queue' });
    };
  }
  await aside(() => work().catch(() => null));
  for (const queue of queues) queue.before = () => {};
  deps.wait(STALE_SECONDS);
}

/** Each role's handler in the situations that make it call the most. */
const SCENARIOS: Readonly<Record<string, readonly Scenario[]>> = {
  CreateAuditRole: [
    ({ deps }) => makeCreateAudit(deps)(body(AUDIT)),
    ({ deps }) => makeCreateAudit(deps)(body(MODEL_AUDIT)),
    (watched) => {
      cancelDuringSubmission(watched);
      return makeCreateAudit(watched.deps)(body(MODEL_AUDIT));
    },
    async (watched) => {
      await leaveHalfway(watched, () => submitJob(watched.deps, MODEL_AUDIT));
      return makeCreateAudit(watched.deps)(body(MODEL_AUDIT));
    },
  ],
  CreateJobRole: [
    ({ deps }) => makeCreateJob(deps)(body(SWEEP)),
    ({ deps }) => makeCreateJob(deps)(body(AUDIT)),
    // A folder without a model.json is searched.
    async ({ deps, aside }) => {
      await aside(() => deps.store.delete('uploads/set/model/model.json'));
      await aside(() => deps.store.put('uploads/set/model/net.onnx', 'x'));
      return makeCreateJob(deps)(body(MITIGATION));
    },
    (watched) => {
      cancelDuringSubmission(watched);
      return makeCreateJob(watched.deps)(body(MITIGATION));
    },
    async (watched) => {
      await leaveHalfway(watched, () => submitJob(watched.deps, SWEEP));
      return makeCreateJob(watched.deps)(body(SWEEP));
    },
  ],
  ListJobsRole: [
    async ({ deps, aside }) => {
      await aside(() => submitJob(deps, MITIGATION));
      return makeListJobs(deps)(apiEvent({ method: 'GET' }));
    },
  ],
  GetJobRole: [
    // News is old, the queue says that it succeeded.
    async ({ deps, aside }) => {
      const record = await aside(() => submitJob(deps, MITIGATION));
      await aside(() => publish(deps.store, record));
      deps.queues.gpu.set(record.queueIds[0]!, { status: 'succeeded' });
      deps.wait(STALE_SECONDS);
      return makeGetJob(deps)(ofJob(record.jobId));
    },
    // A sweep of which one part failed: the rest is stopped.
    async ({ deps, aside }) => {
      const record = await aside(() => submitJob(deps, SWEEP));
      deps.queues.gpu.set(record.queueIds[0]!, { status: 'failed', exitCode: 65 });
      deps.wait(STALE_SECONDS);
      return makeGetJob(deps)(ofJob(record.jobId));
    },
    async (watched) => {
      const { deps } = watched;
      await leaveHalfway(watched, () => submitJob(deps, MITIGATION));
      return makeGetJob(deps)(ofJob(onlyJobIn(deps)));
    },
    async (watched) => {
      const { deps } = watched;
      await leaveHalfway(watched, () => submitJob(deps, AUDIT));
      return makeGetJob(deps)(ofJob(onlyJobIn(deps)));
    },
  ],
  CancelJobRole: [
    async ({ deps, aside }) => {
      const { jobId } = await aside(() => submitJob(deps, SWEEP));
      return makeCancelJob(deps)(apiEvent({ method: 'DELETE', params: { id: jobId } }));
    },
    async (watched) => {
      const { deps } = watched;
      await leaveHalfway(watched, () => submitJob(deps, SWEEP));
      return makeCancelJob(deps)(apiEvent({ method: 'DELETE', params: { id: onlyJobIn(deps) } }));
    },
  ],
  CreateUploadRole: [({ deps }) => makeCreateUpload(deps)(body({ name: 'scores.csv', bytes: 100 }))],
  OnUploadRole: [
    async (watched) => {
      const { deps, aside } = watched;
      await aside(() => deps.store.put(`uploads/table/${UPLOAD_CONFIG}`, { columns: AUDIT.columns }));
      await makeOnUpload(deps)(s3BridgeEvent(AUDIT.predictions));
      cancelDuringSubmission(watched);
      deps.wait(STALE_SECONDS);
      await aside(() => deps.store.put(AUDIT.predictions, 'y,sex,p\n1,f,0.9\n'));
      return makeOnUpload(deps)(s3BridgeEvent(`uploads/table/${UPLOAD_CONFIG}`));
    },
    // A data set that is not complete.
    async ({ deps, aside }) => {
      await aside(() => putIncompleteSet(deps));
      return makeOnUpload(deps)(s3BridgeEvent(`uploads/other/${UPLOAD_CONFIG}`));
    },
    // The event comes again after the first time failed.
    async (watched) => {
      const { deps, aside } = watched;
      await aside(() => deps.store.put(`uploads/set/new${JOB_REQUEST_ENDING}`, MITIGATION));
      const event = s3BridgeEvent(`uploads/set/new${JOB_REQUEST_ENDING}`);
      await leaveHalfway(watched, () => makeOnUpload(deps)(event));
      return makeOnUpload(deps)(event);
    },
  ],
  OnScheduleRole: [
    async ({ deps, aside }) => {
      const rules = [
        { metric: 'equalizedOddsDifference', max: 0.1 },
        { metric: 'equalizedOddsDifference', maxWorsening: 0.1 },
      ];
      const policy = { name: 'ours', rules };
      const every = { days: 1 };
      const small = { request: AUDIT, every, policy, mitigateOnFailure: MITIGATION };
      await aside(() => deps.store.put('definitions/small.json', small));
      await aside(() => deps.store.put('definitions/large.json', { request: MODEL_AUDIT, every }));
      await makeOnSchedule(deps)({});
      const [queueId, { jobId }] = [...deps.queues.cpu.works][0]!;
      await aside(() => deps.store.put(`results/${jobId}/audit.json`, {}));
      deps.queues.cpu.set(queueId, { status: 'succeeded' });
      deps.wait(STALE_SECONDS);
      return makeOnSchedule(deps)({});
    },
    async (watched) => {
      const { deps, aside } = watched;
      cancelDuringSubmission(watched);
      await aside(() => deps.store.put('definitions/x.json', { request: MODEL_AUDIT, every: { days: 1 } }));
      return makeOnSchedule(deps)({});
    },
    // A data set is looked at again, and then its last file is there.
    async ({ deps, aside }) => {
      await aside(() => putIncompleteSet(deps));
      await aside(() => makeOnUpload(deps)(s3BridgeEvent(`uploads/other/${UPLOAD_CONFIG}`)));
      await makeOnSchedule(deps)({});
      await aside(() => deps.store.put('uploads/other/model/preprocess.json', {}));
      await aside(() => deps.store.put('uploads/other/model/model.json', {}));
      return makeOnSchedule(deps)({});
    },
    async (watched) => {
      const { deps, aside } = watched;
      await aside(() => deps.store.put('definitions/x.json', { request: MODEL_AUDIT, every: { days: 1 } }));
      await leaveHalfway(watched, () => makeOnSchedule(deps)({}));
      return makeOnSchedule(deps)({});
    },
  ],
  OnBatchStateRole: [
    async ({ deps, aside }) => {
      const record = await aside(() => submitJob(deps, MITIGATION));
      await aside(() => publish(deps.store, record));
      const [queueId] = record.queueIds;
      const event = { jobId: record.jobId, queueId: queueId!, status: 'SUCCEEDED', exits: [0] } as const;
      return makeOnBatchState(deps)(batchEvent(event));
    },
    async ({ deps, aside }) => {
      const { jobId, queueIds } = await aside(() => submitJob(deps, SWEEP));
      const event = { jobId, queueId: queueIds[0]!, status: 'FAILED', exits: [65] } as const;
      return makeOnBatchState(deps)(batchEvent(event));
    },
  ],
};

/** Every call that the scenarios make, by role. */
export async function keysOfAllCalls(): Promise<ReadonlyMap<string, readonly Call[]>> {
  const byRole = new Map<string, Call[]>();
  for (const [role, scenarios] of Object.entries(SCENARIOS)) {
    const calls: Call[] = [];
    for (const scenario of scenarios) await watch(scenario, calls);
    byRole.set(role, calls);
  }
  return byRole;
}

/** Tells of every call of a store; of a conditional write as `writeIf`. */
export function watchStore(store: MemoryStore, note: (method: string, key: string) => void): void {
  const { write } = store;
  store.before = (method, key) => method === 'write' || note(method, key);
  store.write = (key, body, options) => {
    note(options?.onlyIf === undefined ? 'write' : 'writeIf', key);
    return write(key, body, options);
  };
}

async function watch(scenario: Scenario, calls: Call[]): Promise<void> {
  const deps = await makeReadyDeps();
  let isAside = false;
  const note = (method: string, key: string) => {
    if (!isAside) calls.push({ method, key });
  };
  watchStore(deps.store, note);
  for (const [name, queue] of Object.entries(deps.queues)) {
    for (const method of ['submit', 'find', 'describe', 'terminate'] as const) {
      const call = queue[method] as (...args: unknown[]) => Promise<never>;
      queue[method] = ((...args: unknown[]) => {
        note(method, name);
        return call(...args);
      }) as never;
    }
  }
  await scenario({
    deps,
    async aside(work) {
      isAside = true;
      try {
        return await work();
      } finally {
        isAside = false;
      }
    },
  });
}
