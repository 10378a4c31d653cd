import { describe, expect, it } from 'vitest';
import { firingByGroup, strongest } from '../../../worker/explain/firing.ts';

/** Two channels over five rows; channel 1 by its maxima is 3, 9, 5, 9, 1. */
const pooled = {
  channels: 2,
  mean: Float32Array.from([0, 9, 0, 1, 0, 2, 0, 3, 0, 4]),
  max: Float32Array.from([0, 3, 0, 9, 0, 5, 0, 9, 0, 1]),
};
const input = { pooled, channel: 1, groups: [0, 0, 1, 1, 1], groupNames: ['a', 'b'], most: 3 };

describe('strongest', () => {
  it('orders rows by the maximum over places, ties by place', () => {
    expect(strongest(input)).toEqual([1, 3, 2]);
  });

  it('takes the value itself where there are no places', () => {
    expect(strongest({ ...input, pooled: { ...pooled, max: null } })).toEqual([0, 4, 3]);
  });
});

describe('firingByGroup', () => {
  it('counts groups beside their share of all rows', () => {
    expect(firingByGroup(input)).toEqual([
      { group: 'a', images: 1, expected: (3 * 2) / 5 },
      { group: 'b', images: 2, expected: (3 * 3) / 5 },
    ]);
  });

  it('counts all rows where there are fewer than asked for', () => {
    expect(firingByGroup({ ...input, most: 50 }).map(({ images }) => images)).toEqual([2, 3]);
  });
});
