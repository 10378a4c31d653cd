import { symlink, truncate, writeFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import type { ModelProto } from '../../../../../../core/model/formats/onnx/file/onnx-pb.ts';
import { TensorProto_DataLocation } from '../../../../../../core/model/formats/onnx/file/onnx-pb.ts';
import { readOnnxFile } from '../../../../../../core/model/formats/onnx/file/read-model.ts';
import { readEntries } from '../../../../../../core/model/formats/onnx/file/tensor-data.ts';
import { useTempFolder } from '../../../../../helpers/files.ts';
import { encodeModel, madeModel, madeTensor } from '../../../../../helpers/onnx.ts';

const folder = useTempFolder();

/** A weight whose two numbers lie in another file. */
function withExternal(entries: Readonly<Record<string, string>>): ModelProto {
  const weight = madeTensor('w', [1, 2], [0, 0]);
  weight.rawData = new Uint8Array();
  weight.dataLocation = TensorProto_DataLocation.EXTERNAL;
  weight.externalData = Object.entries(entries).map(
    ([key, value]) =>
      ({ $typeName: 'onnx.StringStringEntryProto', key, value }) as (typeof weight.externalData)[number],
  );
  return madeModel({
    nodes: [{ op: 'MatMul', inputs: ['x', 'w'] }],
    initializers: [weight],
    input: [null, 1],
  });
}

const write = (model: ModelProto, name = 'model/m.onnx') => folder.write(name, encodeModel(model));

describe('readOnnxFile', () => {
  test('reads external data by place', async () => {
    await folder.write('model/deep/w.bin', new Uint8Array(Float32Array.of(9, 1.5, -2, 9).buffer));
    const file = await write(withExternal({ location: 'deep/w.bin', offset: '4', length: '8' }));
    const { sources, external, model } = await readOnnxFile(file);
    expect(sources).toEqual([file, folder.at('model/deep/w.bin')]);
    expect(Array.from(readEntries(model.graph!.initializer[0]!, external.get('w')))).toEqual([1.5, -2]);
    const rest = await readOnnxFile(await write(withExternal({ location: 'deep/w.bin', offset: '8' })));
    expect(rest.external.get('w')!.length).toBe(8);
  });

  test.each<[string, Readonly<Record<string, string>>, string, RegExp]>([
    [
      'a path that leaves the folder',
      { location: '../out.bin' },
      'INVALID_INPUT',
      /expected a path inside the model's folder/,
    ],
    ['an absolute path', { location: '/etc/passwd' }, 'INVALID_INPUT', /inside the model's folder/],
    ['a link that leaves the folder', { location: 'link.bin' }, 'INVALID_INPUT', /inside the model's folder/],
    ['a file that is not there', { location: 'no.bin' }, 'STORAGE', /"no.bin": does not exist/],
    [
      'a length beyond the file',
      { location: 'short.bin', length: '100' },
      'INVALID_INPUT',
      /expected 100 bytes, received 4/,
    ],
    ['an offset beyond the file', { location: 'short.bin', offset: '100' }, 'INVALID_INPUT', /received 4/],
    [
      'a length that is no number',
      { location: 'short.bin', length: 'x' },
      'INVALID_INPUT',
      /a location, an offset and a length/,
    ],
    [
      'an offset below 0',
      { location: 'short.bin', offset: '-4' },
      'INVALID_INPUT',
      /a location, an offset and a length/,
    ],
    ['no location', {}, 'INVALID_INPUT', /a location, an offset and a length/],
  ])('refuses external data with %s', async (_, entries, code, message) => {
    await folder.write('out.bin', new Uint8Array(8));
    await folder.write('model/short.bin', new Uint8Array(4));
    await symlink(folder.at('out.bin'), folder.at('model/link.bin')).catch(() => {});
    await expect(readOnnxFile(await write(withExternal(entries)))).rejects.toMatchObject({
      code,
      message: expect.stringMatching(message),
    });
  });

  test('refuses files that are no models, or are too large to be one', async () => {
    await expect(readOnnxFile(folder.at('none.onnx'))).rejects.toMatchObject({ code: 'STORAGE' });
    await expect(readOnnxFile(folder.path)).rejects.toMatchObject({ code: 'STORAGE' });
    const text = await folder.write('text.onnx', 'no protobuf at all');
    await expect(readOnnxFile(text)).rejects.toMatchObject({ code: 'INVALID_INPUT' });
    const empty = await folder.write('empty.onnx', '');
    await expect(readOnnxFile(empty)).rejects.toThrow(/with a graph and an opset/);
    const large = folder.at('large.onnx');
    await writeFile(large, '');
    await truncate(large, 2 ** 31); // takes no room on the disk
    await expect(readOnnxFile(large)).rejects.toThrow(/at most 2147483647 bytes, received 2147483648/);
  });
});
