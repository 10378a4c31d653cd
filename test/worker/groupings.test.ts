import { describe, expect, test } from 'vitest';
import { MISSING_GROUP } from '../../core/data/types.ts';
import type { SensitiveFeature } from '../../core/fairness/types.ts';
import { combineFeatures, groupingsFor } from '../../worker/groupings.ts';

const SEXES = ['f', 'm', MISSING_GROUP];
const AGES = ['old', 'young', MISSING_GROUP];

/** Features of rows written as `m/old`; `-` for no value. */
function featuresOf(rows: readonly string[]): SensitiveFeature[] {
  const codes = (place: number, names: readonly string[]) =>
    Int32Array.from(rows, (row) => {
      const value = row.split('/')[place]!;
      return value === '-' ? 2 : names.indexOf(value);
    });
  return [
    { name: 'sex', groupNames: SEXES, groups: codes(0, SEXES) },
    { name: 'age', groupNames: AGES, groups: codes(1, AGES) },
  ];
}

const all = (rows: readonly string[]) => rows.map((_, row) => row);

describe('combineFeatures', () => {
  const rows = ['m/young', 'f/old', 'm/young', '-/-', 'f/-', 'm/old', '-/old'];

  test('gives each combination that occurs a group, those without any value the last', () => {
    const { feature } = combineFeatures(featuresOf(rows), all(rows));
    expect(feature.name).toBe('sex × age');
    expect(feature.groupNames).toEqual([
      'f × old',
      'f × (missing)',
      'm × old',
      'm × young',
      '(missing) × old',
      MISSING_GROUP,
    ]);
    expect(Array.from(feature.groups, (group) => feature.groupNames[group])).toEqual([
      'm × young',
      'f × old',
      'm × young',
      MISSING_GROUP,
      'f × (missing)',
      'm × old',
      '(missing) × old',
    ]);
  });

  test('knows only the rows that are used', () => {
    const { feature } = combineFeatures(featuresOf(rows), [0, 1]);
    expect(feature.groupNames).toEqual(['f × old', 'm × young']);
    expect(Array.from(feature.groups)).toEqual([1, 0, -1, -1, -1, -1, -1]);
  });
});

describe('groupingsFor', () => {
  /** Two of each label in every combination but `f/young`, which lacks a positive, and `f/-`, which has no age. */
  const rows = ['f/old', 'm/old', 'm/young', 'f/-']
    .flatMap((row) => [row, row, row, row])
    .concat(['f/young', 'f/young']);
  const labels = Int32Array.from(rows, (row, place) => (row === 'f/young' ? 0 : place % 2));

  function groupings(depth: number, least = 2) {
    const combined = combineFeatures(featuresOf(rows), all(rows));
    const found = groupingsFor(combined, depth, [
      { part: 'tune', labels, groups: combined.feature.groups, least },
    ]);
    const namesOf = found.groupings.map(({ name, groupNames, groupOf }) => ({
      name,
      groups: Array.from(combined.feature.groups, (group) => groupNames[groupOf[group]!] ?? null),
    }));
    return { ...found, namesOf };
  }

  test('are the features alone without intersections; a row without a value is in no group', () => {
    const { groupings: found, namesOf, merged } = groupings(1);
    expect(found.map(({ name, groupNames }) => [name, groupNames])).toEqual([
      ['sex', ['f', 'm']],
      ['age', ['old', 'young']],
    ]);
    expect(namesOf[0]!.groups).toEqual(rows.map((row) => row[0]));
    expect(namesOf[1]!.groups).toEqual(rows.map((row) => (row.endsWith('-') ? null : row.slice(2))));
    expect(merged).toEqual([]);
  });

  test('leave a small cell of an intersection to its parents and name it', () => {
    const { namesOf, merged } = groupings(2);
    expect(namesOf[2]).toEqual({
      name: 'sex × age',
      groups: rows.map((row) =>
        /young$/.test(row) && row[0] === 'f' ? null : row.endsWith('-') ? null : row.replace('/', ' × '),
      ),
    });
    expect(merged).toEqual([
      {
        sensitiveFeature: 'sex × age',
        group: 'f × young',
        reason: '0 positive labels in the tune part, expected at least 2',
      },
    ]);
    expect(namesOf[0]!.groups.slice(-2)).toEqual(['f', 'f']);
    expect(namesOf[1]!.groups.slice(-2)).toEqual(['young', 'young']);
  });

  test('leave every cell to its parents when none is large enough', () => {
    const { groupings: found, merged } = groupings(2, 3);
    expect(found[2]!.groupNames).toEqual([]);
    expect(merged.map(({ group }) => group)).toEqual(['f × old', 'f × young', 'm × old', 'm × young']);
  });
});
