import { mkdir, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { definitionSchema } from '../../../core/jobs/definitions.ts';
import { auditKey } from '../../../core/jobs/keys.ts';
import { settleAudit } from '../../../core/jobs/settle-audit.ts';
import { makeDirectoryStore } from '../../../core/storage/directory-store.ts';
import {
  auditPage,
  inputsOf,
  listAudits,
  listColumns,
  listInputs,
  listJobIds,
  listJobInputs,
  makeUploadKeys,
} from '../../../functions/local/listings.ts';
import { AUDIT, MITIGATION, makeSubmitted, makeTestDeps } from '../../core/jobs/fixtures.ts';
import { useTempFolder } from '../../helpers/files.ts';
import { makeFunctionDeps } from '../fixtures.ts';
import { put, TABLE } from './serving.ts';

const folder = useTempFolder();
const inputsAt = async (root: string) => listInputs(root, await makeUploadKeys(root)());
const storeAt = (root: string) => makeDirectoryStore(root);

describe('what a request may name', () => {
  it('is tables, models and folders with a model.json, the newest first, and nothing that a link leads to', async () => {
    const root = folder.at('inputs');
    const models = ['a/model/model.json', 'a/model/weights.bin', 'a/Net.ONNX', 'a/net.onnx.data', 'a/b.json'];
    const names = ['a/LABELS.CSV', ...models, 'a/x.png', 'b/scores.csv'];
    for (const [second, name] of names.entries()) {
      await put(root, `uploads/${name}`, '');
      await utimes(path.join(root, 'uploads', name), second, second);
    }
    await put(folder.path, 'elsewhere/secret.csv', '');
    await symlink(folder.at('elsewhere'), path.join(root, 'uploads/link'));
    await symlink(folder.at('elsewhere/secret.csv'), path.join(root, 'uploads/link.csv'));
    expect(await inputsAt(root)).toEqual({
      models: ['uploads/a/Net.ONNX', 'uploads/a/model/'],
      tables: ['uploads/b/scores.csv', 'uploads/a/LABELS.CSV'],
      more: { models: 0, tables: 0 },
    });
    expect((await inputsAt(folder.at('absent'))).tables).toEqual([]);
  });

  it('holds what came last, wherever its name sorts, and counts what it leaves out', async () => {
    const root = folder.at('many');
    await put(root, 'uploads/zzz.csv', '');
    const old = async (name: string) => {
      await put(root, `uploads/${name}`, '');
      await utimes(path.join(root, 'uploads', name), 0, 0);
    };
    await Promise.all(Array.from({ length: 502 }, (_, index) => old(`a${index}.csv`)));
    const { tables, more } = await inputsAt(root);
    expect(tables[0]).toBe('uploads/zzz.csv');
    expect(tables).toHaveLength(500);
    expect(more).toEqual({ models: 0, tables: 3 });
  });
});

describe('the keys of uploads', () => {
  it('are those of files that can be named or start something, and follow what comes and goes', async () => {
    const root = folder.at('keys');
    for (const name of ['a/x.csv', 'a/x.png', 'a/b/model.json']) await put(root, `uploads/${name}`, '');
    const keys = makeUploadKeys(root);
    expect(await keys()).toEqual(['uploads/a/b/model.json', 'uploads/a/x.csv']);
    await put(root, 'uploads/a/b/counterweight.json', '');
    await rm(path.join(root, 'uploads/a/x.csv'));
    expect(await keys()).toEqual(['uploads/a/b/counterweight.json', 'uploads/a/b/model.json']);
  });
});

describe('the ids of jobs', () => {
  it('come from the eldest, whose id sorts last, and are nothing else', async () => {
    const root = folder.at('ids');
    for (const name of ['zt1-a', 'zt2-b', 'zt0-c', 'No Id', '.hidden']) {
      await mkdir(path.join(root, 'jobs', name), { recursive: true });
    }
    expect(await listJobIds(root)).toEqual(['zt2-b', 'zt1-a', 'zt0-c']);
    expect(await listJobIds(folder.at('absent'))).toEqual([]);
  });
});

describe('what a job was made of', () => {
  it('has the names that people know it by', async () => {
    const { deps, jobId } = await makeSubmitted(AUDIT);
    expect(await listJobInputs(deps.store)).toEqual({ [jobId]: { table: 'scores.csv' } });
  });

  it.each([
    ['uploads/5c1f0a7be2d84f6f9a3b1c2d4e5f6071/ward/model/', 'ward/model'],
    ['uploads/5c1f0a7be2d84f6f9a3b1c2d4e5f6071/model', 'model'],
    ['uploads/a/b/c/d', 'c/d'],
    ['uploads/5c1f0a7be2d84f6f9a3b1c2d4e5f6071/net.onnx', 'net.onnx'],
  ])('of a model at %s: %s', (model, name) => {
    expect(inputsOf({ ...MITIGATION, model })).toEqual({ table: 'labels.csv', model: name });
  });
});

describe('the columns of a table', () => {
  it.each<[string, string, string[]]>([
    ['plain names', TABLE, ['y', 'sex', 'p']],
    [
      'a byte order mark, quotes and spaces',
      '\ufeff"the label", sex ,"p, q"\r\n1,f,0.5\r\n',
      ['the label', 'sex', 'p, q'],
    ],
    ['only a header', 'y,sex', ['y', 'sex']],
    ['a row of data in the place of names', '1,f,0.9\n0,m,0.2\n', []],
    ['an empty name', 'y,,p\n1,f,0.5\n', []],
    ['a name twice', 'yes,no,yes\n', []],
    ['a quote left open', '"y,sex\n1,f\n', []],
    ['nothing', '', []],
    ['a header beyond all measure', `${'x'.repeat(70_000)}\n1\n`, []],
  ])('are told of a table with %s', async (name, content, columns) => {
    const root = folder.at('columns');
    const key = `uploads/${name.replaceAll(' ', '-')}.csv`;
    await put(root, key, content);
    expect(await listColumns(storeAt(root), key)).toEqual(columns);
  });

  it.each([
    ['{"y":1,"the sex":"f","p":0.5}\n{"q":1}\n', ['y', 'the sex', 'p']],
    ['y,sex\n1,f\n', []],
    ['{"y":1', []],
  ])('are the keys of the first row of JSONL: %j', async (content, columns) => {
    const root = folder.at('columns');
    await put(root, 'uploads/rows.jsonl', content);
    expect(await listColumns(storeAt(root), 'uploads/rows.jsonl')).toEqual(columns);
  });

  it.each<[string, Buffer]>([
    ['NUL bytes', Buffer.from('PK\u0003\u0004,y\n\0\0,1\n')],
    ['another encoding', Buffer.from('y,Stra\xdfe\n1,a\n', 'latin1')],
    ['a picture in it', Buffer.concat([Buffer.from('y,sex\n'), Buffer.from([0x89, 0x50, 0xff, 0xfe])])],
  ])('are none of a table with %s', async (name, content) => {
    const root = folder.at('columns');
    const key = `uploads/${name.replaceAll(' ', '-')}.csv`;
    await put(root, key, '');
    await writeFile(path.join(root, key), content);
    expect(await listColumns(storeAt(root), key)).toEqual([]);
  });

  it('are told where the look ends in the middle of a character', async () => {
    const root = folder.at('columns');
    // The 65,536th byte is the first of the two of "ß".
    await put(root, 'uploads/cut.csv', `y,sex\n${'x'.repeat(65_536 - 7)}ß\n`);
    expect(await listColumns(storeAt(root), 'uploads/cut.csv')).toEqual(['y', 'sex']);
  });

  it('are told of tables below uploads/ alone', async () => {
    const root = folder.at('columns');
    await put(root, 'results/x/table.csv', TABLE);
    await put(root, 'uploads/model.json', TABLE);
    for (const key of ['results/x/table.csv', 'uploads/model.json', 'uploads/absent.csv', '']) {
      expect(await listColumns(storeAt(root), key)).toEqual([]);
    }
    await expect(listColumns(storeAt(root), 'uploads/../../x.csv')).rejects.toMatchObject({
      code: 'INVALID_INPUT',
    });
  });
});

describe('scheduled audits', () => {
  it('are listed from the newest, and shown as reports', async () => {
    const root = folder.at('audits');
    const store = storeAt(root);
    const deps = makeFunctionDeps();
    await deps.store.put(AUDIT.predictions, TABLE);
    const report = (await deps.auditTable(AUDIT))!;
    const definition = definitionSchema.parse({
      request: AUDIT,
      every: { days: 1 },
      policy: { name: 'ours', rules: [{ metric: 'demographicParityDifference', max: 0.9 }] },
    });
    const slots = ['2026-03-01T00:00:00.000Z', '2026-03-03T00:00:00.000Z', '2026-03-02T00:00:00.000Z'];
    for (const slot of slots) {
      await settleAudit({ ...makeTestDeps(), store }, { name: 'daily', definition, slot, report });
    }
    await put(root, auditKey('daily', new Date('2026-03-04T00:00:00.000Z')), '{"damaged":');
    const audits = await listAudits(root, store);
    expect(audits.map(({ time }) => time)).toEqual(slots.toSorted().reverse());
    // Two of the four women and two of the four men are predicted positive, so the gap is 0.
    const text = 'Demographic parity difference by sex 0, at most 0.9: kept';
    expect(audits[0]).toEqual({
      definition: 'daily',
      time: slots[1],
      verdict: 'pass',
      findings: [{ verdict: 'pass', text }],
      report: '/local/audits/daily/20260303T000000Z',
    });
    const page = await auditPage(store, { definition: 'daily', time: '20260303T000000Z' });
    expect(page).toContain('8 samples audited');
    expect(page).toMatch(/id="policy"[\s\S]*Demographic parity difference[\s\S]*0\.9/);
    expect(page).toContain('id="drift"');
    const first = await auditPage(store, { definition: 'daily', time: '20260301T000000Z' });
    expect(first).not.toContain('id="drift"');
    expect(await auditPage(store, { definition: 'daily', time: '20260309T000000Z' })).toBeNull();
    expect(await auditPage(store, { definition: '../x', time: '20260303T000000Z' })).toBeNull();
  });
});
