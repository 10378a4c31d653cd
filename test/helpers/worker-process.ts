import { type ChildProcess, type ChildProcessByStdio, spawn } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { beforeAll } from 'vitest';
import { recordKey } from '../../core/jobs/keys.ts';
import type { JobRecord } from '../../core/jobs/record.ts';
import { type JobRequest, jobRequestSchema } from '../../core/jobs/schema.ts';
import type { ObjectStore } from '../../core/storage/object-store.ts';
import { useTempFolder } from './files.ts';
import { tablePreprocess } from './made-files.ts';
import { buildPrograms } from './programs.ts';

/** Where the workshop's files lie in a store. */
export const UPLOAD = 'uploads/made';

const COMMON = { label: 'malignant', sensitiveFeatures: ['ink'], subject: 'patient', split: 'part' };
export const TABLE_SOURCE = {
  model: `${UPLOAD}/table-model`,
  manifest: `${UPLOAD}/rows.csv`,
  columns: COMMON,
  preprocess: tablePreprocess,
};
export const IMAGE_SOURCE = {
  model: `${UPLOAD}/model/`,
  manifest: `${UPLOAD}/labels.csv`,
  columns: { ...COMMON, image: 'file' },
  preprocess: 'unit',
};
/** Two percentiles and one weight: with the control three settings, each with a checkpoint of its own. */
const QUICK_OPTIONS = {
  batchSize: 16,
  mask: { percentiles: [50, 80] },
  body: { epochs: 2, learningRates: [0.03], disparityWeights: [1] },
  head: { disparityWeights: [0.1], iterations: 20 },
  selection: { checkpoints: [1, 2] },
};
export const QUICK_MITIGATION = { kind: 'mitigation', ...TABLE_SOURCE, seed: 3, options: QUICK_OPTIONS };

/** A record of a job that waits in the queue. */
export function queuedRecord(jobId: string, request: unknown): JobRecord {
  const createdAt = '2026-03-01T05:00:00.000Z';
  const parsed: JobRequest = jobRequestSchema.parse(request);
  return {
    schemaVersion: 1,
    jobId,
    request: parsed,
    status: 'queued',
    createdAt,
    updatedAt: createdAt,
    queueIds: ['queue-1'],
  };
}

export async function putRecord(store: ObjectStore, jobId: string, request: unknown): Promise<void> {
  await store.write(recordKey(jobId), JSON.stringify(queuedRecord(jobId, request)));
}

export async function getRecord(store: ObjectStore, jobId: string): Promise<JobRecord> {
  const object = await store.read(recordKey(jobId));
  return JSON.parse(Buffer.from(object!.body).toString()) as JobRecord;
}

/** Uploads files of a folder, as a user would, under `UPLOAD`. @param parts  files and folders of it */
export async function uploadParts(
  store: ObjectStore,
  folder: string,
  parts: readonly string[],
): Promise<void> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  for (const entry of entries.filter((candidate) => candidate.isFile())) {
    const name = path.relative(folder, path.join(entry.parentPath, entry.name));
    if (!parts.includes(name.split(path.sep)[0]!)) continue;
    await store.write(`${UPLOAD}/${name}`, await readFile(path.join(folder, name)));
  }
}

/** Every object below a prefix by its name there, in order of name. */
export async function objectsBelow(store: ObjectStore, prefix: string): Promise<Map<string, string>> {
  const objects = new Map<string, string>();
  for await (const { key } of store.list(prefix)) {
    objects.set(key.slice(prefix.length), Buffer.from((await store.read(key))!.body).toString('base64'));
  }
  return objects;
}

export interface WorkerEnd {
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly log: readonly Record<string, unknown>[];
  readonly stderr: string;
}

interface WorkerProcess {
  readonly child: ChildProcess;
  readonly ended: Promise<WorkerEnd>;
  /** Resolves at the first line of the log that fits, or at the end of the process. */
  heard(fits: (line: Record<string, unknown>) => boolean): Promise<void>;
}

interface WorkerProgram {
  /** @param fileBlocks  blocks of 1024 bytes beyond which no file can grow, as on a disk that is full */
  start(
    environment: Readonly<Record<string, string>>,
    options?: { readonly fileBlocks?: number },
  ): WorkerProcess;
}

/**
 * The worker's program, built before the tests of the file. Its processes see the given environment and nothing else
 * but the path to programs.
 */
export function useWorker(): WorkerProgram {
  const folder = useTempFolder();
  let program = '';
  beforeAll(async () => {
    program = (await buildPrograms(folder.path)).main;
  });
  return {
    start(environment, { fileBlocks } = {}) {
      const worker = [process.execPath, program];
      const limited = ['bash', '-c', `ulimit -f ${fileBlocks}; exec "$0" "$@"`, ...worker];
      const [command, ...args] = fileBlocks === undefined ? worker : limited;
      return watch(
        spawn(command!, args, {
          env: { PATH: process.env.PATH, ...environment },
          stdio: ['ignore', 'pipe', 'pipe'],
        }),
      );
    },
  };
}

function watch(child: ChildProcessByStdio<null, Readable, Readable>): WorkerProcess {
  const log: Record<string, unknown>[] = [];
  const listeners: ((line: Record<string, unknown>) => void)[] = [];
  createInterface({ input: child.stdout }).on('line', (line) => {
    const entry = JSON.parse(line) as Record<string, unknown>;
    log.push(entry);
    for (const listener of listeners) listener(entry);
  });
  const closed = new Promise<Pick<WorkerEnd, 'exitCode' | 'signal'>>((resolve) => {
    child.once('close', (exitCode, signal) => resolve({ exitCode, signal }));
  });
  const ended = Promise.all([closed, text(child.stderr)]).then(([end, stderr]) => ({ ...end, log, stderr }));
  return {
    child,
    ended,
    heard: (fits) =>
      new Promise((resolve) => {
        if (log.some(fits)) resolve();
        listeners.push((line) => fits(line) && resolve());
        void ended.then(() => resolve());
      }),
  };
}
