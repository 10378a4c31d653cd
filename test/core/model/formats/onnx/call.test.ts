import { describe, expect, test } from 'vitest';
import { Attributes } from '../../../../../core/model/formats/onnx/attributes.ts';
import type { Call } from '../../../../../core/model/formats/onnx/call.ts';
import {
  axisAt,
  constantAt,
  integersOf,
  malformed,
  slotAt,
  unsupported,
  valueAt,
} from '../../../../../core/model/formats/onnx/call.ts';
import { Lowering } from '../../../../../core/model/formats/onnx/lowering.ts';
import type { Slot, Value } from '../../../../../core/model/formats/onnx/values.ts';
import { FoldBudget, makeConstant } from '../../../../../core/model/formats/onnx/values.ts';
import { madeNode } from '../../../../helpers/onnx.ts';

const SLOT: Slot = { type: 'slot', id: 0, shape: [2], order: [0] };
const AXES = makeConstant('int', [2], Float64Array.of(1, 2));

function call(inputs: readonly (Value | null)[], ints?: readonly number[]): Call {
  const proto = madeNode({ op: 'Op', name: 'n', inputs: [], attributes: ints ? { axes: ints } : {} });
  const node = { op: 'Op', name: 'n', inputs: [], outputs: [], attributes: new Attributes(proto) };
  return { node, opset: 13, inputs, lowering: new Lowering(1, new FoldBudget()), isRectified: false };
}

describe('a call', () => {
  test('gives its inputs by place', () => {
    expect(valueAt(call([SLOT]), 0)).toBe(SLOT);
    expect(slotAt(call([AXES]), 0)).toMatchObject({ type: 'slot', shape: [2] });
    expect(constantAt(call([AXES]), 0)).toBe(AXES);
    expect(constantAt(call([null]), 0)).toBeNull();
    expect(() => valueAt(call([null]), 0)).toThrow(
      'model node Op "n" (opset 13): expected an input at place 0, received none',
    );
    expect(() => constantAt(call([SLOT]), 0)).toThrow(/that does not depend on the model's input/);
  });

  test('gives integers of an input, else of an attribute', () => {
    expect(integersOf(call([SLOT, AXES], [7]), 'axes', 1)).toEqual([1, 2]);
    expect(integersOf(call([SLOT], [7]), 'axes', 1)).toEqual([7]);
    expect(integersOf(call([SLOT]), 'axes', 1)).toBeNull();
  });

  test('counts axes from the front', () => {
    expect(axisAt(call([]), -1, 3)).toBe(2);
    expect(() => axisAt(call([]), 3, 3)).toThrow(/expected an axis of 3, received 3/);
  });

  test('names operator, node and opset in what it refuses', () => {
    const details = { operator: 'Op', node: 'n', opset: 13 };
    expect(unsupported(call([]), 'expected a, received b')).toMatchObject({
      code: 'UNSUPPORTED_MODEL',
      details,
    });
    expect(malformed(call([]), 'expected a, received b')).toMatchObject({
      code: 'INVALID_INPUT',
      message: 'model node Op "n" (opset 13): expected a, received b',
      details,
    });
  });
});
