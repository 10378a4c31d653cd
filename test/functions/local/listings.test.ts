import { mkdir, symlink } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { auditKey } from '../../../core/jobs/keys.ts';
import { settleAudit } from '../../../core/jobs/settle-audit.ts';
import { makeDirectoryStore } from '../../../core/storage/directory-store.ts';
import {
  auditPage,
  listAudits,
  listColumns,
  listInputs,
  listJobIds,
} from '../../../functions/local/listings.ts';
import { AUDIT, makeTestDeps } from '../../core/jobs/fixtures.ts';
import { useTempFolder } from '../../helpers/files.ts';
import { makeFunctionDeps } from '../fixtures.ts';
import { put, TABLE } from './serving.ts';

const folder = useTempFolder();
const storeAt = (root: string) => makeDirectoryStore(root);

describe('what a request may name', () => {
  it('is tables and folders with a model, in order, and nothing that a link leads to', async () => {
    const root = folder.at('inputs');
    for (const name of [
      'b/scores.csv',
      'a/LABELS.CSV',
      'a/model/model.json',
      'a/model/weights.bin',
      'a/x.png',
    ]) {
      await put(root, `uploads/${name}`, '');
    }
    await put(folder.path, 'elsewhere/secret.csv', '');
    await symlink(folder.at('elsewhere'), path.join(root, 'uploads/link'));
    await symlink(folder.at('elsewhere/secret.csv'), path.join(root, 'uploads/link.csv'));
    expect(await listInputs(root)).toEqual({
      models: ['uploads/a/model/'],
      tables: ['uploads/a/LABELS.CSV', 'uploads/b/scores.csv'],
    });
    expect(await listInputs(folder.at('absent'))).toEqual({ models: [], tables: [] });
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
    const definition = {
      request: AUDIT,
      every: { days: 1 },
      limits: [{ metric: 'demographicParityDifference' as const, max: 0.9 }],
      mitigateOnFailure: false,
    };
    const slots = ['2026-03-01T00:00:00.000Z', '2026-03-03T00:00:00.000Z', '2026-03-02T00:00:00.000Z'];
    for (const slot of slots) {
      await settleAudit({ ...makeTestDeps(), store }, { name: 'daily', definition, slot, report });
    }
    await put(root, auditKey('daily', new Date('2026-03-04T00:00:00.000Z')), '{"damaged":');
    const audits = await listAudits(root, store);
    expect(audits.map(({ time }) => time)).toEqual(slots.toSorted().reverse());
    expect(audits[0]).toEqual({
      definition: 'daily',
      time: slots[1],
      verdict: 'pass',
      report: '/local/audits/daily/20260303T000000Z',
    });
    expect(await auditPage(store, { definition: 'daily', time: '20260303T000000Z' })).toContain(
      '8 samples audited',
    );
    expect(await auditPage(store, { definition: 'daily', time: '20260309T000000Z' })).toBeNull();
    expect(await auditPage(store, { definition: '../x', time: '20260303T000000Z' })).toBeNull();
  });
});
