import { expect, it } from 'vitest';
import { findModelObject } from '../../../core/jobs/model-object.ts';
import { makeMemoryStore } from '../../helpers/memory-store.ts';

async function storeWith(...names: readonly string[]) {
  const store = makeMemoryStore();
  for (const name of names) await store.put(`uploads/${name}`, 'x');
  return store;
}

const keyOf = async (names: readonly string[], model: string) => {
  const found = await findModelObject(await storeWith(...names), model);
  return 'object' in found ? found.object.key : found.refusal;
};

it.each<[string, string[], string, string]>([
  ['the object of the key', ['x/a.onnx', 'x/b.onnx'], 'uploads/x/a.onnx', 'uploads/x/a.onnx'],
  ['a model.json by its key', ['x/model.json'], 'uploads/x/model.json', 'uploads/x/model.json'],
  ['a model.json by its folder', ['x/model.json', 'x/b.onnx'], 'uploads/x', 'uploads/x/model.json'],
  ['the only model of a folder', ['x/a.png', 'x/B.KERAS', 'x/c/d.onnx'], 'uploads/x/', 'uploads/x/B.KERAS'],
  [
    'that of a folder called as a file',
    ['x/net.h5/model.json'],
    'uploads/x/net.h5',
    'uploads/x/net.h5/model.json',
  ],
  ['none of another folder', ['x/c/d.onnx', 'xy/e.onnx'], 'uploads/x', expect.stringMatching(/found none$/)],
  ['none of several', ['x/a.h5', 'x/b.hdf5', 'x/c.onnx'], 'uploads/x', expect.stringMatching(/found 3$/)],
  ['no pickle', ['x/a.pth', 'x/preprocess.json'], 'uploads/x', expect.stringMatching(/^a pickle runs code/)],
])('finds %s', async (_, names, model, expected) => {
  expect(await keyOf(names, model)).toEqual(expected);
});

it('asks once for a file or a model.json, and lists a folder without what lies below it', async () => {
  const store = await storeWith('x/a.onnx', 'x/images/1.png', 'y/model.json');
  await findModelObject(store, 'uploads/x/a.onnx');
  await findModelObject(store, 'uploads/y');
  expect(store.calls).toMatchObject({ info: 2 });
  expect(store.calls.listKeys).toBeUndefined();
  const { listKeys } = store;
  const options: unknown[] = [];
  store.listKeys = (prefix, option) => {
    options.push(option);
    return listKeys(prefix, option);
  };
  await findModelObject(store, 'uploads/x');
  expect(options).toEqual([{ isFlat: true }]);
});

it('gives up a folder of very many objects, and says what to name instead', async () => {
  const store = makeMemoryStore();
  store.listKeys = async function* () {
    for (let index = 0; ; index += 1) yield `uploads/x/${index}.onnx`;
  };
  expect(await findModelObject(store, 'uploads/x')).toEqual({
    refusal: 'expected the key of its file, found a folder of more than 50000 objects',
  });
});
