import { describe, expect, it } from 'vitest';
import { type Manifest, MISSING_GROUP } from '../../core/data/types.ts';
import { cellText, poolOf, rowsOfSplit, samplesPerCell } from '../../worker/selection-pool.ts';

const manifest: Manifest = {
  size: 6,
  labels: Int32Array.of(0, 1, 0, 1, 1, 0),
  sensitiveFeatures: [
    { name: 'sex', groupNames: ['F', 'M', MISSING_GROUP], groups: Int32Array.of(0, 1, 1, 0, 2, 0) },
  ],
  subjects: ['a', 'b', 'c', 'd', 'e', 'b'],
  splits: ['external', 'external', 'external', 'external', 'external', 'test'],
  input: { kind: 'table', columns: [], values: new Float64Array(0) },
};

describe('poolOf', () => {
  it('numbers cells by group and label, and leaves out rows without a group or of subjects in other splits', () => {
    const pool = poolOf(manifest, 'external');
    expect(pool.rows).toEqual([0, 1, 2, 3, 4]);
    expect(pool.cells.names.map(cellText)).toEqual([
      'sex "F" with label 0',
      'sex "F" with label 1',
      'sex "M" with label 0',
      'sex "M" with label 1',
    ]);
    expect(Array.from(pool.cellOf)).toEqual([0, -1, 2, 1, -1]);
    expect(pool.subjects).toEqual(['a', 'b', 'c', 'd', 'e']);
    expect(pool.leftOut).toEqual({ withoutGroup: 1, subjectInOtherSplit: 1 });
  });

  it.each([
    [['F', MISSING_GROUP], '"F" alone'],
    [[MISSING_GROUP], 'none'],
  ])('refuses groups %j: there is nothing to balance', (groupNames, received) => {
    const one = { name: 'sex', groupNames, groups: new Int32Array(6) };
    expect(() => poolOf({ ...manifest, sensitiveFeatures: [one] }, 'external')).toThrow(
      `column "sex": expected two groups or more to balance, received ${received}`,
    );
  });

  it('finds a row of another table by the names of its groups', () => {
    const { cells } = poolOf(manifest, 'external');
    const other: Manifest = {
      ...manifest,
      labels: Int32Array.of(1, 1),
      sensitiveFeatures: [{ name: 'sex', groupNames: ['M', 'X'], groups: Int32Array.of(0, 1) }],
    };
    expect([cells.of(other, 0), cells.of(other, 1)]).toEqual([3, -1]);
  });
});

it('rowsOfSplit takes every row of a table without splits', () => {
  const { splits: _, ...whole } = manifest;
  expect(rowsOfSplit(whole, 'external')).toEqual([0, 1, 2, 3, 4, 5]);
  expect(() => rowsOfSplit(manifest, 'later')).toThrow('split "later": expected rows, received none among 6');
});

it('samplesPerCell names the cells that lack samples', () => {
  const pool = poolOf(manifest, 'external');
  expect(() => samplesPerCell(4, pool)).toThrow(
    /expected 1 sample in each of 4 cells.*sex "M" with label 1 has 0/,
  );
  const full = { ...pool, cellOf: Int32Array.of(0, 3, 2, 1, -1) };
  expect(samplesPerCell(4, full)).toBe(1);
});
