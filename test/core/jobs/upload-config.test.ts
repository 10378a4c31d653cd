import { describe, expect, it } from 'vitest';
import {
  dataSetRequest,
  isDataSet,
  nearestConfig,
  readConfig,
  readSmall,
  tableRequest,
  versionOf,
} from '../../../core/jobs/upload-config.ts';
import { AUDIT, MITIGATION, makeTestDeps } from './fixtures.ts';

const { columns } = AUDIT;

async function makeConfig(content: unknown) {
  const { store } = makeTestDeps();
  await store.put('uploads/set/counterweight.json', content);
  return (await readConfig(store, 'uploads/set/counterweight.json'))!;
}

describe('nearestConfig', () => {
  const table = 'uploads/a/b/c/t.csv';

  it.each([
    [['uploads/a/b/c/', 'uploads/a/'], 'uploads/a/b/c/'],
    [['uploads/a/', 'uploads/'], 'uploads/a/'],
    [['uploads/'], 'uploads/'],
  ])('of the folders %j is that of %s', async (folders, nearest) => {
    const { store } = makeTestDeps();
    for (const folder of folders) await store.put(`${folder}counterweight.json`, { columns });
    expect((await nearestConfig(store, table))?.object.key).toBe(`${nearest}counterweight.json`);
  });

  it('is looked for in ten folders', async () => {
    const { store } = makeTestDeps();
    const folders = (count: number) => `uploads/${'x/'.repeat(count)}`;
    await store.put('uploads/counterweight.json', { columns });
    expect(await nearestConfig(store, `${folders(9)}t.csv`)).not.toBeNull();
    expect(await nearestConfig(store, `${folders(10)}t.csv`)).toBeNull();
  });

  it('looks neither beside the way nor above uploads/', async () => {
    const { store } = makeTestDeps();
    for (const folder of ['', 'uploads/a/x/', 'uploads/a/b/c/d/']) {
      await store.put(`${folder}counterweight.json`, { columns });
    }
    expect(await nearestConfig(store, table)).toBeNull();
  });
});

describe('a configuration', () => {
  it('of a model and a table makes a mitigation of paths from its own folder', async () => {
    const config = await makeConfig({ model: 'model/', manifest: 'labels.csv', columns: MITIGATION.columns });
    expect(isDataSet(config)).toBe(true);
    expect(dataSetRequest(config)).toEqual(MITIGATION);
  });

  it('of columns makes an audit of a table', async () => {
    const config = await makeConfig({ columns });
    expect(isDataSet(config)).toBe(false);
    const { store } = makeTestDeps();
    expect(tableRequest(config, await store.put(AUDIT.predictions, ''))).toEqual(AUDIT);
  });

  it('that names a table only is refused, since it is half a data set', async () => {
    const config = await makeConfig({ manifest: 'labels.csv', columns });
    expect(isDataSet(config)).toBe(true);
    expect(() => dataSetRequest(config)).toThrow('"model" is missing');
  });

  it('for a table cannot be a data set by the name of its kind', async () => {
    const config = await makeConfig({ kind: 'audit', manifest: 'labels.csv', model: 'm', columns });
    expect(() => dataSetRequest(config)).toThrow(expect.objectContaining({ code: 'INVALID_INPUT' }));
  });
});

describe('readSmall', () => {
  it('refuses what is longer than 1 MiB before it reads it', async () => {
    const { store } = makeTestDeps();
    await store.put('uploads/x.json', ' '.repeat(2 ** 20 + 1));
    await expect(readSmall(store, 'uploads/x.json', 'job request')).rejects.toThrow('at most 1048576 bytes');
    expect(store.calls.read).toBeUndefined();
  });

  it('returns null for what is not there', async () => {
    expect(await readSmall(makeTestDeps().store, 'uploads/x.json', 'job request')).toBeNull();
  });
});

describe('versionOf', () => {
  it('tells uploads of the same bytes apart when a second has passed', async () => {
    const deps = makeTestDeps();
    const versions: string[] = [];
    for (const [seconds, content] of [
      [0, 'a'],
      [0, 'a'],
      [1, 'a'],
      [0, 'b'],
    ] as const) {
      deps.wait(seconds);
      versions.push(versionOf(await deps.store.put('uploads/x.csv', content)));
    }
    expect(versions[1]).toBe(versions[0]);
    expect(new Set(versions).size).toBe(3);
  });
});
