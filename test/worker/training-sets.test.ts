import { describe, expect, test } from 'vitest';
import type { Samples } from '../../core/data/types.ts';
import { MISSING_GROUP } from '../../core/data/types.ts';
import { PRESETS } from '../../worker/bmft/options.ts';
import { makeRandom } from '../../worker/random.ts';
import { groupingsOf, inGrouping } from '../../worker/training/batch.ts';
import type { FurtherFeatures } from '../../worker/training-sets.ts';
import { mitigatedNames, trainingSets } from '../../worker/training-sets.ts';
import { memoryInputs } from '../helpers/made-data.ts';

/** Sex and age take turns so that all eight cells have ten rows; the last four rows lack sex, age, both, and neither. */
const SIZE = 84;
const rows = Array.from({ length: SIZE }, (_, row) => row);
const isLast = (row: number, ...places: number[]) => places.includes(row - 80);
const samples: Samples = {
  size: SIZE,
  labels: Int32Array.from(rows, (row) => (row >> 2) % 2),
  sensitiveFeatures: [
    {
      name: 'sex',
      groupNames: ['f', 'm', MISSING_GROUP],
      groups: Int32Array.from(rows, (row) => (isLast(row, 0, 2) ? 2 : row % 2)),
    },
    { name: 'site', groupNames: ['a', 'b'], groups: Int32Array.from(rows, (row) => row % 2) },
    {
      name: 'age',
      groupNames: ['old', 'young', MISSING_GROUP],
      groups: Int32Array.from(rows, (row) => (isLast(row, 1, 2) ? 2 : (row >> 1) % 2)),
    },
  ],
};

function setsFor(further?: FurtherFeatures, external: readonly number[] = rows) {
  return trainingSets(
    {
      samples,
      inputs: memoryInputs(new Float32Array(SIZE), [1]),
      sensitiveFeature: 'age',
      further,
      splits: null,
      selection: PRESETS.robust.selection,
      random: makeRandom(1),
    },
    { external, test: [] },
  );
}

const FURTHER: FurtherFeatures = { sensitiveFeatures: ['sex'], intersections: 2, cellMinimum: 2 };

describe('trainingSets', () => {
  test('of one feature have its groups and no groupings', () => {
    const { tune, features, withoutGroup } = setsFor();
    expect(tune).toMatchObject({ groupNames: ['old', 'young'], groupings: undefined });
    expect(features.map(({ name }) => name)).toEqual(['age']);
    expect(withoutGroup).toEqual([81, 82]);
  });

  test('of several have each of them and their intersections, in the order of the samples', () => {
    const { tune, select, features } = setsFor(FURTHER);
    expect(tune.groupings!.map(({ name, groupNames }) => [name, groupNames])).toEqual([
      ['sex', ['f', 'm']],
      ['age', ['old', 'young']],
      ['sex × age', ['f × old', 'f × young', 'm × old', 'm × young']],
    ]);
    expect(select!.groupings).toBe(tune.groupings);
    expect(features.map(({ name }) => name)).toEqual(['sex', 'age', 'sex × age']);
  });

  test('a row that lacks one value trains in the groups of the other; one that lacks all does not train', () => {
    const { tune, select, withoutGroup } = setsFor(FURTHER);
    expect(withoutGroup).toEqual([82]);
    expect([...tune.rows, ...select!.rows].sort((a, b) => a - b)).toEqual(rows.filter((row) => row !== 82));
    const [sex, age, both] = groupingsOf(tune).map((grouping) => inGrouping(tune, grouping).groups);
    expect([sex![80], age![80], both![80]]).toEqual([-1, 0, -1]);
    expect([sex![81], age![81], both![81]]).toEqual([1, -1, -1]);
    expect([sex![83], age![83], both![83]]).toEqual([1, 1, 3]);
  });

  test('name the cells that are too small in a part', () => {
    const few = rows.filter((row) => row < 4 || row % 4 !== 3); // m × young: one negative
    const { merged, tune } = setsFor(FURTHER, few);
    expect(merged.map(({ sensitiveFeature, group }) => [sensitiveFeature, group])).toEqual([
      ['sex × age', 'm × young'],
    ]);
    expect(merged[0]!.reason).toMatch(/labels? in the (tune|select) part, expected at least/);
    expect(tune.groupings![2]!.groupNames).toEqual(['f × old', 'f × young', 'm × old']);
  });
});

describe('mitigatedNames', () => {
  test('are the feature and those besides it', () => {
    expect(mitigatedNames({ sensitiveFeature: 'age' })).toEqual(['age']);
    expect(mitigatedNames({ sensitiveFeature: 'age', further: FURTHER })).toEqual(['age', 'sex']);
  });
});
