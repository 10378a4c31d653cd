import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { Group } from 'h5wasm';
import { File, FS, ready } from 'h5wasm';
import { describe, expect, it } from 'vitest';
import { readHdf5, writeHdf5 } from '../../../../../core/model/formats/keras/hdf5.ts';
import { FIXTURES } from '../../../../helpers/keras.ts';

const NESTED = readFileSync(path.join(FIXTURES, 'nested.h5'));

/** An HDF5 file with what `fill` puts into it. */
async function made(fill: (root: Group) => void): Promise<Uint8Array> {
  await ready;
  const file = new File('made.h5', 'w');
  fill(file);
  file.close();
  return FS!.readFile('made.h5') as Uint8Array;
}

const refusal = (bytes: Uint8Array) => readHdf5(bytes, 'file').catch(({ code, message }) => [code, message]);

describe('readHdf5', () => {
  it('reads the configuration, the order of weights, and their values', async () => {
    const { attributes, datasets } = await readHdf5(NESTED, 'file');
    expect(JSON.parse(attributes['/']!.model_config as string).class_name).toBe('Functional');
    expect(attributes['/model_weights/head']).toEqual({ weight_names: ['head/kernel', 'head/bias'] });
    const kernel = datasets.find((dataset) => dataset.path === '/model_weights/head/head/kernel')!;
    expect(kernel).toMatchObject({ shape: [5, 1], dtype: 'float32' });
    expect(kernel.bytes).toHaveLength(5 * 4);
    expect(datasets.filter((dataset) => dataset.path.includes('optimizer'))).toEqual([]);
  });

  it('reads packed and half-precision values, those of one number, and leaves integers alone', async () => {
    const bytes = await made((root) => {
      const data = Float32Array.from({ length: 1000 }, (_, place) => place % 7);
      root.create_dataset({
        name: 'packed',
        data,
        chunks: [100],
        compression: 'gzip',
        compression_opts: [4],
      });
      root.create_dataset({ name: 'double', data: Float64Array.of(1.5), shape: [] });
      root.create_dataset({ name: 'count', data: Int32Array.of(3, 4) });
    });
    const { datasets } = await readHdf5(bytes, 'file');
    expect(datasets.map(({ path: name, dtype, shape }) => [name, dtype, shape])).toEqual([
      ['/count', null, [2]],
      ['/double', 'float64', []],
      ['/packed', 'float32', [1000]],
    ]);
    const [count, double, packed] = datasets;
    expect(count!.bytes).toBeNull();
    expect(new Float64Array(double!.bytes!.slice().buffer)).toEqual(Float64Array.of(1.5));
    expect(new Float32Array(packed!.bytes!.slice().buffer)[999]).toBe(999 % 7);
  });

  it('refuses groups that contain themselves, and groups that are too deep', async () => {
    const loop = await made((root) => {
      root.create_group('a').create_group('b');
      root.create_hard_link('/', '/a/b/root');
    });
    expect(await refusal(loop)).toEqual([
      'INVALID_INPUT',
      'file: expected an HDF5 file, received one with one group in two places',
    ]);
    const deep = await made((root) => {
      let group = root;
      for (let depth = 0; depth < 30; depth += 1) group = group.create_group('g');
    });
    expect(await refusal(deep)).toEqual([
      'INVALID_INPUT',
      'file: expected an HDF5 file, received one of groups more than 24 deep',
    ]);
  });

  it('follows no link out of the file', async () => {
    const bytes = await made((root) => {
      root.create_external_link('/etc/hostname', '/', 'out');
      root.create_soft_link('/nowhere', 'broken');
    });
    expect((await readHdf5(bytes, 'file')).datasets).toEqual([]);
  });

  it('refuses data that are larger than their file, before it makes room for them', async () => {
    const bytes = await made((root) => {
      root
        .create_dataset({
          name: 'sparse',
          data: new Float32Array(4),
          shape: [4],
          maxshape: [2 ** 28],
          chunks: [4],
        })
        .resize([2 ** 28]);
    });
    expect(await refusal(bytes)).toEqual([
      'INVALID_INPUT',
      expect.stringMatching(/received one of \d+ bytes with data of shape \[268435456\] in \/sparse$/),
    ]);
  });

  it('refuses bytes that are no HDF5 file, and a file that is cut off', async () => {
    expect(await refusal(await readFile(import.meta.filename))).toEqual([
      'INVALID_INPUT',
      expect.stringMatching(/^file: expected an HDF5 file, received one that cannot be read \(.*\)$/),
    ]);
    expect(await refusal(NESTED.subarray(0, 9000))).toEqual([
      'INVALID_INPUT',
      expect.stringMatching(/that cannot be read \(truncated file: eof = 9000/),
    ]);
  });
});

describe('writeHdf5', () => {
  it('changes the values asked for, and no other byte', async () => {
    const before = await readHdf5(NESTED, 'file');
    const bias = before.datasets.find(({ path: name }) => name === '/model_weights/head/head/bias')!;
    const value = new Uint8Array(Float32Array.of(-7.25).buffer);
    const written = await writeHdf5(NESTED, new Map([[bias.path, value]]), 'file');
    const place = NESTED.indexOf(bias.bytes!);
    const expected = Buffer.from(NESTED);
    expected.set(value, place);
    expect(Buffer.from(written)).toEqual(expected);
  });

  it('writes nothing of another size', async () => {
    await expect(
      writeHdf5(NESTED, new Map([['/model_weights/head/head/bias', new Uint8Array(8)]]), 'file'),
    ).rejects.toMatchObject({
      code: 'INVALID_INPUT',
      message:
        'file: expected an HDF5 file, received one whose /model_weights/head/head/bias has another size',
    });
  });
});
