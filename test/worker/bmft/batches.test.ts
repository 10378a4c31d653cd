import { describe, expect, test } from 'vitest';
import { batchesBy } from '../../../worker/bmft/batches.ts';
import { PRESETS } from '../../../worker/bmft/options.ts';
import { makeRandom } from '../../../worker/random.ts';
import { makeSet } from '../../helpers/made-data.ts';

// group a has two of three rows, label 1 one of two
const rows = Array.from({ length: 36 }, (_, row) => row);
const set = makeSet({
  labels: rows.map((row) => row % 2),
  groups: rows.map((row) => (row % 3 === 0 ? 1 : 0)),
});
const options = { ...PRESETS.robust, batchSize: 12 };
const by = (batching: Parameters<typeof batchesBy>[0], seed = 1) =>
  batchesBy(batching, set, { options, random: makeRandom(seed) });
const ascending = (batches: readonly (readonly number[])[]) => batches.flat().sort((a, b) => a - b);

describe('batchesBy', () => {
  test('natural takes each row once an epoch, in another order each epoch', () => {
    const batchesOf = by('natural');
    const [first, second] = [batchesOf(0), batchesOf(1)];
    expect(first.map(({ length }) => length)).toEqual([12, 12, 12]);
    expect(ascending(first)).toEqual(rows);
    expect(ascending(second)).toEqual(rows);
    expect(second).not.toEqual(first);
  });

  test('balanced draws its rows once and keeps them for every epoch', () => {
    const batchesOf = by('balanced');
    const [first, second] = [batchesOf(0), batchesOf(1)];
    const inGroup = (group: number) => first.flat().filter((row) => set.groups[row] === group).length;
    expect(inGroup(0)).toBe(12);
    expect(inGroup(1)).toBe(12);
    expect(ascending(second)).toEqual(ascending(first));
    expect(second).not.toEqual(first);
  });

  test('stratified puts every cell into every batch with the minimum of the options', () => {
    for (const batch of by('stratified')(0)) {
      for (const group of [0, 1]) {
        for (const label of [0, 1]) {
          const members = batch.filter((row) => set.groups[row] === group && set.labels[row] === label);
          expect(members.length).toBeGreaterThanOrEqual(options.disparity.cellMinimum);
        }
      }
    }
  });

  test.each(['natural', 'balanced', 'stratified'] as const)('%s repeats from the same seed', (batching) => {
    expect(by(batching)(0)).toEqual(by(batching)(0));
    expect(by(batching, 2)(0)).not.toEqual(by(batching)(0));
  });
});
