import { readFile } from 'node:fs/promises';
import { beforeAll, describe, expect, it } from 'vitest';
import { checkpointPrefix } from '../../../core/jobs/keys.ts';
import type { Log, LogFields } from '../../../worker/container/log.ts';
import { produce, produceShard, type Work } from '../../../worker/container/produce.ts';
import { NO_PROGRESS } from '../../../worker/progress.ts';
import { filesIn, useWorkshop } from '../../helpers/made-files.ts';
import { type MemoryStore, makeMemoryStore } from '../../helpers/memory-store.ts';
import {
  IMAGE_SOURCE,
  QUICK_MITIGATION,
  queuedRecord,
  TABLE_SOURCE,
  UPLOAD,
  uploadParts,
} from '../../helpers/worker-process.ts';

const shop = useWorkshop();
const uploads = makeMemoryStore();
let works = 0;

beforeAll(async () => {
  await uploadParts(uploads, shop.path, ['rows.csv', 'table-model', 'labels.csv', 'images', 'model']);
  const table = 'y,p,sex\n1,0.9,f\n1,0.2,f\n0,0.8,f\n0,0.1,f\n1,0.9,m\n0,0.1,m\n';
  await uploads.put(`${UPLOAD}/scores.csv`, table);
});

/** Work in a folder of its own over a store. */
function workOver(store: MemoryStore, changes: Partial<Work> = {}): Work & { logged: LogFields[] } {
  works += 1;
  const logged: LogFields[] = [];
  const log: Log = (_, message, fields) => void (message === 'backend' && logged.push(fields!));
  return {
    store,
    jobId: 'job-1',
    inputs: shop.at(`work-${works}/inputs`),
    results: shop.at(`work-${works}/results`),
    backend: 'wasm',
    progress: NO_PROGRESS,
    log,
    signal: new AbortController().signal,
    logged,
    ...changes,
  };
}

const requestOf = (content: unknown) => queuedRecord('job-1', content).request;
const namesIn = async (folder: string) => [...(await filesIn(folder)).keys()];
const readJson = async (file: string) => JSON.parse(await readFile(file, 'utf8'));

describe('produce', () => {
  it.each([
    [{ head: 'hidden' }, /^head "hidden": /],
    [{ positiveClass: 1 }, /^head "head": expected no positive class for its one unit/],
  ])('reads the model by the head that the request names: %j', async (named, message) => {
    const request = requestOf({ kind: 'model-audit', ...TABLE_SOURCE, ...named });
    await expect(produce(request, workOver(uploads))).rejects.toThrow(message);
  });

  it('audits a table of predictions', async () => {
    const work = workOver(uploads);
    const columns = { label: 'y', score: 'p', sensitiveFeatures: ['sex'] };
    const request = requestOf({ kind: 'audit', predictions: `${UPLOAD}/scores.csv`, columns });
    expect(await produce(request, work)).toEqual({ last: 'audit.json' });
    expect(await namesIn(work.results)).toEqual(['audit.json', 'report.html']);
    // One of two women is found, and the only man: 1 - 1/2
    const { features } = await readJson(`${work.results}/audit.json`);
    expect(features[0].disparities.equalOpportunityDifference.value).toBe(0.5);
    expect(work.logged).toEqual([{ backend: expect.stringMatching(/^wasm 4\.22\.0, /) }]);
  });

  it('audits a model on its images as it was asked to, and holds it against a policy', async () => {
    const work = workOver(uploads);
    const policy = { name: 'ours', rules: [{ metric: 'overallAuc', min: 1 }] };
    const request = requestOf({ kind: 'model-audit', ...IMAGE_SOURCE, only: 'test', replicates: 0, policy });
    expect(await produce(request, work)).toEqual({ last: 'audit.json' });
    const { overall, replicates, gate } = await readJson(`${work.results}/audit.json`);
    expect([overall.support, replicates]).toEqual([40, 0]);
    expect(gate.findings).toMatchObject([{ metric: 'overallAuc', value: overall.auc.value }]);
  });

  it('mitigates, and keeps what it has done under the checkpoints of the job', async () => {
    const store = makeMemoryStore();
    await uploadParts(store, shop.path, ['rows.csv', 'table-model']);
    const work = workOver(store);
    const { last, outcome } = await produce(requestOf(QUICK_MITIGATION), work);
    expect(last).toBe('run.json');
    const run = await readJson(`${work.results}/run.json`);
    expect(run).toMatchObject({ preset: 'robust', seed: 3, outcome: { status: outcome } });
    expect(run.options.body).toMatchObject({ epochs: 2, learningRates: [0.03] });
    const names = store.keys(checkpointPrefix('job-1')).map((key) => key.split('/').at(-1));
    expect(names).toEqual([
      'candidates-head-only',
      'candidates-p50-lr0.03-d1',
      'candidates-p80-lr0.03-d1',
      'importance',
    ]);
  });

  it('refuses options before it fetches anything', async () => {
    const store = makeMemoryStore();
    const request = requestOf({ ...QUICK_MITIGATION, options: { body: { epochs: 5000 } } });
    await expect(produce(request, workOver(store))).rejects.toMatchObject({
      code: 'INVALID_INPUT',
      message: 'options: "body.epochs" must be at most 1000, received 5000',
    });
    expect(store.calls.readStream).toBeUndefined();
  });

  it.each([
    { kind: 'mitigation', ...TABLE_SOURCE },
    { kind: 'model-audit', ...TABLE_SOURCE },
  ])('refuses a $kind without the GPU that it requires, before it fetches anything', async (content) => {
    const store = makeMemoryStore();
    const work = workOver(store, { requireGpu: true });
    await expect(produce(requestOf(content), work)).rejects.toMatchObject({
      code: 'BACKEND_UNAVAILABLE',
      message: expect.stringContaining('wasm'),
    });
    expect(store.calls).toEqual({});
  });

  it.each([
    { kind: 'mitigation', ...TABLE_SOURCE },
    { kind: 'model-audit', ...TABLE_SOURCE },
  ])('stops a $kind after its inputs when it is to stop', async (content) => {
    const stop = new AbortController();
    const progress = { ...NO_PROGRESS, advance: () => stop.abort() };
    const work = workOver(uploads, { progress, signal: stop.signal });
    await expect(produce(requestOf(content), work)).rejects.toMatchObject({ code: 'INTERRUPTED' });
  });
});

describe('produceShard', () => {
  it('leaves its share of the candidates in the checkpoints, and no results', async () => {
    const store = makeMemoryStore();
    await uploadParts(store, shop.path, ['rows.csv', 'table-model']);
    const work = workOver(store);
    await produceShard(requestOf({ ...QUICK_MITIGATION, shards: 2 }), 1, work);
    // Of head-only, p50 and p80 the second
    expect(store.keys(checkpointPrefix('job-1')).map((key) => key.split('/').at(-1))).toEqual([
      'candidates-p50-lr0.03-d1',
      'importance',
    ]);
    await expect(namesIn(work.results)).rejects.toThrow('ENOENT');
  });

  it.each([
    [{ ...QUICK_MITIGATION, shards: 2 }, 2, 'number 3 of 2'],
    [{ kind: 'model-audit', ...TABLE_SOURCE }, 0, 'a model-audit'],
  ])('refuses to be a shard that there is not (%#)', async (content, index, says) => {
    await expect(produceShard(requestOf(content), index, workOver(uploads))).rejects.toMatchObject({
      code: 'JOB_CONFLICT',
      message: `expected a shard of a mitigation, received ${says}`,
    });
  });
});
