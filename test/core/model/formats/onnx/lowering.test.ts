import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, test } from 'vitest';
import { Lowering, storedShape } from '../../../../../core/model/formats/onnx/lowering.ts';
import type { Slot } from '../../../../../core/model/formats/onnx/values.ts';
import { FoldBudget, makeConstant } from '../../../../../core/model/formats/onnx/values.ts';

const slot = (shape: readonly number[], order: readonly number[]): Slot => ({
  type: 'slot',
  id: 0,
  shape,
  order,
});
const make = () => new Lowering(1, new FoldBudget());
const ops = ({ steps }: Lowering) => steps.map(({ op }) => op);

describe('Lowering', () => {
  test('moves axes once for all that read them in that order', () => {
    const lowering = make();
    const image = slot([2, 3, 4, 5], [0, 1, 2, 3]);
    const last = lowering.ordered(image, [0, 2, 3, 1]);
    expect(lowering.ordered(image, [0, 2, 3, 1])).toEqual(last);
    expect(lowering.ordered(last, [0, 2, 3, 1])).toBe(last);
    expect(storedShape(last)).toEqual([2, 4, 5, 3]);
    expect(ops(lowering)).toEqual(['Transpose']);
  });

  test('keeps apart what is called differently, and shares what lies alike', () => {
    const lowering = make();
    const keys = slot([2, 3, 4], [0, 2, 1]);
    const queries = slot([2, 4, 3], [0, 1, 2]); // the same memory by other names
    const plainKeys = lowering.plain(keys);
    expect(lowering.plain(queries)).toBe(queries);
    const turned = lowering.ordered(queries, [0, 2, 1]);
    expect(turned.id).toBe(plainKeys.id);
    expect([plainKeys.shape, turned.shape]).toEqual([
      [2, 3, 4],
      [2, 4, 3],
    ]);
    expect(ops(lowering)).toEqual(['Transpose']);
  });

  test('moves nothing where only axes of extent 1 change places', () => {
    const lowering = make();
    lowering.plain(slot([2, 8, 1, 1], [0, 2, 3, 1]));
    expect(ops(lowering)).toEqual(['Reshape']);
  });

  test('makes one tensor of a constant, and one in another order', () => {
    const lowering = make();
    const table = makeConstant('float', [2, 2], Float64Array.from([1, 2, 3, 4]));
    expect(lowering.slot(table).id).toBe(lowering.plain(table).id);
    const turned = lowering.ordered(table, [1, 0]);
    expect(turned).toMatchObject({ shape: [2, 2], order: [1, 0] });
    expect(lowering.constants.map(({ constant }) => Array.from(constant.entries))).toEqual([
      [1, 2, 3, 4],
      [1, 3, 2, 4],
    ]);
    expect(ops(lowering)).toEqual([]);
  });

  test('refuses results without entries, or of endless size', () => {
    const run = ([x]: readonly tf.Tensor[]) => tf.clone(x!);
    expect(() => make().emit('Slice', [], { shape: [2, 0], run })).toThrow(
      'output of Slice: expected entries, received shape [2, 0]',
    );
    expect(() => make().emit('Pad', [], { shape: [2 ** 30], run })).toThrow(
      /output of Pad: expected a shape of at most/,
    );
  });
});
