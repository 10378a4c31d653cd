import { describe, expect, it } from 'vitest';
import { attributeSets } from '../../../../core/fairness/groups/attribute-sets.ts';

describe('attributeSets', () => {
  it.each([
    [3, 1, [[0], [1], [2]]],
    [3, 2, [[0], [1], [2], [0, 1], [0, 2], [1, 2]]],
    [3, 5, [[0], [1], [2], [0, 1], [0, 2], [1, 2], [0, 1, 2]]],
    [1, 2, [[0]]],
  ])('of %i attributes to depth %i', (count, depth, sets) => {
    expect(attributeSets(count, depth)).toEqual(sets);
  });

  it('gives every combination once: n + n(n - 1)/2', () => {
    const sets = attributeSets(19, 2);
    expect(sets).toHaveLength(19 + (19 * 18) / 2);
    expect(new Set(sets.map(String)).size).toBe(sets.length);
  });

  it.each([
    [3, 0, 'a whole number from 1, received 0'],
    [3, 1.5, 'a whole number from 1, received 1.5'],
    [20, 2, 'at most 200 features and combinations, received more from 20 features at depth 2'],
    [50, 50, 'at most 200 features and combinations, received more from 50 features at depth 50'],
  ])('refuses %i attributes at depth %d', (count, depth, message) => {
    expect(() => attributeSets(count, depth)).toThrow(`intersections: expected ${message}`);
  });
});
