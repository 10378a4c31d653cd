import { describe, expect, it } from 'vitest';
import { StorageError } from '../../../core/errors.ts';
import { noteWaiting, waitingDataSets } from '../../../core/jobs/waiting.ts';
import { makeTestDeps, type TestDeps } from './fixtures.ts';

const config = 'uploads/set/counterweight.json';

/** What one call gives: configurations, and `error` for a note that cannot be read. */
async function look(deps: TestDeps): Promise<string[]> {
  const configs: string[] = [];
  for await (const waiting of waitingDataSets(deps)) {
    configs.push('config' in waiting ? waiting.config : 'error');
  }
  return configs;
}

/** Data sets that wait, by the names of their folders. */
async function makeWaiting(count: number): Promise<{ deps: TestDeps; configs: string[] }> {
  const deps = makeTestDeps();
  const configs = Array.from({ length: count }, (_, index) => `uploads/${index}/counterweight.json`);
  for (const key of configs) await noteWaiting(deps.store, await deps.store.put(key, {}));
  return { deps, configs: configs.sort() };
}

describe('noteWaiting', () => {
  it('keeps one note however often it is called', async () => {
    const deps = makeTestDeps();
    const object = await deps.store.put(config, {});
    await Promise.all([1, 2, 3].map(() => noteWaiting(deps.store, object)));
    expect(await look(deps)).toEqual([config]);
  });

  it('keeps another note for a configuration that was uploaded again', async () => {
    const deps = makeTestDeps();
    await noteWaiting(deps.store, await deps.store.put(config, {}));
    const [old] = deps.store.keys('waiting/');
    deps.wait(1);
    await noteWaiting(deps.store, await deps.store.put(config, {}));
    await deps.store.delete(old!);
    expect(await look(deps)).toEqual([config]);
  });
});

describe('waitingDataSets', () => {
  it('gives nothing where nothing waits', async () => {
    expect(await look(makeTestDeps())).toEqual([]);
  });

  it('gives the note of each, to be deleted', async () => {
    const { deps } = await makeWaiting(1);
    for await (const { key } of waitingDataSets(deps)) await deps.store.delete(key);
    expect(deps.store.keys('waiting/')).toEqual([]);
  });

  it('gives 50 at most, the others at the next calls, and then begins anew', async () => {
    const { deps, configs } = await makeWaiting(120);
    const rounds = [await look(deps), await look(deps), await look(deps)];
    expect(rounds.map(({ length }) => length)).toEqual([50, 50, 120 - 2 * 50]);
    expect(rounds.flat().sort()).toEqual(configs);
    expect(await look(deps)).toEqual(rounds[0]);
  });

  it('gives 50 again at each call when there are no more, and writes nothing down', async () => {
    const { deps, configs } = await makeWaiting(50);
    for (const round of [await look(deps), await look(deps)]) expect(round.sort()).toEqual(configs);
    expect(deps.store.keys('locks/')).toEqual([]);
  });

  it('gives the others beside a note that is damaged, and those behind it', async () => {
    const { deps, configs } = await makeWaiting(2);
    await deps.store.put('waiting/0.json', 'damaged');
    expect((await look(deps)).sort()).toEqual(['error', ...configs]);
  });

  it('gives the others beside a note that cannot be read now', async () => {
    const { deps } = await makeWaiting(3);
    const [, second] = deps.store.keys('waiting/');
    deps.store.before = (method, key) => {
      if (method === 'read' && key === second) throw new StorageError('throttled');
    };
    expect((await look(deps)).map((each) => each === 'error')).toEqual([false, true, false]);
  });

  it('leaves out a note that another call deletes meanwhile', async () => {
    const { deps } = await makeWaiting(2);
    const [first, second] = deps.store.keys('waiting/');
    const keys: string[] = [];
    for await (const { key } of waitingDataSets(deps)) {
      keys.push(key);
      await deps.store.delete(second!);
    }
    expect(keys).toEqual([first]);
  });

  it('ends after two minutes, and goes on from there at the next call', async () => {
    const { deps, configs } = await makeWaiting(5);
    const rounds: string[][] = [];
    for (let call = 0; call < 3; call += 1) {
      const round: string[] = [];
      for await (const waiting of waitingDataSets(deps)) {
        round.push('config' in waiting ? waiting.config : 'error');
        deps.wait(60);
      }
      rounds.push(round);
    }
    expect(rounds.map(({ length }) => length)).toEqual([2, 2, 1]);
    expect(rounds.flat().sort()).toEqual(configs);
  });

  it('stops when the process is about to end', async () => {
    const { deps } = await makeWaiting(3);
    let given = 0;
    for await (const _ of waitingDataSets({ ...deps, isClosing: () => given === 1 })) given += 1;
    expect(given).toBe(1);
    expect(await look(deps)).toHaveLength(3 - 1);
  });

  it('goes on behind the one at which its caller stopped', async () => {
    const { deps, configs } = await makeWaiting(2);
    const first: string[] = [];
    for await (const waiting of waitingDataSets(deps)) {
      if ('config' in waiting) first.push(waiting.config);
      break;
    }
    expect([...first, ...(await look(deps))].sort()).toEqual(configs);
  });
});
