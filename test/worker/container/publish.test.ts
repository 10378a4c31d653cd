import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { StorageError } from '../../../core/errors.ts';
import { LOCAL_IMAGES } from '../../../core/jobs/keys.ts';
import { makeDirectoryStore } from '../../../core/storage/directory-store.ts';
import {
  clearCheckpoints,
  clearTemporary,
  type PublishInput,
  publish,
} from '../../../worker/container/publish.ts';
import { NO_PROGRESS } from '../../../worker/progress.ts';
import { useTempFolder } from '../../helpers/files.ts';
import { makeMemoryStore } from '../../helpers/memory-store.ts';

const temporary = useTempFolder();

const FILES = {
  'run.json': '{}',
  'audit-after.json': 'after',
  'report.html': '<p>',
  'model/model.json': 'm',
  'model/weights.bin': 'w',
  'zeta.txt': 'z',
};
const NAMES = Object.keys(FILES).sort();
const RUN_LAST = [...NAMES.filter((name) => name !== 'run.json'), 'run.json'];

/** A folder with results, and all that publishing them needs. */
async function setUp(changes: Partial<PublishInput> = {}) {
  const place = `results-${(await readdir(temporary.path)).length}`;
  for (const [name, content] of Object.entries(FILES)) await temporary.write(`${place}/${name}`, content);
  const store = makeMemoryStore();
  const written: string[] = [];
  store.before = (method, key) => {
    if (method === 'writeStream') written.push(key);
  };
  const input: PublishInput = {
    store,
    jobId: 'job-1',
    attempt: 2,
    folder: temporary.at(place),
    last: 'run.json',
    isWanted: async () => true,
    progress: NO_PROGRESS,
    signal: new AbortController().signal,
    ...changes,
  };
  return { store, written, input };
}

describe('publish', () => {
  it('uploads everything under the temporary prefix first, then publishes, the last file last', async () => {
    const { input, written, store } = await setUp();
    expect(await publish(input)).toEqual(RUN_LAST);
    expect(written).toEqual([
      ...RUN_LAST.map((name) => `tmp/job-1/2/${name}`),
      ...RUN_LAST.map((name) => `results/job-1/${name}`),
    ]);
    const published = store.keys('results/').map((key) => key.slice('results/job-1/'.length));
    expect(published).toEqual(NAMES);
    expect(store.json('results/job-1/run.json')).toEqual({});
  });

  it('leaves pictures of the data where they are', async () => {
    const { input, store } = await setUp();
    await temporary.write(`${path.basename(input.folder)}/${LOCAL_IMAGES}`, '<img>');
    expect(await publish(input)).toEqual(RUN_LAST);
    expect(store.keys('').filter((key) => key.includes(LOCAL_IMAGES))).toEqual([]);
  });

  it('says what a browser shall make of each file', async () => {
    const { input, store } = await setUp();
    const types: Record<string, string | undefined> = {};
    const writeStream = store.writeStream;
    store.writeStream = (key, body, options) => {
      types[key] = options?.contentType;
      return writeStream(key, body, options);
    };
    await publish(input);
    expect(types).toMatchObject({
      'results/job-1/report.html': 'text/html; charset=utf-8',
      'results/job-1/run.json': 'application/json',
      'results/job-1/model/weights.bin': 'application/octet-stream',
    });
  });

  it('asks once, when all has been uploaded and nothing published, and then publishes nothing', async () => {
    const seen: string[][] = [];
    const { input, store } = await setUp();
    const isWanted = async () => {
      seen.push(store.keys());
      return false;
    };
    expect(await publish({ ...input, isWanted })).toBeNull();
    expect(seen).toEqual([NAMES.map((name) => `tmp/job-1/2/${name}`)]);
    expect(store.keys('results/')).toEqual([]);
  });

  it.each([...Array(2 * NAMES.length).keys()])(
    'shows no last file when it fails at write %i, and all files after another attempt',
    async (failing) => {
      const { input, store } = await setUp();
      let writes = 0;
      store.before = (method) => {
        if (method === 'writeStream' && writes++ === failing) throw new StorageError('object store: no');
      };
      await expect(publish(input)).rejects.toThrow('object store: no');
      expect(store.keys('results/')).not.toContain('results/job-1/run.json');
      expect(store.keys('results/')).toHaveLength(Math.max(0, failing - NAMES.length));
      expect(await publish({ ...input, attempt: 3 })).toEqual(RUN_LAST);
      await clearTemporary(store, 'job-1');
      expect(store.keys()).toEqual(NAMES.map((name) => `results/job-1/${name}`));
    },
  );

  it('replaces what an attempt that was killed has published', async () => {
    const { input, store } = await setUp();
    await store.put('results/job-1/report.html', 'half');
    await publish(input);
    const report = await store.read('results/job-1/report.html');
    expect(Buffer.from(report!.body).toString()).toBe('<p>');
  });

  it('stops before the next file', async () => {
    const controller = new AbortController();
    const { input, store, written } = await setUp({ signal: controller.signal });
    const { before } = store;
    store.before = (method, key) => {
      before(method, key);
      if (written.length === 9) controller.abort();
    };
    await expect(publish(input)).rejects.toThrow();
    expect(written).toHaveLength(9);
    expect(store.keys('results/')).not.toContain('results/job-1/run.json');
  });

  it('stops in the middle of a file, of which nothing is then to be seen', async () => {
    const controller = new AbortController();
    const store = makeDirectoryStore(temporary.at('store'));
    const cut: typeof store.writeStream = (key, body, options) =>
      store.writeStream(
        key,
        body.once('data', () => controller.abort()),
        options,
      );
    const { input } = await setUp({ store: { ...store, writeStream: cut }, signal: controller.signal });
    await expect(publish(input)).rejects.toThrow();
    expect(controller.signal.aborted).toBe(true);
    const keys: string[] = [];
    for await (const { key } of store.list('')) keys.push(key);
    expect(keys).toEqual([]);
    expect(await readdir(temporary.at('store/.counterweight/tmp'))).toEqual([]);
  });

  it('counts each file twice', async () => {
    const told: [string, number, number][] = [];
    const progress = {
      start: (stage: string, total: number) => void told.push([stage, total, 0]),
      advance: (by = 1) => {
        told.at(-1)![2] += by;
      },
      finish: () => {},
    };
    const { input } = await setUp({ progress });
    await publish(input);
    expect(told).toEqual([['publish', 2 * NAMES.length, 2 * NAMES.length]]);
  });
});

describe('clearCheckpoints', () => {
  it('deletes those of the job, and leaves its record and other jobs alone', async () => {
    const store = makeMemoryStore();
    for (const key of ['jobs/job-1/checkpoints/a', 'jobs/job-1/record.json', 'jobs/job-12/checkpoints/a']) {
      await store.put(key, 'x');
    }
    await clearCheckpoints(store, 'job-1');
    expect(store.keys()).toEqual(['jobs/job-1/record.json', 'jobs/job-12/checkpoints/a']);
  });
});

describe('clearTemporary', () => {
  it('deletes what any attempt of the job has left, and nothing of other jobs', async () => {
    const store = makeMemoryStore();
    for (const key of ['tmp/job-1/1/a', 'tmp/job-1/12/model/b', 'tmp/job-12/1/a', 'results/job-1/a']) {
      await store.put(key, 'x');
    }
    await clearTemporary(store, 'job-1');
    expect(store.keys()).toEqual(['results/job-1/a', 'tmp/job-12/1/a']);
  });
});
