import { describe, expect, test } from 'vitest';
import { groupingOf } from '../../../core/fairness/grouping.ts';
import { referenceOf } from '../../../core/fairness/reference-group.ts';
import { countsFor, groupFrom } from '../../helpers/metric-tables.ts';

/** [TN, FP, FN, TP] with so many negatives and positives. */
const cells = (negatives: number, positives: number) => [negatives, 0, 0, positives];
const MARK = { group: 10, positives: 3, negatives: 3, action: 'mark' } as const;
const sex = { name: 'sex', groupNames: ['m', 'f', '(other)'], order: [1, 0, 2] };
const age = { name: 'age', groupNames: ['old', 'young'] };
const single = {
  attributes: [0],
  intersection: { combinations: [] },
  rows: [...cells(6, 6), ...cells(8, 2), ...cells(1, 4)],
};

describe('groupingOf', () => {
  test('lists the groups of an attribute in their order, those without rows too', () => {
    const counted = { ...single, rows: cells(6, 6) };
    expect(groupingOf(counted, { attributes: [sex] }, MARK)).toEqual({
      sensitiveFeature: 'sex',
      attributes: ['sex'],
      groupNames: ['f', 'm', '(other)'],
      groupOf: Int32Array.of(1, 0, 2),
      merged: [],
    });
  });

  test('lists of an intersection what occurs, ordered by the first attribute, then the second', () => {
    const combinations = [
      [0, 1],
      [1, 1],
      [0, 0],
    ];
    const counted = { attributes: [0, 1], intersection: { combinations }, rows: [] };
    expect(groupingOf(counted, { attributes: [sex, age] }, MARK)).toMatchObject({
      sensitiveFeature: 'sex × age',
      attributes: ['sex', 'age'],
      groupNames: ['f × young', 'm × old', 'm × young'],
      groupOf: Int32Array.of(2, 0, 1),
    });
  });

  test('merges groups below a minimum, with a group that has the name of the merger already', () => {
    const merge = { ...MARK, action: 'merge' } as const;
    expect(groupingOf(single, { attributes: [sex] }, merge)).toMatchObject({
      groupNames: ['m', '(other)'],
      groupOf: Int32Array.of(0, 1, 1),
      merged: ['f', '(other)'],
    });
    const oneSmall = { ...single, rows: [...cells(6, 6), ...cells(8, 2), ...cells(5, 5)] };
    expect(groupingOf(oneSmall, { attributes: [sex] }, merge).merged).toEqual([]);
  });

  test('refuses groups below a minimum by name, rows, positives and negatives', () => {
    expect(() => groupingOf(single, { attributes: [sex] }, { ...MARK, action: 'refuse' })).toThrow(
      'sex: expected at least 10 rows, 3 positives and 3 negatives in each group, received "f" (10, 2, 8), "(other)" (5, 4, 1)',
    );
    const many = { name: 'site', groupNames: ['a', 'b', 'c', 'd', 'e', 'f', 'g'] };
    expect(() =>
      groupingOf({ ...single, rows: [] }, { attributes: [many] }, { ...MARK, action: 'refuse' }),
    ).toThrow('"e" (0, 0, 0) and 2 more');
  });
});

describe('referenceOf', () => {
  const groups = [
    groupFrom('a', countsFor({ tpr: 0.2, fpr: 0.2, support: 20 })),
    groupFrom('b', countsFor({ tpr: 0.9, fpr: 0.5, support: 10 })),
  ];

  test('is the largest group, the one with the highest selection rate, or one by name', () => {
    expect(referenceOf('sex', groups, 'largest')).toEqual({ group: 'a', rule: 'largest' });
    expect(referenceOf('sex', groups, 'best')).toEqual({ group: 'b', rule: 'best' });
    expect(referenceOf('sex', groups, { sex: 'b' })).toEqual({ group: 'b', rule: 'named' });
    expect(referenceOf('toString', groups, { sex: 'b' })).toEqual({ group: 'a', rule: 'largest' });
    expect(referenceOf('sex', [], 'best')).toBeNull();
  });

  test('refuses a name that is no group', () => {
    expect(() => referenceOf('sex', groups, { sex: 'c' })).toThrow(
      'expected one of its 2 groups, received "c"',
    );
  });
});
