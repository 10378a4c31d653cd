import { create } from '@bufbuild/protobuf';
import { describe, expect, test } from 'vitest';
import type { TensorProto } from '../../../../../../core/model/formats/onnx/file/onnx-pb.ts';
import {
  TensorProto_DataType as DataType,
  TensorProtoSchema,
} from '../../../../../../core/model/formats/onnx/file/onnx-pb.ts';
import {
  changedBytes,
  changedFields,
  kindOf,
  readEntries,
  shapeOf,
} from '../../../../../../core/model/formats/onnx/file/tensor-data.ts';

type Fields = Omit<Partial<TensorProto>, '$typeName' | '$unknown'>;
const make = (dataType: DataType, fields: Fields, dims = [2n]) =>
  create(TensorProtoSchema, { name: 't', dims, dataType, ...fields } as Fields);
const raw = (values: ArrayLike<number> & ArrayBufferView) => ({
  rawData: new Uint8Array(values.buffer.slice(0) as ArrayBuffer),
});

/** 0.5 and −2 in each form. */
const FLOATS: readonly [string, TensorProto][] = [
  ['raw floats', make(DataType.FLOAT, raw(Float32Array.of(0.5, -2)))],
  ['typed floats', make(DataType.FLOAT, { floatData: [0.5, -2] })],
  ['raw doubles', make(DataType.DOUBLE, raw(Float64Array.of(0.5, -2)))],
  ['typed doubles', make(DataType.DOUBLE, { doubleData: [0.5, -2] })],
  ['raw halves', make(DataType.FLOAT16, raw(Uint16Array.of(0x3800, 0xc000)))],
  ['typed halves', make(DataType.FLOAT16, { int32Data: [0x3800, 0xc000] })],
  ['raw bfloats', make(DataType.BFLOAT16, raw(Uint16Array.of(0x3f00, 0xc000)))],
  ['typed bfloats', make(DataType.BFLOAT16, { int32Data: [0x3f00, 0xc000] })],
];

describe('readEntries', () => {
  test.each(FLOATS)('reads %s', (_, tensor) => {
    expect(Array.from(readEntries(tensor))).toEqual([0.5, -2]);
    expect(kindOf(tensor)).toBe('float');
    expect(shapeOf(tensor)).toEqual([2]);
  });

  test.each<[string, TensorProto]>([
    ['raw int64', make(DataType.INT64, { rawData: new Uint8Array(BigInt64Array.of(3n, -1n).buffer) })],
    ['typed int64', make(DataType.INT64, { int64Data: [3n, -1n] })],
    ['raw int32', make(DataType.INT32, raw(Int32Array.of(3, -1)))],
    ['typed int32', make(DataType.INT32, { int32Data: [3, -1] })],
    ['raw int8', make(DataType.INT8, raw(Int8Array.of(3, -1)))],
  ])('reads %s', (_, tensor) => {
    expect(Array.from(readEntries(tensor))).toEqual([3, -1]);
    expect(kindOf(tensor)).toBe('int');
  });

  test('reads bytes and truth values', () => {
    expect(Array.from(readEntries(make(DataType.UINT8, raw(Uint8Array.of(255, 0)))))).toEqual([255, 0]);
    expect(Array.from(readEntries(make(DataType.BOOL, raw(Uint8Array.of(2, 0)))))).toEqual([1, 0]);
    expect(kindOf(make(DataType.BOOL, {}))).toBe('bool');
  });

  test('reads external bytes in place of its own', () => {
    const bytes = new Uint8Array(Float32Array.of(7, 8).buffer);
    expect(Array.from(readEntries(make(DataType.FLOAT, {}), bytes))).toEqual([7, 8]);
  });

  test.each<[string, TensorProto, RegExp]>([
    [
      'fewer entries than its shape',
      make(DataType.FLOAT, raw(Float32Array.of(1))),
      /expected 2 entries by its shape \[2\], received 1/,
    ],
    ['half an entry', make(DataType.FLOAT, raw(Uint8Array.of(1, 2))), /received 0.5/],
    [
      'a shape of endless size',
      make(DataType.FLOAT, raw(Float32Array.of(1)), [2n ** 62n, 4n]),
      /at most 8 axes and/,
    ],
    ['an extent below 0', make(DataType.FLOAT, {}, [-1n]), /at most 8 axes and/],
    ['text', make(DataType.STRING, {}), /expected entries of type .*, received ONNX type 8/],
    ['a type that does not exist', make(99 as DataType, {}), /received ONNX type 99/],
  ])('refuses %s', (_, tensor, message) => {
    expect(() => readEntries(tensor)).toThrow(message);
  });
});

describe('changed entries', () => {
  const change = { before: Float32Array.of(0.5, -2), after: Float32Array.of(0.5, 3) };

  test.each(FLOATS)('keep the form of %s', (_, tensor) => {
    const fields = changedFields(tensor, change);
    const [field] = Object.keys(fields);
    expect(Object.keys(fields)).toEqual([field]);
    expect(Object.hasOwn(tensor, field!)).toBe(true);
    expect(Array.from(readEntries({ ...tensor, ...fields } as TensorProto))).toEqual([0.5, 3]);
    expect(Array.from(readEntries(tensor))).toEqual([0.5, -2]); // the message read is not written to
  });

  test('leave alone the bits of what did not change', () => {
    const third = make(DataType.DOUBLE, raw(Float64Array.of(1 / 3, 1)));
    const before = Float32Array.of(1 / 3, 1);
    const fields = changedFields(third, { before, after: Float32Array.of(1 / 3, 2) });
    expect(Array.from(readEntries({ ...third, ...fields } as TensorProto))).toEqual([1 / 3, 2]);
  });

  test('round to the nearest of a narrower type', () => {
    const [, half] = FLOATS[4]!;
    const [, bfloat] = FLOATS[6]!;
    const after = Float32Array.of(0.5, 1 + 2 ** -9);
    const read = (tensor: TensorProto) =>
      Array.from(readEntries({ ...tensor, ...changedFields(tensor, { ...change, after }) } as TensorProto));
    expect(read(half)).toEqual([0.5, 1 + 2 ** -9]);
    expect(read(bfloat)).toEqual([0.5, 1]);
  });

  test('go into external bytes', () => {
    const bytes = new Uint8Array(Float32Array.of(0.5, -2).buffer);
    const changed = changedBytes(make(DataType.FLOAT, {}), bytes, change);
    expect(Array.from(new Float32Array(changed.buffer))).toEqual([0.5, 3]);
    expect(Array.from(new Float32Array(bytes.buffer))).toEqual([0.5, -2]);
  });
});
