import { readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import * as tf from '@tensorflow/tfjs-core';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { describe, expect, it } from 'vitest';
import { StorageError } from '../../../core/errors.ts';
import { LARGEST_DIRECT_AUDIT_BYTES, makeAuditTable } from '../../../functions/lib/audit-table.ts';
import { makeStartBackend } from '../../../functions/lib/backend.ts';
import { AUDIT, TABLE } from '../../core/jobs/fixtures.ts';
import { type MemoryStore, makeMemoryStore } from '../../helpers/memory-store.ts';

const startBackend = makeStartBackend();

async function makeTable(content: string): Promise<MemoryStore> {
  const store = makeMemoryStore();
  await store.put(AUDIT.predictions, content);
  return store;
}
const auditOf = async (content: string, change: object = {}) =>
  makeAuditTable({ store: await makeTable(content), startBackend })({ ...AUDIT, ...change });

/** Folders of ours among the temporary ones. */
const left = async () => (await readdir(tmpdir())).filter((name) => name.startsWith('counterweight-'));

describe('an audit of a table', () => {
  it('counts as by hand: of two women with a positive label one is found, of two men both', async () => {
    const report = await auditOf(TABLE);
    const rates = report!.features[0]!.groups.map(({ rates: { truePositiveRate } }) => truePositiveRate);
    expect(rates).toMatchObject([
      { value: 1 / 2, numerator: 1, support: 2 },
      { value: 2 / 2, numerator: 2, support: 2 },
    ]);
  });

  it('reads JSONL and Parquet too, text also inside gzip, by the ending of the key or the content', async () => {
    const expected = await auditOf(TABLE);
    const rows = TABLE.trim()
      .split('\n')
      .slice(1)
      .map((row) => row.split(','));
    const jsonl = rows
      .map(([y, sex, p]) => `${JSON.stringify({ y: Number(y), sex, p: Number(p) })}\n`)
      .join('');
    const parquet = parquetWriteBuffer({
      columnData: [
        { name: 'y', data: rows.map(([y]) => Number(y)), type: 'INT32' },
        { name: 'sex', data: rows.map(([, sex]) => sex!), type: 'STRING' },
        { name: 'p', data: rows.map(([, , p]) => Number(p)), type: 'DOUBLE' },
      ],
    });
    const tables = {
      'a.jsonl': jsonl,
      'a.csv.gz': gzipSync(TABLE),
      'a.parquet': new Uint8Array(parquet),
      a: jsonl,
    };
    for (const [name, content] of Object.entries(tables)) {
      const store = makeMemoryStore();
      const predictions = `uploads/table/${name}`;
      await store.write(predictions, content);
      expect(await makeAuditTable({ store, startBackend })({ ...AUDIT, predictions })).toEqual(expected);
    }
  });

  it('leaves a table of few bytes but very many rows to a job', async () => {
    const table = gzipSync(`y,sex,p\n${'1,f,1\n0,m,0\n'.repeat(20_000)}`);
    const store = makeMemoryStore();
    await store.write('uploads/table/long.csv.gz', table);
    const audit = makeAuditTable({ store, startBackend, mostRows: 20_000 });
    expect(await audit({ ...AUDIT, predictions: 'uploads/table/long.csv.gz' })).toBeNull();
  });

  it('takes predictions as well as scores', async () => {
    const columns = { label: 'y', sensitiveFeatures: ['sex'], prediction: 'p' };
    const report = await auditOf('y,sex,p\n1,f,1\n0,f,1\n1,m,0\n0,m,0\n', { columns });
    expect(report!.threshold).toBeNull();
    expect(report!.features[0]!.disparities.demographicParityDifference.value).toBe(1 - 0);
  });

  it('reads the rows of one split only, when told', async () => {
    const columns = { ...AUDIT.columns, split: 'part' };
    const table = TABLE.split('\n')
      .filter((row) => row !== '')
      .map((row, index) => `${row},${index === 0 ? 'part' : index < 5 ? 'a' : 'b'}\n`)
      .join('');
    const report = await auditOf(table, { columns, only: 'a' });
    expect(report!.overall.support).toBe(4);
    await expect(auditOf(table, { columns, only: 'c' })).rejects.toThrow(
      'only "c": expected a split with rows',
    );
    await expect(auditOf(TABLE, { only: 'a' })).rejects.toThrow(
      'only: expected a column of splits (columns.split, --split-column) as well',
    );
  });

  it('is null for a table that is missing or too large, before anything is fetched', async () => {
    const store = await makeTable('x'.repeat(LARGEST_DIRECT_AUDIT_BYTES + 1));
    const audit = makeAuditTable({ store, startBackend });
    expect(await audit(AUDIT)).toBeNull();
    expect(await audit({ ...AUDIT, predictions: 'uploads/none.csv' })).toBeNull();
    expect(store.calls.readStream).toBeUndefined();
  });

  it('is null for a table that grows or goes after it was looked at', async () => {
    const store = await makeTable(TABLE);
    const chunk = Buffer.alloc(2 ** 20, 'x');
    const large = Array.from({ length: 9 }, () => chunk);
    const grown = { ...store, readStream: async () => Readable.from(large) };
    expect(await makeAuditTable({ store: grown, startBackend })(AUDIT)).toBeNull();
    expect(
      await makeAuditTable({ store: { ...store, readStream: async () => null }, startBackend })(AUDIT),
    ).toBeNull();
  });

  it.each([
    ['y,sex,p\nCANARY,f,0.5\n1,m,0.2\n', 'positive-label'],
    ['y,sex,p\n1,f,CANARY\n', 'line 2, column "p"'],
    ['CANARY,f,0.5\n1,m,0.2\n', 'expected a column "y"'],
    ['y,sex,p\n1,f,0.5,CANARY\n', 'line 2'],
    ['y,sex,p\n1,"CANARY,0.5\n', 'line 2'],
    ['y,sex,p\n1,1,0.5\n1,1.0,0.5\n', 'one spelling per group'],
  ])('says where the table %j is wrong, without a cell or a path', async (content, where) => {
    const error = await auditOf(content).catch((caught: Error) => caught);
    expect(error).toMatchObject({ code: 'INVALID_INPUT', message: expect.stringContaining(where) });
    expect((error as Error).message).toMatch(/^predictions/);
    expect((error as Error).message).not.toMatch(/CANARY|tmp|uploads|"1\.0"/);
  });

  it('refuses more than 10,000 groups before it makes a report', async () => {
    const names = Array.from({ length: 11 }, (_, index) => `f${index}`);
    const table = (rows: number) =>
      [
        ['y', 'p', ...names].join(),
        ...Array.from({ length: rows }, (_, row) => [row % 2, 0.5, ...names.map(() => `g${row}`)].join()),
        '',
      ].join('\n');
    const columns = { ...AUDIT.columns, sensitiveFeatures: names };
    await expect(auditOf(table(910), { columns })).rejects.toMatchObject({
      code: 'INVALID_INPUT',
      message: `predictions: expected at most 10000 groups in all sensitive features together, received ${11 * 910}`,
    });
    expect((await auditOf(table(909), { columns }))!.features).toHaveLength(11);
  });

  it('throws StorageError when the stream breaks off', async () => {
    const store = await makeTable(TABLE);
    const broken = (error: Error) => ({
      ...store,
      readStream: async () =>
        Readable.from(
          (async function* () {
            yield Buffer.from('y,sex,p\n');
            throw error;
          })(),
        ),
    });
    const audit = (error: Error) => makeAuditTable({ store: broken(error), startBackend })(AUDIT);
    await expect(audit(new Error('socket'))).rejects.toMatchObject({ code: 'STORAGE' });
    await expect(audit(new StorageError('reset'))).rejects.toThrow('reset');
  });

  it('leaves no file and no tensor behind, whether it succeeds or fails', async () => {
    await startBackend();
    const before = { files: await left(), tensors: tf.memory().numTensors };
    await auditOf(TABLE);
    await auditOf('y\n').catch(() => null);
    expect({ files: await left(), tensors: tf.memory().numTensors }).toEqual(before);
  });

  it('does not hide that the backend cannot start', async () => {
    const store = await makeTable(TABLE);
    const audit = makeAuditTable({ store, startBackend: () => Promise.reject(new Error('no wasm')) });
    await expect(audit(AUDIT)).rejects.toThrow('no wasm');
  });
});
