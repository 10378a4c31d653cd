import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { StorageError } from '../../../core/errors.ts';
import { lackOf } from '../../../core/jobs/data-set.ts';
import { MITIGATION, makeTestDeps, ONNX } from './fixtures.ts';

const request = { ...MITIGATION, columns: { ...MITIGATION.columns, image: 'file' } };
const weights = (...paths: string[]) => ({ weightsManifest: [{ paths }] });

/** A data set of two images, a model of two shards, and whatever a test puts in place of that. */
async function makeStored(changes: Readonly<Record<string, unknown>> = {}) {
  const { store } = makeTestDeps();
  const files = {
    'labels.csv': 'file,y,sex\nimages/a.png,1,f\nb.png,0,m\n',
    'images/a.png': 'x',
    'b.png': 'x',
    'model/model.json': weights('w1.bin', 'more/w2.bin'),
    'model/w1.bin': 'x',
    'model/more/w2.bin': 'x',
    'model/preprocess.json': {},
    ...changes,
  };
  for (const [name, content] of Object.entries(files)) {
    if (content !== null) await store.put(`uploads/set/${name}`, content);
  }
  return store;
}

describe('lackOf', () => {
  it('is null for a data set that has everything', async () => {
    expect(await lackOf(await makeStored(), request)).toBeNull();
  });

  it('lists keys alone, since to list more may read every image', async () => {
    const store = await makeStored();
    await lackOf(store, request);
    expect([store.calls.list, store.calls.listKeys]).toEqual([undefined, 2]);
  });

  it.each([
    ['labels.csv', 'its table'],
    [
      'model/model.json',
      'a model: expected a model.json, or one file that ends in .onnx, .keras or .h5, found none',
    ],
    ['model/w1.bin', '1 of the 3 files beside its model'],
    ['model/more/w2.bin', '1 of the 3 files beside its model'],
    ['model/preprocess.json', '1 of the 3 files beside its model'],
    ['images/a.png', '1 of the 2 images that its table names'],
    ['b.png', '1 of the 2 images that its table names'],
  ])('says so when %s is absent', async (name, words) => {
    expect(await lackOf(await makeStored({ [name]: null }), request)).toBe(words);
  });

  it('asks for no preprocess.json when the request has a preprocess', async () => {
    const store = await makeStored({ 'model/preprocess.json': null });
    expect(await lackOf(store, { ...request, preprocess: 'unit' })).toBeNull();
  });

  it.each<[string, Readonly<Record<string, string | null>>, string | null]>([
    ['its external data', { 'model/net.onnx': ONNX }, '1 of the 2 files beside its model'],
    ['nothing', { 'model/net.onnx': ONNX, 'model/deep/w.data': 'x' }, null],
    ['nothing', { 'model/net.h5': 'x' }, null],
    [
      'its preprocess',
      { 'model/net.keras': 'x', 'model/preprocess.json': null },
      '1 of the 1 file beside its model',
    ],
    ['one of two', { 'model/a.keras': 'x', 'model/b.onnx': 'x' }, expect.stringMatching(/found 2$/)],
    [
      'what a pickle is exported to',
      { 'model/net.pt': 'x' },
      expect.stringMatching(/^a model: a pickle runs code/),
    ],
    ['nothing', { 'model/net.pt': 'x', 'model/net.onnx': ONNX, 'model/deep/w.data': 'x' }, null],
  ])('of another format says that it lacks %s', async (_, changes, lacks) => {
    const store = await makeStored({ 'model/model.json': null, ...changes });
    expect(await lackOf(store, request)).toEqual(lacks);
  });

  it('asks for the file that the request names, whatever else lies beside it', async () => {
    const store = await makeStored({ 'model/net.onnx': ONNX });
    const words = '1 of the 2 files beside its model';
    expect(await lackOf(store, { ...request, model: 'uploads/set/model/net.onnx' })).toBe(words);
    expect(await lackOf(store, request)).toBeNull();
  });

  it('asks for no images when the table has none', async () => {
    const store = await makeStored({ 'labels.csv': 'y,sex,age\n1,f,30\n' });
    expect(await lackOf(store, MITIGATION)).toBeNull();
  });

  it.each([
    ['a byte order mark and quotes', '\ufeff"file",y,sex\r\n"images/a.png",1,f\r\n'],
    ['a column name with spaces around it', ' file ,y,sex\nimages/a.png,1,f\n'],
    ['another spelling of a path', 'file,y,sex\n./images/../images/a.png,1,f\n'],
    ['one image twice', 'file,y,sex\nimages/a.png,1,f\nimages/a.png,0,f\n'],
  ])('finds the images of a table with %s', async (_, table) => {
    const words = '1 of the 1 image that its table names';
    expect(await lackOf(await makeStored({ 'labels.csv': table }), request)).toBeNull();
    const store = await makeStored({ 'labels.csv': table, 'images/a.png': null });
    expect(await lackOf(store, request)).toBe(words);
  });

  it.each([
    ['a table without the column', { 'labels.csv': 'y,sex\n1,f\n' }],
    ['a table whose quote is left open', { 'labels.csv': 'file,y,sex\n"gone.png,1,f\n' }],
    ['a table in another encoding', { 'labels.csv': 'file,y,sex\ngr\ufffdn.png,1,f\n' }],
    ['an image outside the folder', { 'labels.csv': 'file,y,sex\n../gone.png,1,f\n/gone.png,1,f\n,1,f\n' }],
    ['an empty table', { 'labels.csv': '' }],
    ['a table above 8 MiB', { 'labels.csv': `file,y,sex\ngone.png,1,f\n${' '.repeat(2 ** 23)}` }],
    ['a model.json that is no JSON', { 'model/model.json': 'not {' }],
    ['a model.json without weights', { 'model/model.json': { modelTopology: {} } }],
    ['weights outside the folder', { 'model/model.json': weights('../w.bin', '/w.bin') }],
    [
      'a model.json above 32 MiB',
      { 'model/model.json': `${JSON.stringify(weights('gone.bin'))}${' '.repeat(2 ** 25)}` },
    ],
  ])('leaves %s to the job, which says what is wrong', async (_, changes) => {
    expect(await lackOf(await makeStored(changes), request)).toBeNull();
  });

  it('never says a key or a cell', async () => {
    const store = await makeStored({ 'images/a.png': null, 'model/model.json': weights('CANARY.bin') });
    expect(await lackOf(store, request)).not.toMatch(/CANARY|png|uploads/);
  });

  it('throws when the store fails on the way', async () => {
    const store = await makeStored();
    for (const failing of ['info', 'read', 'readStream', 'listKeys']) {
      store.before = (method) => {
        if (method === failing) throw new StorageError('down');
      };
      await expect(lackOf(store, request), failing).rejects.toMatchObject({ code: 'STORAGE' });
    }
  });

  it('throws when a table breaks off while it is read', async () => {
    const store = await makeStored();
    const broken = async function* () {
      yield Buffer.from('file,y,sex\nimages/a.png,1,f\n');
      throw new StorageError('broke off');
    };
    store.readStream = async () => Readable.from(broken());
    await expect(lackOf(store, request)).rejects.toMatchObject({ code: 'STORAGE' });
  });
});
