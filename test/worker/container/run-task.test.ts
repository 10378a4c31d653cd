import { describe, expect, it } from 'vitest';
import { StorageError } from '../../../core/errors.ts';
import { checkpointPrefix, recordKey, resultPrefix } from '../../../core/jobs/keys.ts';
import type { JobRecord } from '../../../core/jobs/record.ts';
import { updateRecord } from '../../../core/jobs/records.ts';
import type { MemoryStore } from '../../helpers/memory-store.ts';
import {
  getRecord,
  IMAGE_SOURCE,
  objectsBelow,
  QUICK_MITIGATION,
  UPLOAD,
} from '../../helpers/worker-process.ts';
import { AUDIT, JOB, LATER, resultsIn, useTaskBench } from './task-bench.ts';

const { storeWith, run } = useTaskBench();

const changeStatus = (store: MemoryStore, status: JobRecord['status']) =>
  updateRecord({ store }, JOB, (record) => ({ ...record, status }));

describe('runTask', () => {
  it.each([
    ['an audit of predictions', AUDIT, ['report.html', 'audit.json'], undefined],
    [
      'an audit of a model',
      { kind: 'model-audit', ...IMAGE_SOURCE },
      ['report.html', 'audit.json'],
      undefined,
    ],
    [
      'a mitigation',
      QUICK_MITIGATION,
      [
        'audit-after.json',
        'audit-before.json',
        'check.json',
        'decision.json',
        'mask.safetensors',
        'model/model.json',
        'model/preprocess.json',
        'model/weights.bin',
        'report.html',
        'run.json',
      ],
      'improved',
    ],
    [
      'a mitigation of a model in one file',
      { ...QUICK_MITIGATION, ...IMAGE_SOURCE, model: `${UPLOAD}/keras/ink.h5` },
      [
        'audit-after.json',
        'audit-before.json',
        'check.json',
        'decision.json',
        'mask.safetensors',
        'model/ink.h5',
        'model/preprocess.json',
        'report.html',
        'run.json',
      ],
      'improved',
    ],
  ])('publishes the results of %s and says so in the record', async (_, request, names, outcome) => {
    const store = await storeWith(request);
    const { exitCode, entries } = await run(store);
    expect(exitCode).toBe(0);
    const record = await getRecord(store, JOB);
    expect(record).toMatchObject({ status: 'succeeded', updatedAt: LATER, results: names });
    expect(record.outcome).toBe(outcome);
    expect(record.queueIds).toEqual(['queue-1']);
    expect(store.keys(resultPrefix(JOB))).toHaveLength(names.length);
    expect(store.keys('tmp/')).toEqual([]);
    expect(store.keys(checkpointPrefix(JOB))).toEqual([]); // nothing goes on from a job that has ended
    expect(entries.map(({ stage }) => stage)).toContain('publish');
    expect(entries.at(-1)).toMatchObject({ level: 'info', message: 'published' });
  });

  it.each([
    ['over the grid of its preset', QUICK_MITIGATION],
    // brackets of three settings and of two, one of each to the end
    [
      'that searches beyond it',
      {
        ...QUICK_MITIGATION,
        search: '11epochs',
        options: { ...QUICK_MITIGATION.options, search: { settings: 3 } },
      },
    ],
  ])(
    'spreads a mitigation %s over shards whose reduction gives the bytes of a single process',
    async (_, request) => {
      const alone = await storeWith(request);
      await run(alone);
      const spread = await storeWith({ ...request, shards: 3 });
      for (const shard of [2, 0, 1])
        expect(await run(spread, { task: 'shard', shard })).toMatchObject({ exitCode: 0 });
      expect((await getRecord(spread, JOB)).status).toBe('queued'); // shards leave the record to the reduction
      expect(resultsIn(spread)).toEqual([]);
      expect(await run(spread, { task: 'reduce' })).toMatchObject({ exitCode: 0 });
      expect(await objectsBelow(spread, resultPrefix(JOB))).toEqual(
        await objectsBelow(alone, resultPrefix(JOB)),
      );
      expect(await getRecord(spread, JOB)).toMatchObject({ status: 'succeeded', outcome: 'improved' });
    },
  );

  it('lets only the first of many shards tell its progress', async () => {
    const store = await storeWith({ ...QUICK_MITIGATION, shards: 2 });
    await run(store, { task: 'shard', shard: 1 });
    expect(store.keys(`jobs/${JOB}/status`)).toEqual([]);
    await run(store, { task: 'shard', shard: 0 });
    expect(store.keys(`jobs/${JOB}/status`)).toEqual([`jobs/${JOB}/status.json`]);
  });

  it('tells its progress with the attempt', async () => {
    const store = await storeWith(AUDIT);
    await run(store, { attempt: 2 });
    expect(store.json(`jobs/${JOB}/status.json`)).toMatchObject({
      attempt: 2,
      progress: { stage: 'publish' },
    });
  });

  it('does its work also when no progress can be written', async () => {
    const store = await storeWith(AUDIT);
    store.before = (method, key) => {
      if (method === 'write' && key.endsWith('status.json')) throw new StorageError('object store: no');
    };
    expect(await run(store)).toMatchObject({ exitCode: 0 });
  });

  it('ends with 64 for an id that no job has, and writes nothing', async () => {
    const store = await storeWith(AUDIT);
    const before = store.keys();
    const { exitCode, entries } = await run(store, { jobId: 'job-2' });
    expect(exitCode).toBe(64);
    expect(entries.at(-1)).toMatchObject({ level: 'error', code: 'JOB_NOT_FOUND' });
    expect(store.keys()).toEqual(before);
  });
});

describe('a job that has ended', () => {
  it.each(['succeeded', 'failed', 'cancelled'] as const)('is left alone when it has %s', async (status) => {
    const store = await storeWith(AUDIT);
    await changeStatus(store, status);
    await store.put(`tmp/${JOB}/1/audit.json`, 'left by an attempt that was killed');
    const record = await getRecord(store, JOB);
    expect(await run(store, { attempt: 2 })).toMatchObject({ exitCode: 0 });
    expect(await getRecord(store, JOB)).toEqual(record);
    expect(store.calls.readStream).toBeUndefined();
    expect(store.keys('tmp/')).toEqual([]);
  });

  it('takes no shard any more', async () => {
    const store = await storeWith({ ...QUICK_MITIGATION, shards: 2 });
    await changeStatus(store, 'cancelled');
    expect(await run(store, { task: 'shard', shard: 1 })).toMatchObject({ exitCode: 0 });
    expect(store.calls.readStream).toBeUndefined();
  });

  it.each<[string, (method: string, key: string) => boolean]>([
    ['before its inputs are fetched', (method) => method === 'readStream'],
    ['while results are on their way', (method, key) => method === 'writeStream' && key.startsWith('tmp/')],
  ])('publishes nothing when it is cancelled %s', async (_, isMoment) => {
    const store = await storeWith(AUDIT);
    let cancelling: Promise<unknown> | null = null;
    store.before = (method, key) => {
      if (isMoment(method, key)) cancelling ??= changeStatus(store, 'cancelled');
    };
    const { exitCode } = await run(store);
    await cancelling;
    expect(exitCode).toBe(0);
    expect(await getRecord(store, JOB)).toMatchObject({ status: 'cancelled' });
    expect([...resultsIn(store), ...store.keys('tmp/')]).toEqual([]);
  });

  it('is not begun when it is cancelled between two looks', async () => {
    const store = await storeWith(AUDIT);
    let reads = 0;
    const read = store.read;
    store.read = async (key) => {
      const object = await read(key);
      if (key === recordKey(JOB) && reads++ === 0) await changeStatus(store, 'cancelled');
      return object;
    };
    expect(await run(store)).toMatchObject({ exitCode: 0 });
    expect(store.calls.readStream).toBeUndefined();
  });

  it('stays cancelled when that comes after the last look', async () => {
    const store = await storeWith(AUDIT);
    let cancelling: Promise<unknown> | null = null;
    store.before = (method, key) => {
      if (method === 'writeStream' && key.startsWith('results/'))
        cancelling ??= changeStatus(store, 'cancelled');
    };
    const { exitCode, entries } = await run(store);
    await cancelling;
    expect(exitCode).toBe(0);
    expect((await getRecord(store, JOB)).status).toBe('cancelled');
    expect(entries.at(-1)).toMatchObject({ level: 'warn', message: 'the job has ended meanwhile' });
  });
});

describe('a record that others change meanwhile', () => {
  it('keeps what they wrote', async () => {
    const store = await storeWith(AUDIT);
    const write = store.write;
    let rounds = 0;
    store.write = async (key, body, options) => {
      if (key === recordKey(JOB) && options?.onlyIf !== undefined && rounds < 6 && rounds++ % 2 === 0) {
        await updateRecord({ store }, JOB, (record) => ({
          ...record,
          queueIds: [...record.queueIds, `queue-${rounds + 1}`],
        }));
      }
      return write(key, body, options);
    };
    expect(await run(store)).toMatchObject({ exitCode: 0 });
    const { status, queueIds } = await getRecord(store, JOB);
    expect(status).toBe('succeeded');
    expect(queueIds.length).toBeGreaterThan(1);
  });
});

describe('a task that is stopped', () => {
  it.each<[string, unknown, (method: string, key: string) => boolean]>([
    ['fetching', AUDIT, (method) => method === 'readStream'],
    ['training', QUICK_MITIGATION, (_, key) => key.endsWith('/candidates-head-only')],
    ['uploading', AUDIT, (method, key) => method === 'writeStream' && key.startsWith('tmp/')],
    ['publishing', AUDIT, (method, key) => method === 'writeStream' && key.startsWith('results/')],
  ])('while %s asks for another attempt and records nothing', async (_, request, isMoment) => {
    const store = await storeWith(request);
    const stop = new AbortController();
    store.before = (method, key) => {
      if (isMoment(method, key)) stop.abort();
    };
    const { exitCode, entries } = await run(store, { attempt: 3 }, { signal: stop.signal });
    expect(exitCode).toBe(75);
    const record = await getRecord(store, JOB);
    expect(record.status).toBe('running');
    expect(record.error).toBeUndefined();
    expect(resultsIn(store)).not.toContain('audit.json');
    expect(entries.at(-1)).toMatchObject({ message: 'stopped' });
    store.before = () => {};
    expect(await run(store, { attempt: 4 })).toMatchObject({ exitCode: 0 });
    expect(store.keys('tmp/')).toEqual([]);
  });
});
