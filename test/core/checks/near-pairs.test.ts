import { describe, expect, it } from 'vitest';
import { nearPairs } from '../../../core/checks/near-pairs.ts';
import { type ImageFacts, imageFacts } from '../../../core/data/image-facts.ts';
import { makeRandom } from '../../../worker/random.ts';

const SIDE = 32;
const HEADER = { format: 'PNG', bits: '8', colour: 'grey', encoding: 'baseline' };

type Shade = (x: number, y: number) => number;
const factsOf = (shade: Shade): ImageFacts => {
  const data = Uint8Array.from({ length: SIDE * SIDE }, (_, at) => shade(at % SIDE, Math.floor(at / SIDE)));
  return imageFacts({ raster: { width: SIDE, height: SIDE, channels: 1, data }, header: HEADER });
};
/** 8 × 8 patches of random shade. */
const patchwork = (seed: number): Shade => {
  const random = makeRandom(seed);
  const shades = Array.from({ length: 64 }, () => 50 + random.integer(150));
  return (x, y) => shades[(y >> 2) * 8 + (x >> 2)]!;
};
const last = SIDE - 1;
const TURNS: Readonly<Record<string, (of: Shade) => Shade>> = {
  'as it is': (of) => of,
  'mirrored left to right': (of) => (x, y) => of(last - x, y),
  'mirrored top to bottom': (of) => (x, y) => of(x, last - y),
  'turned by 180°': (of) => (x, y) => of(last - x, last - y),
  transposed: (of) => (x, y) => of(y, x),
  'turned to the right': (of) => (x, y) => of(y, last - x),
  'turned to the left': (of) => (x, y) => of(last - y, x),
  'transposed the other way': (of) => (x, y) => of(last - y, last - x),
};

describe('nearPairs', () => {
  const others = Array.from({ length: 12 }, (_, seed) => factsOf(patchwork(seed)));

  it('are none among pictures drawn apart', async () => {
    expect(await nearPairs(others)).toEqual([]);
  });

  it.each(Object.entries(TURNS))('find a picture %s, brighter and with a little noise', async (_, turn) => {
    const random = makeRandom(99);
    const copy = factsOf((x, y) => turn(patchwork(3))(x, y) * 1.1 + random.integer(8));
    expect(await nearPairs([...others, copy])).toEqual([{ first: 3, second: others.length }]);
  });

  it('are none where all pictures of the set are alike: a pair must stand out', async () => {
    const alike = Array.from({ length: 12 }, (_, seed) => {
      const random = makeRandom(seed);
      return factsOf((x, y) => patchwork(1)(x, y) + random.integer(12));
    });
    expect(await nearPairs(alike)).toEqual([]);
  });

  it('leave out nulls, and stop when told to', async () => {
    expect(await nearPairs([others[0]!, null, others[0]!])).toEqual([{ first: 0, second: 2 }]);
    const many = Array.from({ length: 80 }, () => others[0]!);
    await expect(nearPairs(many, AbortSignal.abort())).rejects.toThrow('checking was stopped');
  });
});
