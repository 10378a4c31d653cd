import { describe, expect, test } from 'vitest';
import { Attributes } from '../../../../../core/model/formats/onnx/attributes.ts';
import type { Call } from '../../../../../core/model/formats/onnx/call.ts';
import {
  axesAt,
  reshapeTarget,
  sliceRanges,
  splitSizes,
  squeezedShape,
  unsqueezedShape,
} from '../../../../../core/model/formats/onnx/movement.ts';
import { makeConstant } from '../../../../../core/model/formats/onnx/values.ts';
import type { AttributeValue } from '../../../../helpers/onnx.ts';
import { madeNode } from '../../../../helpers/onnx.ts';

function call(
  inputs: readonly (readonly number[])[],
  attributes: Readonly<Record<string, AttributeValue>> = {},
): Call {
  const proto = madeNode({ op: 'Op', name: 'n', inputs: [], attributes });
  const node = { op: 'Op', name: 'n', inputs: [], outputs: [], attributes: new Attributes(proto) };
  const constants = inputs.map((values) => makeConstant('int', [values.length], Float64Array.from(values)));
  return { node, opset: 13, inputs: [null, ...constants] } as unknown as Call;
}

describe('shapes that arguments name', () => {
  test('of a Reshape', () => {
    expect(reshapeTarget(call([[0, -1]]), [2, 3, 4])).toEqual([2, 12]);
    expect(reshapeTarget(call([[-1]]), [])).toEqual([1]);
    expect(reshapeTarget(call([[0, 2]], { allowzero: 1 }), [0, 5])).toEqual([0, 2]);
    for (const wanted of [[5], [-1, 5], [-1, -1], [-2, -3], [0, 0, 0, 0]]) {
      expect(() => reshapeTarget(call([wanted]), [2, 3])).toThrow(/as many entries as \[2, 3\]/);
    }
  });

  test('of a Squeeze and an Unsqueeze', () => {
    expect(squeezedShape(call([]), [1, 2, 1])).toEqual([2]);
    expect(squeezedShape(call([[-1]]), [1, 2, 1])).toEqual([1, 2]);
    expect(unsqueezedShape(call([[0, -1]]), [2])).toEqual([1, 2, 1]);
    expect(unsqueezedShape(call([], { axes: [1] }), [2, 3])).toEqual([2, 1, 3]);
    expect(axesAt(call([[-1]]), 3)).toEqual([2]);
    expect(axesAt(call([]), 3)).toBeNull();
  });

  test('of a Split', () => {
    const parts = (sizes: readonly number[][], count: number) => {
      const made = call(sizes);
      return splitSizes(
        { ...made, node: { ...made.node, outputs: Array.from({ length: count }, () => 'p') } },
        7,
      );
    };
    expect(parts([], 3)).toEqual([3, 3, 1]);
    expect(parts([[2, 5]], 2)).toEqual([2, 5]);
    expect(() => parts([[2, 4]], 2)).toThrow(/expected 2 parts of 7, received \[2, 4\]/);
  });

  test.each<[string, number[][], { start: number; step: number; length: number }]>([
    ['some', [[1], [3], [0]], { start: 1, step: 1, length: 2 }],
    ['all', [[-100], [100], [0]], { start: 0, step: 1, length: 5 }],
    ['in steps', [[0], [5], [0], [2]], { start: 0, step: 2, length: 3 }],
    ['backwards', [[-1], [-100], [0], [-2]], { start: 4, step: -2, length: 3 }],
    ['none', [[3], [1], [0]], { start: 3, step: 1, length: 0 }],
  ])('of a Slice of %s', (_, inputs, expected) => {
    expect(sliceRanges(call(inputs), [5])).toEqual([expected]);
  });
});
