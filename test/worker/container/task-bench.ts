import { mkdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { beforeAll } from 'vitest';
import { resultPrefix } from '../../../core/jobs/keys.ts';
import { makeLog } from '../../../worker/container/log.ts';
import { runTask, type Task, type TaskEnvironment } from '../../../worker/container/run-task.ts';
import { FIXTURES } from '../../helpers/keras.ts';
import { useWorkshop } from '../../helpers/made-files.ts';
import { type MemoryStore, makeMemoryStore } from '../../helpers/memory-store.ts';
import { putRecord, UPLOAD, uploadParts } from '../../helpers/worker-process.ts';

export const JOB = 'job-1';
export const LATER = '2026-03-01T06:00:00.000Z';
const TABLE = 'y,p,sex\n1,0.9,f\n1,0.2,f\n0,0.8,f\n0,0.1,f\n1,0.9,m\n0,0.1,m\n';
const COLUMNS = { label: 'y', score: 'p', sensitiveFeatures: ['sex'] };
export const AUDIT = { kind: 'audit', predictions: `${UPLOAD}/scores.csv`, columns: COLUMNS };
const TASK: Task = { jobId: JOB, task: 'job', shard: 0, attempt: 1, attempts: 3 };

interface TaskRun {
  readonly exitCode: number;
  /** As it was written, and line by line. */
  readonly log: string;
  readonly entries: readonly Record<string, unknown>[];
}

interface TaskBench {
  /** Of all folders; no message may hold it. */
  readonly folder: string;
  /** A store with all uploads and one job that waits. */
  storeWith(request: unknown): Promise<MemoryStore>;
  run(store: MemoryStore, task?: Partial<Task>, changes?: Partial<TaskEnvironment>): Promise<TaskRun>;
}

/** What tests of `runTask` need, over the workshop's files. */
export function useTaskBench(): TaskBench {
  const shop = useWorkshop();
  const uploaded = makeMemoryStore();
  let folders = 0;
  beforeAll(async () => {
    await uploadParts(uploaded, shop.path, ['rows.csv', 'table-model', 'labels.csv', 'images', 'model']);
    await uploaded.write(`${UPLOAD}/keras/ink.h5`, await readFile(path.join(FIXTURES, 'ink.h5')));
    await uploaded.put(AUDIT.predictions, TABLE);
  });
  return {
    get folder() {
      return shop.path;
    },
    async storeWith(request) {
      const store = makeMemoryStore();
      for (const key of uploaded.keys()) await store.write(key, (await uploaded.read(key))!.body);
      await putRecord(store, JOB, request);
      return store;
    },
    async run(store, task = {}, changes = {}) {
      folders += 1;
      const folder = shop.at(`task-${folders}`);
      await mkdir(folder);
      const lines: string[] = [];
      const now = () => new Date(LATER);
      const log = makeLog({ about: { jobId: JOB }, write: (line) => lines.push(line), now });
      const { signal } = new AbortController();
      const exitCode = await runTask(
        { ...TASK, ...task },
        { store, folder, backend: 'wasm', now, log, signal, ...changes },
      );
      return { exitCode, log: lines.join(''), entries: lines.map((line) => JSON.parse(line)) };
    },
  };
}

/** Names of what is published. */
export const resultsIn = (store: MemoryStore): string[] =>
  store.keys(resultPrefix(JOB)).map((key) => key.slice(resultPrefix(JOB).length));
