import { create } from '@bufbuild/protobuf';
import { describe, expect, test } from 'vitest';
import { Attributes } from '../../../../../core/model/formats/onnx/attributes.ts';
import {
  AttributeProtoSchema,
  AttributeProto_AttributeType as Type,
} from '../../../../../core/model/formats/onnx/file/onnx-pb.ts';
import { madeNode, madeTensor } from '../../../../helpers/onnx.ts';

describe('Attributes', () => {
  const tensor = madeTensor('t', [1], [4]);
  const node = madeNode({
    op: 'Conv',
    name: 'c',
    inputs: [],
    attributes: { int: 3, float: { float: 2 }, text: 'SAME', ints: [1, 2], tensor },
  });
  node.attribute.push(create(AttributeProtoSchema, { name: 'floats', type: Type.FLOATS, floats: [0.5] }));
  const attributes = new Attributes(node);

  test('are read by name and type', () => {
    expect(attributes.int('int', 0)).toBe(3);
    expect(attributes.float('float', 0)).toBe(2);
    expect(attributes.text('text', '')).toBe('SAME');
    expect(attributes.ints('ints')).toEqual([1, 2]);
    expect(attributes.floats('floats')).toEqual([0.5]);
    expect(attributes.tensor('tensor')).toEqual(tensor);
    expect(attributes.has('int')).toBe(true);
  });

  test('have the default that is given where they are absent', () => {
    expect(attributes.int('no', 7)).toBe(7);
    expect(attributes.float('no', 0.5)).toBe(0.5);
    expect(attributes.text('no', 'x')).toBe('x');
    expect([attributes.ints('no'), attributes.floats('no'), attributes.tensor('no')]).toEqual([
      null,
      null,
      null,
    ]);
    expect(attributes.has('no')).toBe(false);
  });

  test('are refused with another type', () => {
    expect(() => attributes.int('text', 0)).toThrow(
      'model node Conv "c": expected attribute "text" of ONNX type 2, received type 3',
    );
  });
});
