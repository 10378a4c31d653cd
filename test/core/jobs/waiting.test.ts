import { describe, expect, it } from 'vitest';
import { noteWaiting, waitingDataSets } from '../../../core/jobs/waiting.ts';
import { makeTestDeps, type TestDeps } from './fixtures.ts';

const config = 'uploads/set/counterweight.json';

async function configsOf({ store }: TestDeps): Promise<string[]> {
  const configs: string[] = [];
  for await (const waiting of waitingDataSets(store)) configs.push(waiting.config);
  return configs;
}

describe('noteWaiting', () => {
  it('keeps one note however often it is called', async () => {
    const deps = makeTestDeps();
    const object = await deps.store.put(config, {});
    await Promise.all([1, 2, 3].map(() => noteWaiting(deps.store, object)));
    expect(await configsOf(deps)).toEqual([config]);
  });

  it('keeps another note for a configuration that was uploaded again', async () => {
    const deps = makeTestDeps();
    await noteWaiting(deps.store, await deps.store.put(config, {}));
    const [old] = deps.store.keys('waiting/');
    deps.wait(1);
    await noteWaiting(deps.store, await deps.store.put(config, {}));
    await deps.store.delete(old!);
    expect(await configsOf(deps)).toEqual([config]);
  });
});

describe('waitingDataSets', () => {
  it('gives nothing where nothing waits', async () => {
    expect(await configsOf(makeTestDeps())).toEqual([]);
  });

  it('gives the note of each, to be deleted', async () => {
    const deps = makeTestDeps();
    await noteWaiting(deps.store, await deps.store.put(config, {}));
    for await (const { key } of waitingDataSets(deps.store)) await deps.store.delete(key);
    expect(deps.store.keys('waiting/')).toEqual([]);
  });

  it('gives 50 at most', async () => {
    const deps = makeTestDeps();
    for (let index = 0; index < 51; index += 1) {
      await noteWaiting(deps.store, await deps.store.put(`uploads/${index}/counterweight.json`, {}));
    }
    expect(await configsOf(deps)).toHaveLength(50);
  });
});
