import { describe, expect, it } from 'vitest';
import type { Mask } from '../../../worker/bmft/mask.ts';
import { chanceOverlap, compareMasks } from '../../../worker/explain/overlap.ts';

function choose(n: number, k: number): number {
  let product = 1;
  for (let i = 1; i <= k; i += 1) product = (product * (n - k + i)) / i;
  return k < 0 || k > n ? 0 : product;
}

/** Mean Jaccard overlap over every shared count, each with its hypergeometric chance. */
function exactChance(a: number, b: number, total: number): number {
  let mean = 0;
  for (let shared = Math.max(0, a + b - total); shared <= Math.min(a, b); shared += 1) {
    const chance = (choose(a, shared) * choose(total - a, b - shared)) / choose(total, b);
    mean += (chance * shared) / (a + b - shared);
  }
  return mean;
}

describe('chanceOverlap', () => {
  it.each([
    [8, 8, 16],
    [5, 12, 20],
    [50, 50, 100],
    [10, 40, 50],
    [30, 31, 32],
  ])('of %i and %i of %i weights is the mean over all pairs, to 0.003', (a, b, total) => {
    expect(Math.abs(chanceOverlap(a, b, total)! - exactChance(a, b, total))).toBeLessThan(0.003);
  });

  it('is s / (2 - s) for two large masks of one share s', () => {
    expect(chanceOverlap(2e6, 2e6, 1e7)).toBeCloseTo(0.2 / 1.8, 6);
  });

  it('is certain for whole masks, 0 beside an empty one, and nothing for two', () => {
    expect(chanceOverlap(7, 7, 7)).toBe(1);
    expect(chanceOverlap(0, 3, 7)).toBe(0);
    expect(chanceOverlap(0, 0, 7)).toBeNull();
    expect(chanceOverlap(1, 1, 1)).toBe(1);
  });
});

const maskOf = (tensors: Readonly<Record<string, readonly number[]>>): Mask => ({
  values: new Map(Object.entries(tensors).map(([name, values]) => [name, Float32Array.from(values)])),
  notes: new Map(),
});

describe('compareMasks', () => {
  const about = { kind: 'seed', differs: 'draw 1', names: ['a', 'b'], isSoft: false } as const;
  const first = maskOf({ a: [1, 1, 0, 0], b: [1, 0], head: [1] });
  const second = maskOf({ a: [0, 1, 1, 0], b: [1, 0], head: [0] });

  it('counts shared weights in all and by tensor, of the tensors named only', () => {
    const { overlap, layers } = compareMasks([first, second], about);
    expect(overlap).toBe(2 / 4); // shared: a[1] and b[0]; either: a[0], a[1], a[2], b[0]
    expect(layers.map((layer) => [layer.parameter, layer.overlap])).toEqual([
      ['a', 1 / 3],
      ['b', 1],
    ]);
  });

  it('gives chance for the sizes in all, and for the sizes in each tensor', () => {
    const compared = compareMasks([first, second], about);
    expect(compared.chance).toBe(chanceOverlap(3, 3, 6));
    const shared = (2 * 2) / 4 + (1 * 1) / 2;
    expect(compared.chanceWithinTensors).toBeCloseTo(shared / (6 - shared), 12);
    expect(compared.layers[0]!.chance).toBe(chanceOverlap(2, 2, 4));
  });

  it('has no chance for soft masks, and nothing at all for empty ones', () => {
    const soft = compareMasks([maskOf({ a: [0.5], b: [0] }), maskOf({ a: [0.25], b: [0] })], {
      ...about,
      isSoft: true,
    });
    expect(soft).toMatchObject({ overlap: 0.5, chance: null, chanceWithinTensors: null });
    const empty = maskOf({ a: [0], b: [0] });
    expect(compareMasks([empty, empty], about)).toMatchObject({
      overlap: null,
      chance: null,
      chanceWithinTensors: null,
    });
  });
});
