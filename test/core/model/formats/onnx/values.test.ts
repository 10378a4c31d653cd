import { describe, expect, test } from 'vitest';
import { LIMITS } from '../../../../../core/model/formats/onnx/file/limits.ts';
import { FoldBudget, makeConstant } from '../../../../../core/model/formats/onnx/values.ts';

describe('FoldBudget', () => {
  test('counts what is computed until it is too much', () => {
    const budget = new FoldBudget();
    expect(budget.take([LIMITS.foldedEntries / 2], 'a')).toBe(LIMITS.foldedEntries / 2);
    expect(budget.take([0], 'b')).toBe(0);
    expect(budget.take([LIMITS.foldedEntries / 2], 'c')).toBe(LIMITS.foldedEntries / 2);
    expect(() => budget.take([1], 'd')).toThrow(/^d, with all constants before it: expected/);
  });
});

test('makeConstant says that it is one', () => {
  expect(makeConstant('int', [], Float64Array.of(3))).toMatchObject({
    type: 'constant',
    kind: 'int',
    shape: [],
  });
});
