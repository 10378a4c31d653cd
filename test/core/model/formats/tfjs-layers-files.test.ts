import { mkdir, readFile, truncate } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { readLayersModel, writeLayersModel } from '../../../../core/model/formats/tfjs-layers-files.ts';
import { useTempFolder } from '../../../helpers/files.ts';

const folder = useTempFolder();

const float = (name: string, shape: readonly number[], extra: object = {}) => ({
  name,
  shape,
  dtype: 'float32',
  ...extra,
});
const group = (paths: readonly string[], weights: readonly object[]) => ({ paths, weights });
const topology = { class_name: 'Sequential', 'keep me': [1, { z: 0, a: null }] };

let count = 0;
/** A model folder with the manifest and the shards given. */
async function write(
  weightsManifest: unknown,
  shards: Readonly<Record<string, Uint8Array>> = {},
  extra: object = {},
) {
  count += 1;
  const name = `model-${count}`;
  for (const [shard, bytes] of Object.entries(shards)) await folder.write(`${name}/${shard}`, bytes);
  const json = { format: 'layers-model', modelTopology: topology, weightsManifest, ...extra };
  return path.dirname(await folder.write(`${name}/model.json`, JSON.stringify(json)));
}

const bytesOf = (...values: readonly number[]) => new Uint8Array(Float32Array.from(values).buffer);

describe('readLayersModel', () => {
  test('cuts the bytes of a group by the shapes, across shards', async () => {
    const bytes = bytesOf(1, 2, 3, 4, 5);
    const where = await write(
      [group(['a.bin', 'sub/b.bin'], [float('v', [2]), float('w', [1, 3]), float('none', [0])])],
      { 'a.bin': bytes.subarray(0, 6), 'sub/b.bin': bytes.subarray(6) },
    );
    const { sources, json, weights } = await readLayersModel(where);
    expect(sources).toEqual(['model.json', 'a.bin', 'sub/b.bin'].map((file) => path.join(where, file)));
    expect(json.modelTopology).toEqual(topology);
    expect(weights.map(({ spec, bytes: own }) => [spec.name, Array.from(own)])).toEqual([
      ['v', Array.from(bytesOf(1, 2))],
      ['w', Array.from(bytesOf(3, 4, 5))],
      ['none', []],
    ]);
  });

  test('counts a scalar as one entry and a quantised weight by its own width', async () => {
    const specs = [
      float('scalar', []),
      float('u8', [3], { quantization: { dtype: 'uint8', scale: 1, min: 0 } }),
      float('f16', [2], { quantization: { dtype: 'float16' } }),
      { name: 'i', shape: [1], dtype: 'int32' },
      { name: 'b', shape: [2], dtype: 'bool' },
    ];
    const where = await write([group(['w.bin'], specs)], { 'w.bin': new Uint8Array(4 + 3 + 4 + 4 + 2) });
    expect((await readLayersModel(where)).weights.map(({ bytes }) => bytes.length)).toEqual([4, 3, 4, 4, 2]);
  });

  test('takes the folder or the model.json in it, whatever its name', async () => {
    const where = await write([group(['w.bin'], [float('w', [1])])], { 'w.bin': bytesOf(1) });
    const other = await folder.write(
      path.join(path.basename(where), 'other.json'),
      await readFile(path.join(where, 'model.json')),
    );
    expect((await readLayersModel(other)).sources[0]).toBe(other);
    expect((await readLayersModel(where)).weights).toEqual((await readLayersModel(other)).weights);
  });

  const one = [group(['w.bin'], [float('w', [2])])];

  test.each([
    ['shorter', 7],
    ['longer', 9],
  ])('refuses a shard that is %s than the shapes say', async (_, length) => {
    const where = await write(one, { 'w.bin': new Uint8Array(length) });
    await expect(readLayersModel(where)).rejects.toMatchObject({
      code: 'INVALID_INPUT',
      message: `model weights w.bin: expected 8 bytes by the shapes in model.json, received ${length}`,
    });
  });

  test('refuses a shard that is not there, keeping the cause', async () => {
    await expect(readLayersModel(await write(one))).rejects.toMatchObject({
      code: 'STORAGE',
      message: 'model file "w.bin": does not exist',
      cause: { code: 'ENOENT' },
    });
  });

  test('refuses a folder that is not there, and one without a model.json', async () => {
    await expect(readLayersModel(folder.at('nowhere'))).rejects.toMatchObject({
      code: 'STORAGE',
      cause: { code: 'ENOENT' },
    });
    await mkdir(folder.at('empty'));
    await expect(readLayersModel(folder.at('empty'))).rejects.toMatchObject({
      code: 'STORAGE',
      message: 'model file "model.json": does not exist',
    });
  });

  test.each(['../w.bin', 'sub/../../w.bin', '..', '.', '/etc/hostname', '/w.bin'])(
    'reads no shard outside the folder of the model: %s',
    async (shard) => {
      const where = await write([group([shard], [float('w', [2])])]);
      await folder.write('w.bin', bytesOf(1, 2));
      await expect(readLayersModel(where)).rejects.toMatchObject({
        code: 'INVALID_INPUT',
        message: `model weights path "${shard}": expected a path inside the model's folder`,
      });
    },
  );

  test('refuses text that is no JSON, without repeating it', async () => {
    const file = await folder.write('broken/model.json', '{"secret": 1');
    await expect(readLayersModel(file)).rejects.toMatchObject({
      code: 'INVALID_INPUT',
      message: 'model file "model.json": expected JSON, received text that does not parse',
    });
  });

  test.each([
    ['no topology', { modelTopology: undefined }, /"modelTopology"/],
    ['no manifest', { weightsManifest: undefined }, /"weightsManifest"/],
    ['an empty manifest', { weightsManifest: [] }, /"weightsManifest"/],
    ['no paths', { weightsManifest: [group([], [])] }, /"weightsManifest\[0\]\.paths"/],
    ['a negative extent', { weightsManifest: [group(['w.bin'], [float('w', [-1])])] }, /shape\[0\]/],
    ['a broken extent', { weightsManifest: [group(['w.bin'], [float('w', [1.5])])] }, /shape\[0\]/],
    [
      'text weights',
      { weightsManifest: [group(['w.bin'], [{ name: 'w', shape: [1], dtype: 'string' }])] },
      /dtype/,
    ],
  ])('refuses a model.json with %s, naming the place', async (_, change, place) => {
    const where = await write(one, { 'w.bin': bytesOf(1, 2) }, change);
    await expect(readLayersModel(where)).rejects.toMatchObject({
      code: 'INVALID_INPUT',
      message: expect.stringMatching(place),
    });
  });

  test('refuses a file beyond 2 GiB before it reads it', async () => {
    const where = await write(one, { 'w.bin': bytesOf(1) });
    await truncate(path.join(where, 'w.bin'), 2 ** 31 + 1); // a hole: it takes no space
    await expect(readLayersModel(where)).rejects.toMatchObject({
      code: 'INVALID_INPUT',
      message: 'model file "w.bin": expected at most 2147483647 bytes, received 2147483649',
    });
  });

  test('refuses a tensor larger than any model has, before it reads as much', async () => {
    const where = await write([group(['w.bin'], [float('w', [2 ** 20, 2 ** 20])])], { 'w.bin': bytesOf(1) });
    await expect(readLayersModel(where)).rejects.toMatchObject({
      code: 'INVALID_INPUT',
      message: expect.stringContaining('received shape [1048576, 1048576]'),
    });
  });
});

describe('writeLayersModel', () => {
  const specs = [
    float('v', [1], { quantization: { dtype: 'uint8', scale: 2, min: 0 }, note: 'kept' }),
    float('w', [2]),
  ];

  test('writes the same bytes back when nothing is replaced', async () => {
    const bytes = Buffer.concat([Uint8Array.of(7), bytesOf(1, 2)]);
    const where = await write([group(['a.bin', 'sub/b.bin'], specs)], {
      'a.bin': bytes.subarray(0, 5),
      'sub/b.bin': bytes.subarray(5),
    });
    const files = await readLayersModel(where);
    const out = folder.at('out/deep');
    await writeLayersModel(out, files, new Map());
    const again = await readLayersModel(out);
    expect(again.json).toEqual(files.json);
    expect(again.weights).toEqual(files.weights);
  });

  test('stores a replaced weight as float32 and drops its quantisation, and nothing else of it', async () => {
    const where = await write([group(['a.bin'], specs)], {
      'a.bin': Buffer.concat([Uint8Array.of(7), bytesOf(1, 2)]),
    });
    const out = folder.at('replaced');
    await writeLayersModel(out, await readLayersModel(where), new Map([['v', Float32Array.of(0.5)]]));
    const { weights } = await readLayersModel(out);
    expect(weights[0]).toEqual({ spec: float('v', [1], { note: 'kept' }), bytes: bytesOf(0.5) });
    expect(weights[1]!.bytes).toEqual(bytesOf(1, 2));
  });

  test('writes only the values of an array that is a view', async () => {
    const where = await write([group(['a.bin'], [float('w', [2])])], { 'a.bin': bytesOf(1, 2) });
    const view = Float32Array.of(9, 3, 4, 9).subarray(1, 3);
    const out = folder.at('view');
    await writeLayersModel(out, await readLayersModel(where), new Map([['w', view]]));
    expect(new Uint8Array(await readFile(path.join(out, 'a.bin')))).toEqual(bytesOf(3, 4));
  });
});
