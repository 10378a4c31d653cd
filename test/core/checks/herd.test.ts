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
  expect([herd.size, herd.subjects().length, herd.fill()]).toEqual([4, 4, true]);
  expect(herd.candidatesOf(1).map(({ rows }) => rows)).toEqual([[3], [4], [5]]);
});

test('a subject of several rows counts by their mean, and is passed over where it does not fit', () => {
  const points = line([0, 2, 0.5, 0.6]);
  const references = [{ points: line([0]), rows: [0] }];
  const pool = { points, cells: [0, 0, 0, 0], subjects: ['pair', 'pair', 'c', 'd'] };
  const first = new Herd({ ...pool, perCell: 3, references }, kernel);
  // e^−0.25 of c = 0.78, against (1 + e^−4)/2 of the pair less what it crowds itself
  first.takeNext();
  expect(first.rows()).toEqual([2]);
  const tight = new Herd({ ...pool, perCell: 1, references }, kernel);
  while (tight.takeNext());
  expect(tight.rows()).toEqual([2]);
});

test('fill exchanges subjects, and gives several back where one does not do', () => {
  // threes attract most, then the single; only two threes and two pairs make ten
  const sizes = [3, 3, 3, 1, 2, 2];
  const subjects = sizes.flatMap((size, subject) => new Array<string>(size).fill(String(subject)));
  const places = [0, 0.1, 0.2, 0.3, 4, 5];
  const points = line(sizes.flatMap((size, subject) => new Array<number>(size).fill(places[subject]!)));
  const references = [{ points: line([0]), rows: [0] }];
  const cells = subjects.map(() => 0);
  for (const perCell of [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14]) {
    const herd = new Herd({ points, cells, subjects, perCell, references }, kernel);
    while (herd.takeNext());
    expect([perCell, herd.fill(), herd.size]).toEqual([perCell, true, perCell]);
  }
});

test('fill gives up where no choice of subjects adds up', () => {
  const pairs = { points: line([0, 0, 1, 1]), cells: [0, 0, 0, 0], subjects: ['a', 'a', 'b', 'b'] };
  const herd = new Herd({ ...pairs, perCell: 3, references: [{ points: line([0]), rows: [0] }] }, kernel);
  while (herd.takeNext());
  expect(herd.fill()).toBe(false);
});

test('replace takes the subject of the same counts that lowers MMD² most, if one does', () => {
  const points = line([0, 0.2, 1, 0.9]);
  const herd = new Herd(
    { points, cells: [0, 0, 0, 0], perCell: 2, references: [{ points: line([0, 1]), rows: [0, 1] }] },
    kernel,
  );
  while (herd.takeNext());
  for (const subject of herd.subjects()) herd.replace(subject);
  const squared = (rows: readonly number[]) => {
    const [x, r] = [rows.map((row) => points.values[row]!), [0, 1]];
    const among = (a: readonly number[], b: readonly number[]) =>
      a.reduce((sum, one) => sum + b.reduce((part, other) => part + kernel((one - other) ** 2), 0), 0) /
      (a.length * b.length);
    return among(x, x) + among(r, r) - 2 * among(x, r);
  };
  const pairs = [0, 1, 2, 3].flatMap((a) => [0, 1, 2, 3].filter((b) => b > a).map((b) => [a, b]));
  expect(squared(herd.rows())).toBeCloseTo(Math.min(...pairs.map(squared)), 12);
  expect(herd.rows()).toEqual([0, 2]);
});
