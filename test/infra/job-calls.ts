import { mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { recordKey } from '../../core/jobs/keys.ts';
import { type JobRequest, jobRequestSchema } from '../../core/jobs/schema.ts';
import { runTask, type Task } from '../../worker/container/run-task.ts';
import { AUDIT, TABLE } from '../core/jobs/fixtures.ts';
import { filesIn, writeImageSet, writeInkModel } from '../helpers/made-files.ts';
import { type MemoryStore, makeMemoryStore } from '../helpers/memory-store.ts';
import { type Call, watchStore } from './handler-calls.ts';

const SWEEP = jobRequestSchema.parse({
  kind: 'mitigation',
  model: 'uploads/set/model',
  manifest: 'uploads/set/labels.csv',
  columns: {
    image: 'file',
    label: 'malignant',
    sensitiveFeatures: ['ink'],
    subject: 'patient',
    split: 'part',
  },
  preprocess: 'unit',
  shards: 2,
  options: {
    mask: { percentiles: [50] },
    body: { epochs: 1, disparityWeights: [1] },
    selection: { checkpoints: [1] },
  },
});

/** Each task of a job, in the order in which a queue starts them. */
const TASKS: readonly [request: JobRequest, task: Pick<Task, 'task' | 'shard'>][] = [
  [AUDIT, { task: 'job', shard: 0 }],
  [SWEEP, { task: 'shard', shard: 0 }],
  [SWEEP, { task: 'shard', shard: 1 }],
  [SWEEP, { task: 'reduce', shard: 0 }],
];

/** Every call of the store that the container makes while it audits a table and sweeps over two shards. */
export async function callsOfJobs(): Promise<readonly Call[]> {
  const store = makeMemoryStore();
  const folder = await realpath(await mkdtemp(path.join(tmpdir(), 'counterweight-calls-')));
  const calls: Call[] = [];
  try {
    await putInputs(store, path.join(folder, 'set'));
    for (const kind of ['audit', 'mitigation'] as const) {
      const [request] = TASKS.find(([each]) => each.kind === kind)!;
      await store.put(recordKey(kind), recordOf(kind, request));
    }
    watchStore(store, (method, key) => calls.push({ method, key }));
    for (const [index, [{ kind }, task]] of TASKS.entries()) {
      const exitCode = await runTask(
        { jobId: kind, ...task, attempt: 1, attempts: 1 },
        {
          store,
          folder: path.join(folder, `${index}`),
          backend: 'wasm',
          now: () => new Date(),
          log: () => {},
          signal: new AbortController().signal,
        },
      );
      if (exitCode !== 0) throw new Error(`expected the ${task.task} of the ${kind} to end with 0`);
    }
    return calls;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function recordOf(jobId: string, request: JobRequest) {
  const time = new Date().toISOString();
  const common = { schemaVersion: 1, status: 'queued', createdAt: time, updatedAt: time, queueIds: ['q'] };
  return { ...common, jobId, request };
}

async function putInputs(store: MemoryStore, folder: string): Promise<void> {
  await store.put(AUDIT.predictions, TABLE);
  await writeImageSet(folder);
  await writeInkModel(path.join(folder, 'model'));
  for (const [name, content] of await filesIn(folder)) await store.write(`uploads/set/${name}`, content);
}
