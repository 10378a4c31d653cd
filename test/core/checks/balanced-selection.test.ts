import { describe, expect, test } from 'vitest';
import {
  type Selection,
  type SelectionRequest,
  selectBalanced,
} from '../../../core/checks/balanced-selection.ts';
import { wholeSubjects } from '../../../core/checks/herd.ts';
import { normal, seededUniform } from '../../../core/fairness/statistics/sampling.ts';

const WIDTH = 2;

/** Normal points around the number of their cell, shifted where `shift` says so. */
function cloud(cells: readonly number[], seed: number, shift: (row: number) => number = () => 0) {
  const uniform = seededUniform(seed);
  const values = cells.flatMap((cell, row) => [
    3 * cell + shift(row) + normal(uniform),
    normal(uniform) + shift(row),
  ]);
  return { points: { values, width: WIDTH }, cells };
}

const cellsOf = (size: number, count: number) => Array.from({ length: size }, (_, row) => row % count);

/** A pool half of which is far from a reference of two cells. */
const request: SelectionRequest = {
  pool: cloud(cellsOf(200, 2), 1, (row) => (row % 4 < 2 ? 0 : 1.5)),
  reference: cloud(cellsOf(120, 2), 2),
  cellCount: 2,
  perCell: 20,
};

const valuesOf = ({ points: { values } }: SelectionRequest['pool'], rows: readonly number[]) =>
  rows.flatMap((row) => [values[row * WIDTH]!, values[row * WIDTH + 1]!]);

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

/** MMD² of rows of a cell from the reference of that cell, by its definition. */
function discrepancy(
  { pool, reference }: SelectionRequest,
  rows: readonly number[],
  bandwidth: number,
): number {
  const cell = pool.cells[rows[0]!]!;
  const known = Array.from(reference.cells, (_, row) => row).filter((row) => reference.cells[row] === cell);
  const [x, r] = [rows.map((row) => valuesOf(pool, [row])), known.map((row) => valuesOf(reference, [row]))];
  const kernel = (a: readonly number[], b: readonly number[]) =>
    Math.exp(-((a[0]! - b[0]!) ** 2 + (a[1]! - b[1]!) ** 2) / (2 * bandwidth ** 2));
  const among = (one: number[][], other: number[][]) =>
    mean(one.flatMap((a) => other.map((b) => kernel(a, b))));
  return among(x, x) + among(r, r) - 2 * among(x, r);
}

/** Twenty of the hundred rows of a cell. */
function randomRows(cell: number, uniform: () => number): number[] {
  return Array.from({ length: 100 }, (_, place) => ({ row: 2 * place + cell, at: uniform() }))
    .sort((a, b) => a.at - b.at)
    .slice(0, 20)
    .map(({ row }) => row);
}

/** A choice that there has to be. */
async function select(wanted: SelectionRequest): Promise<Selection> {
  const found = await selectBalanced(wanted);
  if (found === null) throw new Error('no choice');
  return found;
}

describe('selectBalanced', () => {
  test('fills every cell exactly, each row once', async () => {
    const { rows, cells } = await select(request);
    expect(new Set(rows).size).toBe(40);
    for (const cell of [0, 1]) {
      expect(rows.filter((row) => request.pool.cells[row] === cell).length).toBe(20);
      expect(cells[cell]).toMatchObject({ pool: 100, chosen: 20, reference: 60 });
    }
    expect([...rows].sort((a, b) => a - b)).toEqual(rows);
  });

  test('comes closer to the reference than any of 50 random choices of the same counts', async () => {
    const { rows, bandwidth } = await select(request);
    const uniform = seededUniform(9);
    for (const cell of [0, 1]) {
      const own = rows.filter((row) => request.pool.cells[row] === cell);
      const random = Array.from({ length: 50 }, () =>
        discrepancy(request, randomRows(cell, uniform), bandwidth),
      );
      expect(discrepancy(request, own, bandwidth)).toBeLessThan(Math.min(...random));
    }
  });

  test('says how far the choice is, and how far a random one is on average', async () => {
    const { rows, cells, bandwidth } = await select(request);
    const own = rows.filter((row) => request.pool.cells[row] === 1);
    expect(cells[1]!.distance ** 2).toBeCloseTo(discrepancy(request, own, bandwidth), 10);
    const uniform = seededUniform(4);
    const draws = Array.from({ length: 200 }, () => discrepancy(request, randomRows(1, uniform), bandwidth));
    const average = mean(draws);
    const error = Math.sqrt(mean(draws.map((draw) => (draw - average) ** 2)) / draws.length);
    expect(Math.abs(cells[1]!.ofRandom ** 2 - average)).toBeLessThan(3.5 * error);
  });

  test('cannot be bettered by exchanging any row for another of its cell', async () => {
    const small = { ...request, perCell: 6 };
    const { rows, bandwidth } = await select(small);
    const own = rows.filter((row) => request.pool.cells[row] === 0);
    const reached = discrepancy(request, own, bandwidth);
    for (const given of own) {
      for (let taken = 0; taken < 200; taken += 2) {
        if (own.includes(taken)) continue;
        const other = [...own.filter((row) => row !== given), taken];
        expect(discrepancy(request, other, bandwidth)).toBeGreaterThan(reached - 1e-9);
      }
    }
  });

  test('compares with a random choice of whole subjects, whose samples are alike', async () => {
    // pairs of the same point: a random choice has half as many different points as of single ones
    const single = cloud(cellsOf(100, 1), 5);
    const values = Array.from({ length: 200 }, (_, at) => single.points.values[2 * (at >> 2) + (at % 2)]!);
    const pool = { points: { values, width: WIDTH }, cells: cellsOf(100, 1) };
    const subjects = pool.cells.map((_, row) => String(row >> 1));
    const reference = cloud(cellsOf(80, 1), 6);
    const { cells, bandwidth } = await select({
      pool: { ...pool, subjects },
      reference,
      cellCount: 1,
      perCell: 20,
    });
    const uniform = seededUniform(3);
    const draws = Array.from({ length: 300 }, () => {
      const drawn = Array.from({ length: 50 }, (_, subject) => ({ subject, at: uniform() }));
      drawn.sort((a, b) => a.at - b.at);
      const rows = drawn.slice(0, 10).flatMap(({ subject }) => [2 * subject, 2 * subject + 1]);
      return discrepancy({ ...request, pool, reference }, rows, bandwidth);
    });
    const average = mean(draws);
    const error = Math.sqrt(mean(draws.map((draw) => (draw - average) ** 2)) / draws.length);
    expect(Math.abs(cells[0]!.ofRandom ** 2 - average)).toBeLessThan(3.5 * error);
  });

  test('takes the first point that is most like the reference, then what balances it: by hand', async () => {
    // the reference has one point at −1 and one at 1; of the pool, 0 attracts most, then the two ends
    const line = (values: readonly number[]) => ({
      points: { values, width: 1 },
      cells: values.map(() => 0),
    });
    const chosen = async (perCell: number) => {
      const pool = line([-1, 1, 9, 1.1, 1.2]);
      return (await select({ pool, reference: line([-1, 1]), cellCount: 1, perCell })).rows;
    };
    expect(await chosen(2)).toEqual([0, 1]);
    expect(await chosen(4)).not.toContain(2);
  });

  test('keeps subjects whole, over cells too, and still fills the cells', async () => {
    const subjects = Array.from({ length: 200 }, (_, row) => `s${row < 120 ? Math.floor(row / 3) : row}`);
    const found = await select({ ...request, pool: { ...request.pool, subjects }, perCell: 31 });
    const chosen = new Set(found.rows);
    expect(found.rows.length).toBe(62);
    for (const rows of wholeSubjects({ ...request.pool, subjects })) {
      expect(new Set(rows.map((row) => chosen.has(row))).size).toBe(1);
    }
    expect(found.subjects).toBe(new Set(found.rows.map((row) => subjects[row])).size);
  });

  test('exchanges subjects where the first choice leaves a gap that nothing fits', async () => {
    // one cell: the single row is the best, but only the pairs and no single make 2
    const pool = {
      points: { values: [0, 5, 5], width: 1 },
      cells: [0, 0, 0],
      subjects: ['single', 'pair', 'pair'],
    };
    const reference = { points: { values: [0], width: 1 }, cells: [0] };
    expect((await select({ pool, reference, cellCount: 1, perCell: 2 })).rows).toEqual([1, 2]);
    expect((await select({ pool, reference, cellCount: 1, perCell: 1 })).rows).toEqual([0]);
  });

  test('gives nothing where whole subjects cannot fill the cells', async () => {
    const pool = {
      points: { values: [0, 1, 2, 3], width: 1 },
      cells: [0, 0, 0, 0],
      subjects: ['a', 'a', 'b', 'b'],
    };
    const reference = { points: { values: [0], width: 1 }, cells: [0] };
    expect(await selectBalanced({ pool, reference, cellCount: 1, perCell: 3 })).toBeNull();
  });

  test('lets the whole reference stand in for a cell that it lacks', async () => {
    const reference = cloud(new Array(60).fill(0), 2);
    const { cells } = await select({ ...request, reference });
    expect(cells.map((cell) => cell.reference)).toEqual([60, 0]);
    expect(cells.every(({ distance }) => Number.isFinite(distance))).toBe(true);
  });

  test('knows a long reference by some of its rows, evenly spaced', async () => {
    const values = Array.from({ length: 2000 }, (_, row) => (row % 2 === 0 ? 1 : 50));
    const reference = { points: { values, width: 1 }, cells: values.map(() => 0) };
    const pool = { points: { values: [50, 1, 1], width: 1 }, cells: [0, 0, 0] };
    const { rows, cells } = await select({ pool, reference, cellCount: 1, perCell: 2 });
    expect([rows, cells[0]!.distance, cells[0]!.reference]).toEqual([[1, 2], 0, 2000]);
  });

  test('leaves out rows of no cell with their subjects, tells of its steps, and repeats itself', async () => {
    const cells = request.pool.cells;
    const pool = {
      ...request.pool,
      cells: Array.from(cells, (cell, row) => (row < 50 ? -1 : cell)),
      subjects: Array.from(cells, (_, row) => String(row % 100)),
    };
    const steps: number[] = [];
    const found = await select({ ...request, pool, onChosen: (samples) => void steps.push(samples) });
    expect(found.rows.every((row) => row % 100 >= 50)).toBe(true);
    expect(steps.at(-1)).toBe(40);
    expect(await selectBalanced({ ...request, pool })).toEqual(found);
  });
});
