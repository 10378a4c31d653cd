import { utimes } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { handleUpload } from '../../../../core/jobs/handle-upload.ts';
import { makeDirectoryStore } from '../../../../core/storage/directory-store.ts';
import { makeListUploads } from '../../../../functions/local/listings/uploads.ts';
import { makeUploadKeys } from '../../../../functions/local/listings.ts';
import { AUDIT, MITIGATION, makeTestDeps, TABLE } from '../../../core/jobs/fixtures.ts';
import { useTempFolder } from '../../../helpers/files.ts';
import { put } from '../serving.ts';

const folder = useTempFolder();

/** A root on a real disk whose files are old enough to be whole, with its list. */
function makePlace(name: string) {
  const root = folder.at(name);
  const deps = { ...makeTestDeps(), store: makeDirectoryStore(root) };
  const bring = async (key: string, content: unknown, second = 0) => {
    await put(root, key, typeof content === 'string' ? content : JSON.stringify(content));
    await utimes(path.join(root, key), second, second);
  };
  return { root, deps, bring, list: makeListUploads(deps, root, makeUploadKeys(root)) };
}

const CONFIG = { model: 'model', manifest: 'labels.csv', columns: MITIGATION.columns, preprocess: 'unit' };
const NONE = 'expected a model.json, or one file that ends in .onnx, .keras or .h5, found none';
const since = '1970-01-01T00:00:00.000Z';

describe('uploads that start something by themselves', () => {
  it('wait in the list for what they lack, and are gone from it when it has come', async () => {
    const { deps, bring, list } = makePlace('waiting');
    await bring('uploads/set/counterweight.json', CONFIG);
    const waiting = { name: 'set/counterweight.json', state: 'waiting', since };
    expect(await list()).toEqual([{ ...waiting, reason: 'it lacks its table' }]);
    await bring('uploads/set/labels.csv', 'y,sex\n1,f\n');
    deps.wait(30);
    expect(await list()).toEqual([{ ...waiting, reason: `it lacks a model: ${NONE}` }]);
    await bring('uploads/set/model/net.pt', 'a pickle');
    deps.wait(30);
    expect(await list()).toEqual([
      {
        ...waiting,
        reason: expect.stringMatching(/^it lacks a model: a pickle runs code.*torch\.onnx\.export/),
      },
    ]);
    await bring('uploads/set/model/net.onnx', 'x');
    deps.wait(30);
    expect(await list()).toEqual([]);
  });

  it('are in the list when they were refused, with the reason, the newest first', async () => {
    const { bring, list } = makePlace('refused');
    await bring('uploads/a/counterweight.json', '{"kind":', 1);
    await bring('uploads/b/x.job.json', { ...AUDIT, predictions: 'uploads/absent.csv' }, 2);
    await bring('uploads/c/x.job.json', { ...AUDIT, columns: {} }, 3);
    await bring('uploads/d/counterweight.json', { columns: MITIGATION.columns }, 4);
    await bring('uploads/e/notes.json', 'no starter', 5);
    const found = await list();
    expect(found.map(({ name, state }) => [name, state])).toEqual([
      ['d/counterweight.json', 'waiting'],
      ['c/x.job.json', 'refused'],
      ['b/x.job.json', 'refused'],
      ['a/counterweight.json', 'refused'],
    ]);
    expect(found.map(({ reason }) => reason)).toEqual([
      'no table lies beside the configuration yet',
      expect.stringContaining('"columns.label" is missing'),
      'predictions: expected an object that was uploaded, found none under its key',
      expect.stringContaining('counterweight.json: '),
    ]);
  });

  it('are only looked at: no job, no note, no claim comes of it', async () => {
    const { root, deps, bring, list } = makePlace('dry');
    await bring(AUDIT.predictions, TABLE);
    await bring('uploads/x.job.json', AUDIT);
    await bring('uploads/set/counterweight.json', CONFIG);
    expect(await list()).toHaveLength(1);
    const keys: string[] = [];
    for await (const key of makeDirectoryStore(root).listKeys('')) keys.push(key);
    expect(keys).toEqual(['uploads/set/counterweight.json', AUDIT.predictions, 'uploads/x.job.json']);
    expect(deps.queues.cpu.works.size).toBe(0);
    // A job whose table was taken away later had what it needed when it started.
    await handleUpload(deps, 'uploads/x.job.json');
    await deps.store.delete(AUDIT.predictions);
    expect(await makeListUploads(deps, root, makeUploadKeys(root))()).toHaveLength(1);
  });

  it('may be half of a copy in their first seconds, and are not judged then', async () => {
    const { deps, bring, list } = makePlace('fresh');
    await bring('uploads/x.job.json', '{"kind":', deps.now().getTime() / 1000 - 1);
    expect(await list()).toEqual([]);
    deps.wait(5);
    expect(await list()).toHaveLength(1);
  });
});
