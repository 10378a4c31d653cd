import { create } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';
import type { TensorProto } from '../../../core/model/formats/onnx/file/onnx-pb.ts';
import {
  TensorProto_DataLocation as DataLocation,
  StringStringEntryProtoSchema,
} from '../../../core/model/formats/onnx/file/onnx-pb.ts';
import { filesNamedIn, namesFiles } from '../../../core/model/named-files.ts';
import { encodeModel, madeModel, madeTensor } from '../../helpers/onnx.ts';

const utf8 = (value: unknown) => Buffer.from(JSON.stringify(value));

function external(name: string, entries: Readonly<Record<string, string>>): TensorProto {
  const tensor = madeTensor(name, [1, 1], [0]);
  tensor.rawData = new Uint8Array();
  tensor.dataLocation = DataLocation.EXTERNAL;
  tensor.externalData = Object.entries(entries).map(([key, value]) =>
    create(StringStringEntryProtoSchema, { key, value }),
  );
  return tensor;
}

const onnx = (...initializers: readonly TensorProto[]) =>
  encodeModel(madeModel({ nodes: [{ op: 'MatMul', inputs: ['x', 'w'] }], initializers, input: [null, 1] }));

describe('the files that a model names', () => {
  it('are the shards of a model.json, in order', () => {
    const json = { weightsManifest: [{ paths: ['a.bin', 'more/b.bin'] }, { paths: ['c.bin'] }], other: 1 };
    expect(filesNamedIn('model.json', utf8(json))).toEqual(['a.bin', 'more/b.bin', 'c.bin']);
  });

  it('are the external data of an ONNX model, each once', () => {
    const bytes = onnx(
      madeTensor('inside', [1, 1], [1]),
      external('a', { location: 'net.onnx.data', offset: '0', length: '4' }),
      external('b', { offset: '4', location: 'net.onnx.data' }),
      external('c', { location: 'deep/w.bin' }),
    );
    expect(filesNamedIn('Net.ONNX', bytes)).toEqual(['net.onnx.data', 'deep/w.bin']);
    expect(filesNamedIn('net.onnx', onnx(madeTensor('inside', [1, 1], [1])))).toEqual([]);
  });

  it('are none of a file that holds all of itself, and is not read', () => {
    expect(['net.keras', 'net.h5', 'net.hdf5', 'net.pt', 'net'].filter(namesFiles)).toEqual([]);
    expect(['model.json', 'net.onnx', 'NET.ONNX'].filter(namesFiles)).toHaveLength(3);
    expect(filesNamedIn('net.keras', onnx(external('a', { location: 'a.bin' })))).toEqual([]);
  });

  it.each([
    ['model.json', Buffer.from('not {')],
    ['model.json', utf8({ weightsManifest: [{ paths: [5] }] })],
    ['net.onnx', onnx(external('a', { location: 'a.bin' })).subarray(0, -9)],
    ['net.onnx', Buffer.from('\x08\x08not an onnx')],
    ['net.onnx', Buffer.alloc(1 << 16, 0x3b)], // groups in groups
  ])('are none of a damaged %s', (name, bytes) => {
    expect(filesNamedIn(name, bytes)).toEqual([]);
  });
});
