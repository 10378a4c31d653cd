import { readFile } from 'node:fs/promises';
import { create } from '@bufbuild/protobuf';
import { describe, expect, test } from 'vitest';
import {
  TensorProto_DataType as DataType,
  StringStringEntryProtoSchema,
  TensorProto_DataLocation,
  TensorProtoSchema,
} from '../../../../../../core/model/formats/onnx/file/onnx-pb.ts';
import { readOnnxFile } from '../../../../../../core/model/formats/onnx/file/read-model.ts';
import { writeOnnxFile } from '../../../../../../core/model/formats/onnx/file/write-model.ts';
import { useTempFolder } from '../../../../../helpers/files.ts';
import { decodeModel, encodeModel, madeModel, madeTensor } from '../../../../../helpers/onnx.ts';

const folder = useTempFolder();
const CHANGE = { before: Float32Array.of(1, 2), after: Float32Array.of(1, 5) };
const entry = (key: string, value: string) => create(StringStringEntryProtoSchema, { key, value });

/** One weight in each form, and what a tool may add that no tool has to know. */
function richModel() {
  const model = madeModel({
    nodes: [{ op: 'Add', inputs: ['x', 'raw'], attributes: { note: 'unused' } }],
    initializers: [
      madeTensor('raw', [2], [1, 2]),
      create(TensorProtoSchema, { name: 'typed', dims: [2n], dataType: DataType.FLOAT, floatData: [1, 2] }),
      create(TensorProtoSchema, {
        name: 'outside',
        dims: [2n],
        dataType: DataType.FLOAT,
        dataLocation: TensorProto_DataLocation.EXTERNAL,
        externalData: [entry('location', 'data/w.bin'), entry('offset', '4'), entry('length', '8')],
        docString: 'kept',
      }),
    ],
    input: [null, 2],
  });
  model.producerName = 'tool';
  model.docString = 'a model';
  model.metadataProps = [entry('author', 'somebody'), entry('author', 'twice')];
  model.$unknown = [{ no: 900, wireType: 2, data: Uint8Array.of(3, 1, 2, 3) }];
  model.graph!.$unknown = [{ no: 901, wireType: 0, data: Uint8Array.of(7) }];
  return model;
}

describe('writeOnnxFile', () => {
  async function writeRich() {
    const file = await folder.write('model/rich.onnx', encodeModel(richModel()));
    await folder.write('model/data/w.bin', new Uint8Array(Float32Array.of(9, 1, 2, 9).buffer));
    return readOnnxFile(file);
  }
  const readBack = async (name: string) => decodeModel(await readFile(folder.at(`${name}/rich.onnx`)));
  const outside = async (name: string) =>
    Array.from(new Float32Array(new Uint8Array(await readFile(folder.at(`${name}/data/w.bin`))).buffer));

  test('writes what was read, unknown fields and all', async () => {
    const file = await writeRich();
    await writeOnnxFile(folder.at('same'), file, new Map([['raw', { ...CHANGE, after: CHANGE.before }]]));
    expect(await readBack('same')).toEqual(decodeModel(encodeModel(richModel())));
    expect(await outside('same')).toEqual([9, 1, 2, 9]);
    expect((await readBack('same')).$unknown![0]!.no).toBe(900);
  });

  test('changes a weight where and how it is stored', async () => {
    const file = await writeRich();
    await writeOnnxFile(
      folder.at('new'),
      file,
      new Map(['raw', 'typed', 'outside'].map((name) => [name, CHANGE])),
    );
    const expected = decodeModel(encodeModel(richModel()));
    expected.graph!.initializer[0]!.rawData = new Uint8Array(Float32Array.of(1, 5).buffer);
    expected.graph!.initializer[1]!.floatData = [1, 5];
    expect(await readBack('new')).toEqual(expected);
    expect(await outside('new')).toEqual([9, 1, 5, 9]);
    expect(decodeModel(encodeModel(file.model))).toEqual(decodeModel(encodeModel(richModel()))); // what was read stays
    expect(await outside('model')).toEqual([9, 1, 2, 9]);
  });
});
