import { access, mkdir, readFile, symlink } from 'node:fs/promises';
import path from 'node:path';
import { Readable } from 'node:stream';
import { create } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';
import { StorageError } from '../../../core/errors.ts';
import {
  StringStringEntryProtoSchema,
  TensorProto_DataLocation,
} from '../../../core/model/formats/onnx/file/onnx-pb.ts';
import { exitCodeOf } from '../../../worker/commands/exit-codes.ts';
import { fetchModelAndData, fetchTable } from '../../../worker/container/inputs.ts';
import type { Progress } from '../../../worker/progress.ts';
import { NO_PROGRESS } from '../../../worker/progress.ts';
import { useTempFolder } from '../../helpers/files.ts';
import { filesIn } from '../../helpers/made-files.ts';
import { type MemoryStore, makeMemoryStore } from '../../helpers/memory-store.ts';
import { encodeModel, madeModel, madeTensor } from '../../helpers/onnx.ts';

const temporary = useTempFolder();
let folders = 0;

/** A store with these objects, and a new folder to fetch into. */
async function setUp(objects: Readonly<Record<string, string>>) {
  const store = makeMemoryStore();
  for (const [key, content] of Object.entries(objects)) await store.put(key, content);
  folders += 1;
  const folder = temporary.at(`fetched-${folders}`);
  await mkdir(folder);
  const controller = new AbortController();
  const target = { store, folder, progress: NO_PROGRESS, signal: controller.signal };
  return { store, folder, target, stop: () => controller.abort() };
}

const fetchedIn = async (folder: string) =>
  Object.fromEntries([...(await filesIn(folder))].map(([name, bytes]) => [name, bytes.toString()]));

/** How often each object was read, of those that were. */
function countReads(store: MemoryStore): Record<string, number> {
  const reads: Record<string, number> = {};
  store.before = (method, key) => {
    if (method === 'readStream') reads[key] = (reads[key] ?? 0) + 1;
  };
  return reads;
}

const COLUMNS = { label: 'y', sensitiveFeatures: ['sex'] };
const IMAGES = { ...COLUMNS, image: 'file' };
const tableOf = (...files: readonly string[]) =>
  `file,y,sex\n${files.map((file) => `${file},1,f\n`).join('')}`;

const topologyOf = (...paths: readonly string[]) => JSON.stringify({ weightsManifest: [{ paths }] });

const UPLOAD = {
  'uploads/x/model/model.json': topologyOf('weights.bin', 'more/w2.bin'),
  'uploads/x/model/weights.bin': 'weights',
  'uploads/x/model/more/w2.bin': 'weights',
  'uploads/x/model/preprocess.json': '{}',
  'uploads/x/model/model.pt': 'a pickle',
  'uploads/x/labels.csv': tableOf('images/a.png', 'images/sub/b.png'),
  'uploads/x/images/a.png': 'A',
  'uploads/x/images/sub/b.png': 'B',
  'uploads/x/images/unlisted.png': 'C',
  'uploads/x/notes.txt': 'D',
  'uploads/xy/labels.csv': 'of another upload',
};
const REQUEST = { model: 'uploads/x/model', manifest: 'uploads/x/labels.csv', columns: IMAGES };

describe('fetchTable', () => {
  it('fetches that one object, and none whose key only begins with its key', async () => {
    const { target, folder } = await setUp({ 'uploads/x/p.csv': 'a', 'uploads/x/p.csv.bak': 'b' });
    expect(await fetchTable('uploads/x/p.csv', target)).toBe(path.join(folder, 'uploads/x/p.csv'));
    expect(await fetchedIn(folder)).toEqual({ 'uploads/x/p.csv': 'a' });
  });

  it('refuses a table that is not there, by its key', async () => {
    const { target } = await setUp({ 'uploads/x/p.csv.bak': 'b' });
    await expect(fetchTable('uploads/x/p.csv', target)).rejects.toMatchObject({
      code: 'INVALID_INPUT',
      message: '"uploads/x/p.csv": expected an object that was uploaded, found none',
    });
  });

  it.each(['uploads/../../escape.csv', '/etc/passwd', 'uploads//x.csv', 'uploads/a\\b.csv'])(
    'asks the store for no key that leads out of the folder: %s',
    async (key) => {
      const { target, store, folder } = await setUp({});
      store.readStream = async () => Readable.from(['evil']);
      await expect(fetchTable(key, target)).rejects.toMatchObject({ code: 'INVALID_INPUT' });
      expect(await fetchedIn(folder)).toEqual({});
      await expect(access(path.join(folder, '../escape.csv'))).rejects.toThrow('ENOENT');
    },
  );

  it('fails with a StorageError and exit code 75 when the disk is full', async () => {
    const { target, folder } = await setUp({ 'uploads/x/p.csv': 'a'.repeat(5000) });
    await mkdir(path.join(folder, 'uploads/x'), { recursive: true });
    await symlink('/dev/full', path.join(folder, 'uploads/x/p.csv'));
    const error = await fetchTable('uploads/x/p.csv', target).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({
      code: 'STORAGE',
      message: 'inputs: cannot be written to the disk of the machine (ENOSPC)',
    });
    expect(exitCodeOf(error)).toBe(75);
  });

  it('passes on what the store fails with in the middle of a body', async () => {
    const { target, store } = await setUp({});
    const lost = new StorageError('object store: reading failed');
    store.readStream = async () =>
      Readable.from(
        (async function* () {
          yield Buffer.from('half');
          throw lost;
        })(),
      );
    await expect(fetchTable('uploads/x/p.csv', target)).rejects.toBe(lost);
  });

  it('stops in the middle of a body, and lets go of it', async () => {
    const { target, store, stop } = await setUp({});
    const endless = new Readable({ read() {} });
    store.readStream = async () => endless;
    const fetching = fetchTable('uploads/x/p.csv', target);
    setTimeout(stop, 20);
    await expect(fetching).rejects.toMatchObject({ code: 'INTERRUPTED' });
    expect(endless.destroyed).toBe(true);
  });
});

describe('fetchModelAndData', () => {
  it('fetches the model, the table and the images that it lists, each once', async () => {
    const { target, folder, store } = await setUp(UPLOAD);
    const reads = countReads(store);
    expect(await fetchModelAndData(REQUEST, target)).toEqual({
      model: path.join(folder, 'uploads/x/model'),
      manifest: path.join(folder, 'uploads/x/labels.csv'),
    });
    const unwanted = ['images/unlisted.png', 'notes.txt', 'model/model.pt', 'y/labels.csv'];
    const expected = Object.fromEntries(
      Object.entries(UPLOAD).filter(([key]) => !unwanted.some((name) => key.endsWith(name))),
    );
    expect(await fetchedIn(folder)).toEqual(expected);
    expect(reads).toEqual(Object.fromEntries(Object.keys(expected).map((key) => [key, 1])));
  });

  it('fetches each object once when the model lies in one folder with the table and its images', async () => {
    const { target, store, folder } = await setUp({
      'uploads/x/model.json': 'topology',
      'uploads/x/labels.csv': tableOf('a.png', './a.png', 'images/../a.png'),
      'uploads/x/a.png': 'A',
    });
    const reads = countReads(store);
    await fetchModelAndData({ ...REQUEST, model: 'uploads/x/', preprocess: 'unit' }, target);
    expect(reads).toEqual({ 'uploads/x/model.json': 1, 'uploads/x/labels.csv': 1, 'uploads/x/a.png': 1 });
    expect(Object.keys(await fetchedIn(folder))).toHaveLength(3);
  });

  it('fetches no images for a table of features', async () => {
    const { target, folder } = await setUp(UPLOAD);
    await fetchModelAndData({ ...REQUEST, columns: COLUMNS }, target);
    expect(Object.keys(await fetchedIn(folder)).filter((key) => !key.includes('/model/'))).toEqual([
      'uploads/x/labels.csv',
    ]);
  });

  const made = madeTensor('w', [1, 1], [0]);
  made.dataLocation = TensorProto_DataLocation.EXTERNAL;
  made.externalData = [create(StringStringEntryProtoSchema, { key: 'location', value: 'net.onnx.data' })];
  const onnx = Buffer.from(
    encodeModel(
      madeModel({ nodes: [{ op: 'MatMul', inputs: ['x', 'w'] }], initializers: [made], input: [null, 1] }),
    ),
  );

  it.each(['uploads/x/net.onnx', 'uploads/x', 'uploads/x/'])(
    'fetches an ONNX model with what it names and its preprocess, asked for as %s',
    async (model) => {
      const { target, folder, store } = await setUp({
        'uploads/x/net.onnx.data': 'weights',
        'uploads/x/preprocess.json': '{}',
        'uploads/x/other.bin': 'of nothing',
        'uploads/x/labels.csv': tableOf('gone.png'),
      });
      await store.write('uploads/x/net.onnx', onnx);
      const { model: file } = await fetchModelAndData({ ...REQUEST, model }, target);
      expect(file).toBe(path.join(folder, 'uploads/x/net.onnx'));
      expect(Object.keys(await fetchedIn(folder))).toEqual([
        'uploads/x/labels.csv',
        'uploads/x/net.onnx',
        'uploads/x/net.onnx.data',
        'uploads/x/preprocess.json',
      ]);
      expect(await readFile(file)).toEqual(onnx);
    },
  );

  it('fetches of a model.json in a folder with other models what it names', async () => {
    const { target, folder } = await setUp({ ...UPLOAD, 'uploads/x/model/net.keras': 'K' });
    const asked = { ...REQUEST, model: 'uploads/x/model/model.json' };
    expect((await fetchModelAndData(asked, target)).model).toBe(path.join(folder, 'uploads/x/model'));
    expect(await fetchedIn(folder)).not.toHaveProperty('uploads/x/model/net.keras');
  });

  it('leaves images that are absent, or lead elsewhere, to the reader of the table', async () => {
    const { target, store, folder } = await setUp({
      ...UPLOAD,
      'uploads/x/labels.csv': tableOf(
        'images/gone.png',
        '../xy/labels.csv',
        '../../definitions/a.json',
        '.',
        'images/',
        '""',
        'images/a.png',
      ),
      'definitions/a.json': 'of another',
    });
    const reads = countReads(store);
    await fetchModelAndData(REQUEST, target);
    expect(Object.keys(reads).filter((key) => !/labels|model/.test(key))).toEqual([
      'uploads/x/images/gone.png',
      'uploads/x/images/a.png',
    ]);
    expect(await readFile(path.join(folder, 'uploads/x/images/a.png'), 'utf8')).toBe('A');
  });

  it('refuses a model folder without objects, also where another one begins with its name', async () => {
    const { target } = await setUp({ ...UPLOAD, 'uploads/x/model-2/model.json': 'topology' });
    await expect(fetchModelAndData({ ...REQUEST, model: 'uploads/x/mod' }, target)).rejects.toMatchObject({
      code: 'INVALID_INPUT',
      message:
        'model "uploads/x/mod": expected a model.json, or one file that ends in .onnx, .keras or .h5, found none',
    });
  });

  it('refuses an object that is the folder of another, which no disk can hold', async () => {
    const { target } = await setUp({
      ...UPLOAD,
      'uploads/x/images/a.png/part': 'odd',
      'uploads/x/labels.csv': tableOf('images/a.png', 'images/a.png/part'),
    });
    const error = await fetchModelAndData(REQUEST, target).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({
      code: 'INVALID_INPUT',
      message: 'inputs: expected names of up to 255 bytes, and no object that is the folder of others',
    });
  });

  it('tells how far it is', async () => {
    const { target } = await setUp(UPLOAD);
    const told: [string, number, number][] = [];
    const progress: Progress = {
      start: (stage, total) => void told.push([stage, total, 0]),
      advance: (by = 1) => {
        told.at(-1)![2] += by;
      },
      finish: () => {},
    };
    await fetchModelAndData(REQUEST, { ...target, progress });
    expect(told).toEqual([
      ['fetch table', 1, 1],
      ['fetch model', 1, 1],
      ['fetch inputs', 5, 5],
    ]);
  });

  it('fetches several at a time, and has nothing under way when it fails', async () => {
    const files = Array.from({ length: 40 }, (_, index) => `images/${index}.png`);
    const { target, store } = await setUp({
      ...UPLOAD,
      'uploads/x/labels.csv': tableOf(...files),
      ...Object.fromEntries(files.map((file) => [`uploads/x/${file}`, file])),
    });
    let under = 0;
    let most = 0;
    let begun = 0;
    const readStream = store.readStream;
    store.readStream = async (key) => {
      under += 1;
      begun += 1;
      most = Math.max(most, under);
      await new Promise((resolve) => setTimeout(resolve, 5));
      under -= 1;
      if (key.endsWith('/20.png')) throw new StorageError('object store: reading failed');
      return readStream(key);
    };
    await expect(fetchModelAndData(REQUEST, target)).rejects.toThrow('object store: reading failed');
    expect({ under, most }).toEqual({ under: 0, most: 8 });
    expect(begun).toBeLessThan(40);
  });

  it('stops between objects, and says that it was stopped', async () => {
    const { target, store, stop } = await setUp(UPLOAD);
    const reads = countReads(store);
    const { before } = store;
    store.before = (method, key) => {
      before(method, key);
      if (key === 'uploads/x/model/model.json') stop();
    };
    await expect(fetchModelAndData(REQUEST, target)).rejects.toMatchObject({ code: 'INTERRUPTED' });
    expect(Object.keys(reads)).toEqual(['uploads/x/labels.csv']);
  });
});
