import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { makeRandom } from '../../../worker/random.ts';
import type { TrainingSet } from '../../../worker/training/batch.ts';
import { inGrouping } from '../../../worker/training/batch.ts';
import {
  assertCells,
  balancedRows,
  cellsOf,
  sliceBatches,
  stratifiedBatches,
} from '../../../worker/training/sampler.ts';
import { makeSet } from '../../helpers/made-data.ts';

/** A set with so many rows in each cell, cells in the order (a, 0), (a, 1), (b, 0), (b, 1), …; rows mixed. */
function setOf(counts: readonly number[]): TrainingSet {
  const cells = counts.flatMap((count, cell) => Array.from({ length: count }, () => cell));
  const mixed = makeRandom(9).shuffle(cells);
  return makeSet({
    labels: mixed.map((cell) => cell % 2),
    groups: mixed.map((cell) => cell >> 1),
    groupNames: ['a', 'b', 'c'].slice(0, counts.length / 2),
  });
}

function countCells(set: TrainingSet, rows: readonly number[]): number[] {
  const counts = new Array<number>(set.groupNames.length * 2).fill(0);
  for (const row of rows) counts[set.groups[row]! * 2 + set.labels[row]!]! += 1;
  return counts;
}

const ascending = (rows: readonly number[]) => [...rows].sort((a, b) => a - b);

const cellCounts = (min: number) =>
  fc
    .tuple(
      fc.integer({ min: 2, max: 3 }),
      fc.array(fc.integer({ min, max: 20 }), { minLength: 6, maxLength: 6 }),
    )
    .map(([groups, counts]) => counts.slice(0, groups * 2));

describe('cellsOf', () => {
  test('lists the rows of each cell, and only rows of the set', () => {
    const set = makeSet({ labels: [0, 1, 1, 0, 1], groups: [0, 0, 1, 1, 1], rows: [0, 1, 2, 3] });
    expect(cellsOf(set)).toEqual([
      { group: 0, label: 0, rows: [0] },
      { group: 0, label: 1, rows: [1] },
      { group: 1, label: 0, rows: [3] },
      { group: 1, label: 1, rows: [2] },
    ]);
  });
});

describe('assertCells', () => {
  test('says which group lacks which labels', () => {
    expect(() => assertCells(setOf([3, 2, 1, 0]), 1)).toThrow(
      expect.objectContaining({
        code: 'EMPTY_GROUP',
        message: 'group "b" has no positive labels among 6 samples, expected at least 1',
        details: { group: 'b', label: 1, expected: 1, received: 0 },
      }),
    );
    expect(() => assertCells(setOf([3, 2, 1, 4]), 2)).toThrow(
      'group "b" has only 1 negative label among 10 samples, expected at least 2',
    );
  });

  test('passes when every cell holds as many as asked', () => {
    expect(() => assertCells(setOf([2, 2, 2, 2]), 2)).not.toThrow();
  });
});

describe('sliceBatches', () => {
  test('keeps order and leaves a short rest at the end', () => {
    expect(sliceBatches([5, 4, 3, 2, 1], 2)).toEqual([[5, 4], [3, 2], [1]]);
    expect(sliceBatches([], 2)).toEqual([]);
  });
});

describe('stratifiedBatches', () => {
  const options = { batchSize: 8, cellMinimum: 2, random: makeRandom(1) };

  test('hold every cell with its minimum and each row at least once, whatever the cells', () => {
    fc.assert(
      fc.property(
        cellCounts(1),
        fc.integer({ min: 4, max: 32 }),
        fc.integer({ min: 1, max: 4 }),
        (counts, batchSize, cellMinimum) => {
          const set = setOf(counts);
          const batches = stratifiedBatches(set, { batchSize, cellMinimum, random: makeRandom(2) });
          expect(batches).toHaveLength(Math.ceil(set.rows.length / batchSize));
          for (const batch of batches) {
            expect(Math.min(...countCells(set, batch))).toBeGreaterThanOrEqual(cellMinimum);
          }
          expect(ascending([...new Set(batches.flat())])).toEqual(set.rows);
        },
      ),
      { seed: 1 },
    );
  });

  test('hold each row exactly once when every cell can go round', () => {
    fc.assert(
      fc.property(cellCounts(1), fc.integer({ min: 1, max: 3 }), (counts, cellMinimum) => {
        const set = setOf(counts.map((count) => count + cellMinimum * 4));
        const batchSize = Math.ceil(set.rows.length / 4);
        const batches = stratifiedBatches(set, { batchSize, cellMinimum, random: makeRandom(3) });
        expect(ascending(batches.flat())).toEqual(set.rows);
      }),
      { seed: 2 },
    );
  });

  test('give each cell its natural share of every batch, to one row', () => {
    const counts = [40, 8, 24, 16];
    const set = setOf(counts);
    const batches = stratifiedBatches(set, { ...options, batchSize: 11 });
    for (const batch of batches) {
      countCells(set, batch).forEach((count, cell) => {
        expect(Math.abs(count - counts[cell]! / batches.length)).toBeLessThanOrEqual(1);
      });
    }
  });

  test('differ from call to call and repeat from the same seed', () => {
    const set = setOf([10, 10, 10, 10]);
    const random = makeRandom(4);
    const first = stratifiedBatches(set, { ...options, random });
    expect(stratifiedBatches(set, { ...options, random })).not.toEqual(first);
    expect(stratifiedBatches(set, { ...options, random: makeRandom(4) })).toEqual(first);
  });

  test('refuse a set with an empty cell', () => {
    expect(() => stratifiedBatches(setOf([3, 3, 0, 3]), options)).toThrow(/group "b" has no negative labels/);
  });
});

describe('balancedRows', () => {
  test('give every group as many rows of a label as the smallest has', () => {
    fc.assert(
      fc.property(cellCounts(1), (counts) => {
        const set = setOf(counts);
        const smallest = [0, 1].map((label) => Math.min(...counts.filter((_, cell) => cell % 2 === label)));
        expect(countCells(set, balancedRows(set, makeRandom(5)))).toEqual(
          counts.map((_, cell) => smallest[cell % 2]),
        );
      }),
      { seed: 3 },
    );
  });

  test('are drawn with replacement', () => {
    const rows = balancedRows(setOf([30, 30, 30, 30]), makeRandom(6));
    expect(new Set(rows).size).toBeLessThan(rows.length);
  });

  test('refuse a set with an empty cell, naming it', () => {
    expect(() => balancedRows(setOf([3, 3, 3, 0]), makeRandom(7))).toThrow(
      expect.objectContaining({
        code: 'EMPTY_GROUP',
        message: 'group "b" has no positive labels among 9 samples, expected at least 1',
      }),
    );
  });
});

describe('batches of a set with several groupings', () => {
  /** Combinations a × f, a × m, b × f, b × m, b × x: the last has one row of each label, a × m has no negative. */
  const set: TrainingSet = {
    ...makeSet({
      labels: [20, 20, 0, 20, 20, 20, 20, 20, 1, 1].flatMap((count, cell) =>
        Array.from({ length: count }, () => cell % 2),
      ),
      groups: [20, 20, 0, 20, 20, 20, 20, 20, 1, 1].flatMap((count, cell) =>
        Array.from({ length: count }, () => cell >> 1),
      ),
      groupNames: ['a × f', 'a × m', 'b × f', 'b × m', 'b × x'],
    }),
    groupings: [
      { name: 'site', groupNames: ['a', 'b'], groupOf: Int32Array.of(0, 0, 1, 1, 1) },
      { name: 'sex', groupNames: ['f', 'm', 'x'], groupOf: Int32Array.of(0, 1, 0, 1, 2) },
    ],
  };
  const batches = stratifiedBatches(set, { batchSize: 20, cellMinimum: 2, random: makeRandom(3) });

  test('hold each row at least once, and at least two rows of each cell of each grouping', () => {
    expect(ascending([...new Set(batches.flat())])).toEqual(ascending(set.rows));
    expect(batches.length).toBe(Math.ceil(set.rows.length / 20));
    for (const grouping of set.groupings!) {
      const own = inGrouping(set, grouping);
      for (const batch of batches) expect(Math.min(...countCells(own, batch))).toBeGreaterThanOrEqual(2);
    }
  });

  test('repeat no more rows than those cells need', () => {
    const isRare = (row: number) => set.groups[row] === 4;
    const common = batches.flat().filter((row) => !isRare(row));
    expect(common.length).toBe(set.rows.filter((row) => !isRare(row)).length);
  });

  test('name the grouping’s group that has no rows of a label', () => {
    const rows = set.rows.filter((row) => set.groups[row] !== 4 || set.labels[row] === 1);
    expect(() =>
      stratifiedBatches({ ...set, rows }, { batchSize: 20, cellMinimum: 2, random: makeRandom(3) }),
    ).toThrow(/^group "x" has no negative labels/);
  });

  test('a balanced draw joins a combination below the minimum with its siblings', () => {
    const drawn = balancedRows(set, makeRandom(3), 2);
    const strata = drawn.map((row) => `${set.groups[row] === 4 ? 2 : set.groups[row]} ${set.labels[row]}`);
    const counts = new Map(
      [...new Set(strata)].map((name) => [name, strata.filter((each) => each === name).length]),
    );
    expect(new Set(counts.values())).toEqual(new Set([20])); // without the joint, one row of each would be drawn
    expect(counts.size).toBe(7);
  });
});
