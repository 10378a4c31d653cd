import { expect, test } from 'vitest';
import { partsFor } from '../../../worker/kernels/parts.ts';

test.each([
  { name: 'little work stays whole', numbers: 1000, pieces: 1000, parts: 1 },
  { name: 'a part has 2^15 numbers', numbers: 10 * 2 ** 15 + 5, pieces: 1000, parts: 10 },
  { name: 'work is cut no further than it can be', numbers: 10 * 2 ** 15, pieces: 3, parts: 3 },
  { name: 'there is an end', numbers: 2 ** 40, pieces: 2 ** 30, parts: 128 },
])('$name', ({ numbers, pieces, parts }) => {
  expect(partsFor(numbers, pieces)).toBe(parts);
});
