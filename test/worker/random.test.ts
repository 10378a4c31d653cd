import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { makeRandom } from '../../worker/random.ts';

const draws = (seed: number, count = 20) => {
  const random = makeRandom(seed);
  return Array.from({ length: count }, () => random.next());
};

describe('makeRandom', () => {
  test('repeats from the same seed and differs from another', () => {
    expect(draws(1)).toEqual(draws(1));
    expect(draws(2)).not.toEqual(draws(1));
  });

  test('takes negative seeds and seeds beyond 32 bits by their low bits', () => {
    expect(draws(-1)).toEqual(draws(2 ** 32 - 1));
    expect(draws(0)).not.toEqual(draws(-1));
  });

  test('draws evenly from [0, 1)', () => {
    const values = draws(3, 4000);
    expect(values.every((value) => value >= 0 && value < 1)).toBe(true);
    const tenths = Array.from(
      { length: 10 },
      (_, k) => values.filter((v) => Math.floor(v * 10) === k).length,
    );
    for (const count of tenths) expect(Math.abs(count - 400)).toBeLessThan(5 * Math.sqrt(400 * 0.9));
  });

  test('draws integers below the limit, all of them', () => {
    const random = makeRandom(4);
    const drawn = new Set(Array.from({ length: 200 }, () => random.integer(6)));
    expect([...drawn].sort()).toEqual([0, 1, 2, 3, 4, 5]);
    expect(random.integer(1)).toBe(0);
  });

  test('shuffles into a permutation and leaves its argument alone', () => {
    fc.assert(
      fc.property(fc.array(fc.integer(), { maxLength: 40 }), fc.integer(), (values, seed) => {
        const before = [...values];
        const shuffled = makeRandom(seed).shuffle(values);
        expect(values).toEqual(before);
        const ascending = (list: number[]) => [...list].sort((a, b) => a - b);
        expect(ascending(shuffled)).toEqual(ascending(values));
      }),
      { seed: 1 },
    );
  });

  test('shuffles every place to every place', () => {
    const random = makeRandom(5);
    const seen = new Set(Array.from({ length: 200 }, () => random.shuffle([0, 1, 2]).join()));
    expect(seen.size).toBe(6);
  });

  test('shuffles typed arrays too', () => {
    expect(
      makeRandom(6)
        .shuffle(Int32Array.of(1, 2, 3))
        .sort(),
    ).toEqual([1, 2, 3]);
  });

  describe('a fork', () => {
    test('is the same for the same purpose however much was drawn before', () => {
      const [fresh, used] = [makeRandom(7), makeRandom(7)];
      for (let drawn = 0; drawn < 10; drawn += 1) used.next();
      expect(used.fork('split').next()).toBe(fresh.fork('split').next());
    });

    test('does not draw from its source', () => {
      const [forked, plain] = [makeRandom(8), makeRandom(8)];
      forked.fork('split').next();
      expect(forked.next()).toBe(plain.next());
    });

    test('differs by purpose, by seed and from its source', () => {
      const firsts = [
        makeRandom(9).next(),
        makeRandom(9).fork('a').next(),
        makeRandom(9).fork('b').next(),
        makeRandom(10).fork('a').next(),
        makeRandom(9).fork('a').fork('a').next(),
      ];
      expect(new Set(firsts).size).toBe(firsts.length);
    });
  });
});
