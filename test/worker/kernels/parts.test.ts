import { expect, test } from 'vitest';
import { foldedSum, foldsFor, partsFor } from '../../../worker/kernels/parts.ts';

test.each([
  { name: 'little work stays whole', numbers: 1000, pieces: 1000, parts: 1 },
  { name: 'a part has 2^15 numbers', numbers: 10 * 2 ** 15 + 5, pieces: 1000, parts: 10 },
  { name: 'work is cut no further than it can be', numbers: 10 * 2 ** 15, pieces: 3, parts: 3 },
  { name: 'there is an end', numbers: 2 ** 40, pieces: 2 ** 30, parts: 128 },
])('$name', ({ numbers, pieces, parts }) => {
  expect(partsFor(numbers, pieces)).toBe(parts);
});

test.each([
  { name: '16 channels fill two strips', rows: 100, channels: 16, folds: 1 },
  { name: '20 channels of 2 rows fill five', rows: 100, channels: 20, folds: 2 },
  { name: 'many channels stay', rows: 100, channels: 1001, folds: 1 },
  { name: '6 channels take 4 rows as one', rows: 100, channels: 6, folds: 4 },
  { name: 'rows are never cut', rows: 102, channels: 6, folds: 2 },
  { name: 'an odd number of rows stays', rows: 101, channels: 1, folds: 1 },
])('$name', ({ rows, channels, folds }) => {
  expect(foldsFor(rows, channels)).toBe(folds);
});

test('lists are summed place by place', () => {
  expect([...foldedSum(Float64Array.of(1, 2, 3, 4, 5, 6), 3)]).toEqual([1 + 3 + 5, 2 + 4 + 6]);
});
