import { describe, expect, it } from 'vitest';
import { StorageError } from '../../../core/errors.ts';
import { recordKey } from '../../../core/jobs/keys.ts';
import { CANARY } from '../../helpers/cli.ts';
import { getRecord, IMAGE_SOURCE, QUICK_MITIGATION, TABLE_SOURCE } from '../../helpers/worker-process.ts';
import { AUDIT, JOB, resultsIn, useTaskBench } from './task-bench.ts';

const bench = useTaskBench();
const { storeWith, run } = bench;

describe('a failure', () => {
  /** A manifest whose third line has no label; a cell of it is the canary. */
  const BAD_ROWS = `malignant,ink,patient,part,size,depth,site\n0,a,${CANARY},external,1,1,north\n,a,P2,external,1,1,north\n`;

  it('that another attempt would repeat is recorded at once, by the key of the file and without its rows', async () => {
    const store = await storeWith({ kind: 'model-audit', ...TABLE_SOURCE });
    await store.put(TABLE_SOURCE.manifest, BAD_ROWS);
    const { exitCode, log, entries } = await run(store, { attempt: 1 });
    expect(exitCode).toBe(64);
    expect(await getRecord(store, JOB)).toMatchObject({
      status: 'failed',
      error: {
        code: 'INVALID_INPUT',
        message:
          'uploads/made/rows.csv, line 3, column "malignant": expected a value, received an empty cell',
      },
    });
    expect(entries.at(-1)).toMatchObject({
      message: 'failed',
      reason: 'manifest, line 3, column "malignant": expected a value, received an empty cell',
    });
    expect(log).not.toMatch(/uploads\/|\/tmp\//);
    expect(log).not.toContain(CANARY);
    expect([...resultsIn(store), ...store.keys('tmp/')]).toEqual([]);
  });

  it('repeats no first row of a table without a header', async () => {
    const store = await storeWith(AUDIT);
    await store.put(AUDIT.predictions, `1,0.9,${CANARY}\n0,0.1,m\n`);
    const { log } = await run(store);
    const { error } = await getRecord(store, JOB);
    expect(error!.message).toBe(
      'uploads/made/scores.csv: expected a column "y", received the columns "…", "…", "…"',
    );
    expect(log).not.toContain(CANARY);
  });

  it('names no image of the manifest', async () => {
    const store = await storeWith({ kind: 'model-audit', ...IMAGE_SOURCE });
    await store.put(
      IMAGE_SOURCE.manifest,
      `file,malignant,ink,patient,part\nimages/${CANARY}.png,1,a,P,test\n`,
    );
    const { log } = await run(store);
    const { error } = await getRecord(store, JOB);
    expect(error).toMatchObject({ code: 'INVALID_INPUT', message: expect.stringContaining('"…"') });
    expect(`${error!.message}${log}`).not.toContain(CANARY);
    expect(error!.message).not.toContain(bench.folder);
  });

  it('of a model without its weights is an invalid input, named by the file', async () => {
    const store = await storeWith(QUICK_MITIGATION);
    await store.delete(`${TABLE_SOURCE.model}/weights.bin`);
    expect(await run(store)).toMatchObject({ exitCode: 64 });
    expect((await getRecord(store, JOB)).error).toEqual({
      code: 'INVALID_INPUT',
      message: 'model file "weights.bin": does not exist',
    });
  });

  it('of the store is tried again, and recorded by the last attempt only', async () => {
    const store = await storeWith(AUDIT);
    store.before = (method) => {
      if (method === 'readStream') throw new StorageError('object store: reading failed (HTTP 503 SlowDown)');
    };
    for (const attempt of [1, 2]) expect(await run(store, { attempt })).toMatchObject({ exitCode: 75 });
    expect(await getRecord(store, JOB)).toMatchObject({ status: 'running' });
    expect(await run(store, { attempt: 3 })).toMatchObject({ exitCode: 75 });
    expect(await getRecord(store, JOB)).toMatchObject({
      status: 'failed',
      error: { code: 'STORAGE', message: 'object store: reading failed (HTTP 503 SlowDown)' },
    });
  });

  it('of a shard says which one', async () => {
    const store = await storeWith({ kind: 'model-audit', ...TABLE_SOURCE });
    expect(await run(store, { task: 'shard', shard: 2 })).toMatchObject({ exitCode: 64 });
    expect((await getRecord(store, JOB)).error).toEqual({
      code: 'JOB_CONFLICT',
      message: 'shard 3: expected a shard of a mitigation, received a model-audit',
    });
  });

  it('that nobody foresaw is recorded without its message, and the log says where', async () => {
    const store = await storeWith(AUDIT);
    store.before = (method) => {
      if (method === 'readStream') throw new TypeError(CANARY);
    };
    const { exitCode, entries, log } = await run(store);
    expect(exitCode).toBe(70);
    expect((await getRecord(store, JOB)).error).toEqual({
      code: 'UNEXPECTED',
      message: 'the worker failed unexpectedly; its log says where',
    });
    expect(entries.at(-1)).toMatchObject({
      code: 'UNEXPECTED',
      where: expect.stringMatching(/run-task-failures\.test\.ts:\d+/),
    });
    expect(log).not.toContain(CANARY);
  });

  it('keeps its exit code when the record cannot be written', async () => {
    const store = await storeWith(AUDIT);
    await store.put(AUDIT.predictions, 'nothing');
    let writes = 0;
    store.before = (method, key) => {
      if (method === 'write' && key === recordKey(JOB) && ++writes > 1) throw new StorageError('no');
    };
    const { exitCode, entries } = await run(store);
    expect(exitCode).toBe(64);
    expect(entries.at(-1)).toMatchObject({ message: 'the record could not be written', code: 'STORAGE' });
  });

  it('to clean up is none of the job', async () => {
    const store = await storeWith(AUDIT);
    store.before = (method) => {
      if (method === 'delete') throw new StorageError('no');
    };
    const { exitCode, entries } = await run(store);
    expect(exitCode).toBe(0);
    expect((await getRecord(store, JOB)).status).toBe('succeeded');
    expect(entries).toContainEqual(
      expect.objectContaining({ level: 'warn', message: 'temporary objects could not be deleted' }),
    );
  });
});
