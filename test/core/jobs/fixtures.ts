import type { JobDeps } from '../../../core/jobs/deps.ts';
import type { JobRecord } from '../../../core/jobs/record.ts';
import {
  type JobRequest,
  mitigationSchema,
  modelAuditSchema,
  predictionsAuditSchema,
} from '../../../core/jobs/schema.ts';
import { submitJob } from '../../../core/jobs/submit-job.ts';
import { type MemoryQueue, makeMemoryQueue } from '../../helpers/memory-queue.ts';
import { type MemoryStore, makeMemoryStore } from '../../helpers/memory-store.ts';

export const START = new Date('2026-03-01T05:00:00.000Z');

export interface TestDeps extends JobDeps {
  readonly store: MemoryStore;
  readonly queues: { readonly cpu: MemoryQueue; readonly gpu: MemoryQueue };
  /** Moves the clock on. */
  readonly wait: (seconds: number) => void;
}

/** An empty store, two empty queues, a clock that stands still and ids that count up. */
export function makeTestDeps(): TestDeps {
  let time = START.getTime();
  let ids = 0;
  const now = () => new Date(time);
  return {
    store: makeMemoryStore({ now }),
    queues: { cpu: makeMemoryQueue('cpu'), gpu: makeMemoryQueue('gpu') },
    now,
    randomId: () => `${++ids}`.padStart(32, '0').split('').reverse().join(''),
    wait: (seconds) => {
      time += seconds * 1000;
    },
  };
}

const columns = { label: 'y', sensitiveFeatures: ['sex'] };
const source = { model: 'uploads/set/model/', manifest: 'uploads/set/labels.csv', columns };

export const AUDIT = predictionsAuditSchema.parse({
  kind: 'audit',
  predictions: 'uploads/table/scores.csv',
  columns: { ...columns, score: 'p' },
});
export const MODEL_AUDIT = modelAuditSchema.parse({ kind: 'model-audit', ...source });
export const MITIGATION = mitigationSchema.parse({ kind: 'mitigation', ...source });
export const SWEEP = mitigationSchema.parse({ kind: 'mitigation', ...source, shards: 4 });

/** Eight rows, two of each cell; half of the women and none of the men are predicted wrong. */
export const TABLE = 'y,sex,p\n1,f,0.9\n1,f,0.2\n0,f,0.8\n0,f,0.1\n1,m,0.9\n1,m,0.7\n0,m,0.3\n0,m,0.1\n';

/** Bytes of a ModelProto: graph (7) of an initializer (5) of external data (13) of the entry location: deep/w.data. */
export const ONNX = ((): string => {
  const field = (number: number, text: string) =>
    `${String.fromCharCode((number << 3) | 2, text.length)}${text}`;
  const entry = field(1, 'location') + field(2, 'deep/w.data');
  return field(7, field(5, field(13, entry)));
})();

/** Everything that the requests above name. */
export async function putInputs(store: MemoryStore): Promise<void> {
  await store.put(AUDIT.predictions, TABLE);
  await store.put(MITIGATION.manifest, 'file,y,sex\na.png,1,f\n');
  await store.put('uploads/set/model/model.json', {});
  await store.put('uploads/set/model/preprocess.json', {});
}

/** Deps with every input uploaded, and a job of a request in the queue. */
export async function makeSubmitted(
  request: JobRequest,
): Promise<{ deps: TestDeps; record: JobRecord; jobId: string }> {
  const deps = makeTestDeps();
  await putInputs(deps.store);
  const record = await submitJob(deps, request);
  return { deps, record, jobId: record.jobId };
}

/** What a worker publishes, the last file last. */
export async function publish(store: MemoryStore, { jobId, request }: JobRecord): Promise<void> {
  await store.put(`results/${jobId}/report.html`, '<p>');
  const isMitigation = request.kind === 'mitigation';
  await store.put(
    `results/${jobId}/${isMitigation ? 'run.json' : 'audit.json'}`,
    isMitigation ? { outcome: { status: 'improved' }, preset: 'robust' } : {},
  );
}
