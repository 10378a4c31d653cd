import { describe, expect, test } from 'vitest';
import { entriesOf, LIMITS } from '../../../../../../core/model/formats/onnx/file/limits.ts';

describe('entriesOf', () => {
  test.each<[number[], number]>([
    [[], 1],
    [[2, 3, 4], 24],
    [[5, 0], 0],
    [[LIMITS.tensorEntries], LIMITS.tensorEntries],
  ])('of %o is %d', (shape, entries) => {
    expect(entriesOf(shape, 'tensor')).toBe(entries);
  });

  test.each<[number[]]>([
    [[-1]],
    [[0.5]],
    [[Number.NaN]],
    [[Number.POSITIVE_INFINITY, 0]],
    [[LIMITS.tensorEntries, 2]],
    [[2 ** 40, 2 ** 40]],
    [Array.from({ length: LIMITS.rank + 1 }, () => 1)],
  ])('refuses %o', (shape) => {
    expect(() => entriesOf(shape, 'tensor "a"')).toThrow(/^tensor "a": expected a shape of at most 8 axes/);
  });
});
