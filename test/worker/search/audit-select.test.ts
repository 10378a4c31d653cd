import { describe, expect, test } from 'vitest';
import { auditSelect, railsOf } from '../../../worker/search/audit-select.ts';
import type { TrainingSet } from '../../../worker/training/batch.ts';
import { makeSet } from '../../helpers/made-data.ts';
import { withBackend } from '../../helpers/tensors.ts';

/*
 * Four combinations of sex (f, m) and age (old, young), four rows each: two negatives, two positives, of whose
 * positives f × old has none above the cut, the others all; of all negatives none.
 */
const rows = Array.from({ length: 16 }, (_, row) => ({ group: row >> 2, label: row % 2 }));
const groupings = [
  { name: 'sex', groupNames: ['f', 'm'], groupOf: Int32Array.of(0, 0, 1, 1) },
  { name: 'age', groupNames: ['old', 'young'], groupOf: Int32Array.of(0, 1, 0, 1) },
  { name: 'sex × age', groupNames: ['f × old', 'm × old', 'm × young'], groupOf: Int32Array.of(0, -1, 1, 2) },
];
const set: TrainingSet = {
  ...makeSet({
    labels: rows.map(({ label }) => label),
    groups: rows.map(({ group }) => group),
    groupNames: ['f × old', 'f × young', 'm × old', 'm × young'],
  }),
  groupings,
};
const logits = Float32Array.from(rows, ({ group, label }) => (label === 1 && group > 0 ? 1 : -1));

describe('auditSelect', () => {
  withBackend('cpu');
  const about = { logits, cut: 0, metric: 'equalOpportunity' } as const;

  test('judges by the largest disparity of all groupings, and names each', () => {
    const { figures } = auditSelect(set, about);
    expect(figures.byFeature).toEqual([
      { sensitiveFeature: 'sex', disparity: 1 - 2 / 4 },
      { sensitiveFeature: 'age', disparity: 1 - 2 / 4 },
      { sensitiveFeature: 'sex × age', disparity: 1 - 0 },
    ]);
    expect(figures.disparity).toBe(1);
    expect(figures.groups.map(({ group, truePositiveRate }) => [group, truePositiveRate])).toEqual([
      ['sex: f', 0.5],
      ['sex: m', 1],
      ['age: old', 0.5],
      ['age: young', 1],
      ['sex × age: f × old', 0],
      ['sex × age: m × old', 1],
      ['sex × age: m × young', 1],
    ]);
  });

  test('names groups as they are where the set has no groupings', () => {
    const { figures, targets } = auditSelect({ ...set, groupings: undefined }, about);
    expect(figures.byFeature).toBeUndefined();
    expect(figures.groups.map(({ group }) => group)).toEqual(set.groupNames);
    expect(targets).toHaveLength(1);
  });

  test('a disparity that is not defined is the largest', () => {
    const negatives = set.rows.filter((row) => rows[row]!.group !== 0 || rows[row]!.label === 0);
    const { figures } = auditSelect(
      { ...set, rows: negatives },
      { ...about, logits: logits.filter((_, row) => negatives.includes(row)) },
    );
    expect(figures.byFeature!.map(({ disparity }) => disparity)).toEqual([0, 0, null]);
    expect(figures.disparity).toBeNull();
  });
});

describe('railsOf', () => {
  test('divides the least rates among the groupings, in their order', () => {
    const least = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7];
    const rails = railsOf(set, set, least);
    expect(rails.map(({ leastTruePositiveRates }) => leastTruePositiveRates)).toEqual([
      [0.1, 0.2],
      [0.3, 0.4],
      [0.5, 0.6, 0.7],
    ]);
    expect(Array.from(rails[2]!.groups)).toEqual(rows.map(({ group }) => [0, -1, 1, 2][group]));
  });
});
