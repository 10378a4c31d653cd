import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { handleUpload } from '../../../core/jobs/handle-upload.ts';
import type { JobRecord } from '../../../core/jobs/record.ts';
import { waitingDataSets } from '../../../core/jobs/waiting.ts';
import { AUDIT, MITIGATION, makeTestDeps, ONNX, putInputs, TABLE, type TestDeps } from './fixtures.ts';

const columns = { label: 'y', sensitiveFeatures: ['sex'], score: 'p' };

/** Requests of the jobs that were started, in order of upload. */
async function requests(deps: TestDeps, ...keys: string[]): Promise<unknown[]> {
  const all: unknown[] = [];
  for (const key of keys) {
    const outcome = await handleUpload(deps, key);
    if ('started' in outcome) all.push(outcome.started.map(({ request }) => request));
    else all.push('lacks' in outcome ? outcome.lacks : outcome.ignored);
  }
  return all;
}

async function configsThatWait(deps: TestDeps): Promise<string[]> {
  const configs: string[] = [];
  for await (const waiting of waitingDataSets(deps))
    configs.push('config' in waiting ? waiting.config : 'error');
  return configs;
}

const jobsOf = ({ store }: TestDeps) =>
  store.keys('jobs/').map((key) => (store.json(key) as JobRecord).request);

describe('handleUpload of a table', () => {
  const table = 'uploads/u/scores.csv';
  const config = 'uploads/u/counterweight.json';
  const request = { kind: 'audit', predictions: table, columns, threshold: 0.5 };

  it.each([[[table, config]], [[config, table]], [[config, table, table, config, config]]])(
    'starts one audit, told of %j',
    async (keys) => {
      const deps = makeTestDeps();
      await deps.store.put(table, TABLE);
      await deps.store.put(config, { columns });
      await requests(deps, ...keys);
      expect(jobsOf(deps)).toEqual([request]);
      expect(deps.queues.cpu.works.size).toBe(1);
    },
  );

  it('starts one audit when both are told of at once', async () => {
    const deps = makeTestDeps();
    await deps.store.put(table, TABLE);
    await deps.store.put(config, { columns });
    await Promise.all([table, config, table, config].map((key) => handleUpload(deps, key)));
    expect(deps.queues.cpu.works.size).toBe(1);
  });

  it('waits for the configuration, then starts every table beside it', async () => {
    const deps = makeTestDeps();
    await deps.store.put(table, TABLE);
    await deps.store.put('uploads/u/MORE.CSV', TABLE);
    await deps.store.put('uploads/u/deeper/other.csv', TABLE);
    await deps.store.put('uploads/u/notes.txt', 'x');
    expect(await requests(deps, table)).toEqual(['no counterweight.json lies beside the table yet']);
    await deps.store.put(config, { columns, threshold: 0.3, only: 'test' });
    const [started] = await requests(deps, config);
    expect(started).toEqual([
      { ...request, predictions: 'uploads/u/MORE.CSV', threshold: 0.3, only: 'test' },
      { ...request, threshold: 0.3, only: 'test' },
    ]);
  });

  it('leaves out a table that goes while it is looked for', async () => {
    const deps = makeTestDeps();
    await deps.store.put(config, { columns });
    await deps.store.put('uploads/u/gone.csv', TABLE);
    await deps.store.put(table, TABLE);
    const { info } = deps.store;
    deps.store.info = async (key) => (key.endsWith('gone.csv') ? null : info(key));
    expect(await requests(deps, config)).toEqual([[request]]);
    expect(deps.store.calls.list).toBeUndefined();
  });

  it('waits for a table when the configuration comes first', async () => {
    const deps = makeTestDeps();
    await deps.store.put(config, { columns });
    expect(await requests(deps, config)).toEqual(['no table lies beside the configuration yet']);
  });

  it('starts another audit when the table is uploaded again', async () => {
    const deps = makeTestDeps();
    await deps.store.put(config, { columns });
    await deps.store.put(table, TABLE);
    await handleUpload(deps, table);
    await deps.store.put(table, `${TABLE}1,f,0.5\n`);
    await handleUpload(deps, table);
    deps.wait(1);
    await deps.store.put(table, `${TABLE}1,f,0.5\n`);
    await handleUpload(deps, table);
    expect(deps.queues.cpu.works.size).toBe(3);
  });

  it('starts another audit when the configuration says something else', async () => {
    const deps = makeTestDeps();
    await deps.store.put(table, TABLE);
    for (const threshold of [0.5, 0.5, 0.7]) {
      deps.wait(1);
      await deps.store.put(config, { columns, threshold });
      await handleUpload(deps, config);
    }
    expect(deps.queues.cpu.works.size).toBe(2);
  });

  it('refuses more than 100 tables at once', async () => {
    const deps = makeTestDeps();
    await deps.store.put(config, { columns });
    for (let index = 0; index <= 100; index += 1) await deps.store.put(`uploads/u/${index}.csv`, TABLE);
    await expect(handleUpload(deps, config)).rejects.toThrow('at most 100 tables');
    expect(jobsOf(deps)).toEqual([]);
  });

  it.each([
    ['no columns', {}, 'columns'],
    ['a mitigation without a model', { columns, kind: 'mitigation' }, 'model'],
    ['an unknown key', { columns, tresh: 1 }, 'tresh'],
    ['a kind that there is not', { columns, kind: 'train' }, 'kind'],
  ])('refuses a configuration with %s', async (_, content, word) => {
    const deps = makeTestDeps();
    await deps.store.put(table, TABLE);
    await deps.store.put(config, content);
    await expect(handleUpload(deps, config)).rejects.toMatchObject({
      code: 'INVALID_INPUT',
      message: expect.stringContaining(word),
    });
    expect(jobsOf(deps)).toEqual([]);
  });
});

describe('handleUpload of a data set', () => {
  const config = 'uploads/set/counterweight.json';
  const content = { model: 'model/', manifest: 'labels.csv', columns: MITIGATION.columns };

  async function makeDeps(fields: object = {}) {
    const deps = makeTestDeps();
    await putInputs(deps.store);
    await deps.store.put(config, { ...content, ...fields });
    return deps;
  }

  it('mitigates with paths from the folder of the configuration', async () => {
    const deps = await makeDeps();
    expect(await requests(deps, config)).toEqual([[MITIGATION]]);
  });

  it('audits the model when told to', async () => {
    const deps = await makeDeps({ kind: 'model-audit' });
    const [started] = await requests(deps, config);
    expect(started).toEqual([expect.objectContaining({ kind: 'model-audit' })]);
  });

  it('starts once however often it is told of, and once more for the configuration uploaded again', async () => {
    const deps = await makeDeps();
    await Promise.all(Array.from({ length: 10 }, () => handleUpload(deps, config)));
    expect(deps.queues.gpu.works.size).toBe(1);
    deps.wait(1);
    await deps.store.put(config, content);
    await requests(deps, config, config);
    expect(deps.queues.gpu.works.size).toBe(2);
  });

  const FILES = {
    [config]: JSON.stringify({ ...content, columns: { ...content.columns, image: 'file' } }),
    'uploads/set/labels.csv': 'file,y,sex\nimages/a.png,1,f\n',
    'uploads/set/model/model.json': JSON.stringify({ weightsManifest: [{ paths: ['w1.bin', 'w2.bin'] }] }),
    'uploads/set/model/w1.bin': '1',
    'uploads/set/model/w2.bin': '2',
    'uploads/set/model/preprocess.json': '{}',
    'uploads/set/images/a.png': 'x',
  };
  const KEYS = Object.keys(FILES) as (keyof typeof FILES)[];

  it('starts one job with whichever file comes last, told of each once or more, in any order', async () => {
    const order = fc.shuffledSubarray(KEYS, { minLength: KEYS.length });
    const again = fc.array(fc.constantFrom(...KEYS), { maxLength: 5 });
    const property = fc.asyncProperty(order, again, async (keys, repeated) => {
      const deps = makeTestDeps();
      for (const key of keys) {
        await deps.store.put(key, FILES[key]);
        const isLast = key === keys.at(-1);
        await handleUpload(deps, key);
        // An image starts nothing by itself: the next look at what waits does.
        const isStarted = isLast && !key.endsWith('.png');
        expect(deps.queues.gpu.works.size, key).toBe(isStarted ? 1 : 0);
      }
      for (const waiting of await configsThatWait(deps)) await handleUpload(deps, waiting);
      await Promise.all(repeated.map((key) => handleUpload(deps, key)));
      expect(deps.queues.gpu.works.size).toBe(1);
      expect(jobsOf(deps)).toHaveLength(1);
    });
    await fc.assert(property, { numRuns: 60 });
  });

  it('starts with the external data of an ONNX model, when that comes last', async () => {
    const deps = await makeDeps();
    await deps.store.delete('uploads/set/model/model.json');
    const keys = ['uploads/set/model/net.onnx', 'uploads/set/model/deep/w.data'];
    for (const [place, key] of keys.entries()) {
      await deps.store.put(key, place === 0 ? ONNX : 'x');
      await handleUpload(deps, key);
      expect(deps.queues.gpu.works.size).toBe(place);
    }
  });

  it.each(KEYS.filter((key) => key !== config))(
    'does not start without %s, and waits for it',
    async (key) => {
      const deps = makeTestDeps();
      for (const each of KEYS) if (each !== key) await deps.store.put(each, FILES[each]);
      expect(await handleUpload(deps, config)).toEqual({
        lacks: expect.any(String),
        since: deps.now(),
      });
      expect(deps.queues.gpu.works.size).toBe(0);
      expect(await configsThatWait(deps)).toEqual([config]);
      expect(deps.store.keys('waiting/')).toHaveLength(1);
    },
  );

  it('is not searched for what it lacks once it has its job', async () => {
    const deps = makeTestDeps();
    for (const key of KEYS) await deps.store.put(key, FILES[key]);
    await handleUpload(deps, config);
    const { listKeys, readStream } = deps.store.calls;
    deps.store.before = (method, key) => {
      if (key === MITIGATION.manifest || method.startsWith('list')) throw new Error(`${method} ${key}`);
    };
    for (const key of [config, 'uploads/set/model/w1.bin']) {
      expect(await handleUpload(deps, key)).toMatchObject({ started: [{ status: 'queued' }] });
    }
    expect(deps.store.calls).toMatchObject({ listKeys, readStream });
    expect(deps.queues.gpu.works.size).toBe(1);
  });

  it('does not start again when another of its files is uploaded again', async () => {
    const deps = await makeDeps();
    await requests(deps, config);
    deps.wait(60);
    await deps.store.put(MITIGATION.manifest, 'file,y,sex\nb.png,1,f\n');
    await requests(deps, MITIGATION.manifest, 'uploads/set/model/model.json');
    expect(deps.queues.gpu.works.size).toBe(1);
  });

  it('leaves a table below it to the configuration beside that table', async () => {
    const deps = await makeDeps();
    await deps.store.put('uploads/set/scores/t.csv', TABLE);
    await deps.store.put('uploads/set/scores/counterweight.json', { columns });
    await requests(deps, 'uploads/set/scores/t.csv');
    expect([deps.queues.gpu.works.size, deps.queues.cpu.works.size]).toEqual([0, 1]);
  });

  it.each([
    { model: '../other/model' },
    { model: undefined },
    { manifest: undefined },
    { manifest: '/labels.csv' },
  ])('refuses %j', async (fields) => {
    const deps = await makeDeps(fields);
    await expect(handleUpload(deps, config)).rejects.toMatchObject({ code: 'INVALID_INPUT' });
    expect(jobsOf(deps)).toEqual([]);
  });
});

describe('handleUpload of a job request', () => {
  const key = 'uploads/u/night.job.json';

  it('starts it once per upload', async () => {
    const deps = makeTestDeps();
    await putInputs(deps.store);
    await deps.store.put(key, AUDIT);
    await Promise.all(Array.from({ length: 10 }, () => handleUpload(deps, key)));
    expect(jobsOf(deps)).toEqual([AUDIT]);
    deps.wait(1);
    await deps.store.put(key, AUDIT);
    await handleUpload(deps, key);
    expect(deps.queues.cpu.works.size).toBe(2);
  });

  it.each([
    ['is no JSON', 'y,sex,p\n1,f,0.3\n', 'received text that is no JSON'],
    ['is no request', '{"kind":"audit"}', '"predictions" is missing'],
    ['is longer than 1 MiB', ' '.repeat(2 ** 20 + 1), 'at most 1048576 bytes'],
  ])('refuses one that %s', async (_, content, message) => {
    const deps = makeTestDeps();
    await deps.store.put(key, content);
    await expect(handleUpload(deps, key)).rejects.toMatchObject({
      code: 'INVALID_INPUT',
      message: expect.stringContaining(message),
    });
  });
});

describe('handleUpload of anything else', () => {
  it.each([
    ['uploads/u/image.png', 'it is no job request, no table, no part of a model and no configuration'],
    ['uploads/u/model/model.json', 'it belongs to no data set with a configuration yet'],
    ['results/a-1/table.csv', 'it does not lie below uploads/'],
    ['jobs/a-1/x.job.json', 'it does not lie below uploads/'],
    ['uploads/u/gone.csv', 'no counterweight.json lies beside the table yet'],
    ['uploads/u/gone.job.json', 'it is gone'],
    ['uploads/gone/counterweight.json', 'it is gone'],
  ])('ignores %s, since %s', async (key, reason) => {
    const deps = makeTestDeps();
    expect(await handleUpload(deps, key)).toEqual({ ignored: reason });
    expect(deps.store.keys()).toEqual([]);
  });
});
