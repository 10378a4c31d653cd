import { expect, test } from 'vitest';
import { confidences, energies, groupHistogram } from '../../../core/checks/score-histograms.ts';

const closeTo = (values: readonly number[]) => values.map((value) => expect.closeTo(value, 12));

test('confidence is the probability of the likelier class', () => {
  expect(Array.from(confidences([0, Math.log(3), -Math.log(3), 800]))).toEqual(closeTo([0.5, 0.75, 0.75, 1]));
});

test('energy is that of two classes with logits 0 and z, without overflow', () => {
  const expected = [-Math.log(2), -Math.log(1 + 3), -Math.log(1 + 1 / 3), -800, 0];
  expect(Array.from(energies([0, Math.log(3), -Math.log(3), 800, -800]))).toEqual(closeTo(expected));
});

test('counts by group between shared edges, the largest value in the last bin', () => {
  const cells = { groups: [0, 0, 1, 0, 1], groupNames: ['a', 'b', 'none'] };
  expect(groupHistogram([0, 1, 2, 4, 3.5], cells, { bins: 4 })).toEqual({
    edges: [0, 1, 2, 3, 4],
    groups: [
      { group: 'a', support: 3, counts: [1, 1, 0, 1], mean: 5 / 3 },
      { group: 'b', support: 2, counts: [0, 0, 1, 1], mean: 5.5 / 2 },
      { group: 'none', support: 0, counts: [0, 0, 0, 0], mean: null },
    ],
  });
});

test('counts what lies outside a given range at its ends', () => {
  const cells = { groups: [0, 0, 0], groupNames: ['a'] };
  const { edges, groups } = groupHistogram([-1, 0.5, 9], cells, { bins: 2, range: [0, 2] });
  expect(edges).toEqual([0, 1, 2]);
  expect(groups[0]!.counts).toEqual([2, 1]);
});

test('has one full bin where all values are the same, and none without values', () => {
  const cells = { groups: [0, 0], groupNames: ['a'] };
  expect(groupHistogram([3, 3], cells, { bins: 2 }).groups[0]!.counts).toEqual([2, 0]);
  expect(groupHistogram([], cells, { bins: 1 })).toEqual({
    edges: [0, 0],
    groups: [{ group: 'a', support: 0, counts: [0], mean: null }],
  });
});
