import { expect, test } from 'vitest';
import { Herd, wholeSubjects } from '../../../core/checks/herd.ts';

const line = (values: readonly number[]) => ({ values, width: 1 });
const kernel = (squared: number) => Math.exp(-squared);

test('wholeSubjects gathers rows, and leaves subjects out that have a row in no cell', () => {
  expect(wholeSubjects({ cells: [0, 1, -1, 0, 1], subjects: ['a', 'b', 'b', 'a', 'c'] })).toEqual([
    [0, 3],
    [4],
  ]);
  expect(wholeSubjects({ cells: [0, -1, 1] })).toEqual([[0], [2]]);
});

test('herding takes the largest of attraction less crowding, cell by cell in turn', () => {
  const points = line([0.5, 0.1, 3, 10, 10.4, 13]);
  const references = [
    { points: line([0]), rows: [0] },
    { points: line([10]), rows: [0] },
  ];
  const herd = new Herd({ points, cells: [0, 0, 0, 1, 1, 1], perCell: 2, references }, kernel);
  const order: number[][] = [];
  while (herd.takeNext()) order.push(herd.rows());
  // row 1 is nearest to 0 and row 3 to 10; then of cell 0 row 0 has e^−0.25 − e^−0.16/2 = 0.353 and row 2 only
  // e^−9 − e^−8.41/2; of cell 1 row 4 has e^−0.16 (1 − 1/2) and row 5 next to nothing
  expect(order).toEqual([[1], [1, 3], [0, 1, 3], [0, 1, 3, 4]]);
  expect([herd.size, herd.subjects, herd.fill()]).toEqual([4, 4, true]);
  expect(herd.candidatesOf(1)).toEqual([3, 4, 5]);
});

test('a subject of several rows counts by their mean, and is passed over where it does not fit', () => {
  const points = line([0, 2, 0.5, 0.6]);
  const references = [{ points: line([0]), rows: [0] }];
  const pool = { points, cells: [0, 0, 0, 0], subjects: ['pair', 'pair', 'c', 'd'] };
  const first = new Herd({ ...pool, perCell: 3, references }, kernel);
  first.takeNext(); // e^−0.25 = 0.78 of c, against (1 + e^−4)/2 of the pair
  expect(first.rows()).toEqual([2]);
  const tight = new Herd({ ...pool, perCell: 1, references }, kernel);
  while (tight.takeNext());
  expect(tight.rows()).toEqual([2]);
});
