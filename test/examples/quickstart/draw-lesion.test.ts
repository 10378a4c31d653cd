import { describe, expect, it } from 'vitest';
import type { Signs } from '../../../examples/quickstart/draw-lesion.ts';
import { drawLesion, normal, SIDE } from '../../../examples/quickstart/draw-lesion.ts';
import { makeRandom } from '../../../worker/random.ts';

const AVERAGE: Signs = { irregularity: 0, asymmetry: 0, darkness: 0, variety: 0 };

/** Mean brightness of the middle eighth, where every lesion is. */
function centreOf(pixels: Uint8Array): number {
  const values = Array.from(pixels).filter((_, at) => {
    const place = Math.floor(at / 3);
    return [place % SIDE, Math.floor(place / SIDE)].every((axis) => Math.abs(axis - SIDE / 2) < SIDE / 16);
  });
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

describe('drawLesion', () => {
  it('draws the same bytes from the same seed and others from another', () => {
    const draw = (seed: number) => drawLesion({ signs: AVERAGE, isMarked: true }, makeRandom(seed));

    expect(draw(3)).toHaveLength(SIDE * SIDE * 3);
    expect(draw(3)).toEqual(draw(3));
    expect(draw(3)).not.toEqual(draw(4));
  });

  it('changes pixels of one corner only when ink is added', () => {
    for (const seed of [0, 1, 2, 3, 4, 5, 6, 7]) {
      const [plain, marked] = [false, true].map((isMarked) =>
        drawLesion({ signs: AVERAGE, isMarked }, makeRandom(seed)),
      );

      const changed = Array.from(plain!.keys()).filter((at) => plain![at] !== marked![at]);
      const places = changed.map((at) => Math.floor(at / 3));
      const corners = new Set(
        places.map((place) => `${place % SIDE < SIDE / 2}/${Math.floor(place / SIDE) < SIDE / 2}`),
      );

      expect(changed.length).toBeGreaterThan(30);
      expect(corners.size).toBe(1);
    }
  });

  it('draws a darker lesion with more darkness', () => {
    for (const seed of [0, 1, 2, 3]) {
      const [pale, dark] = [-2, 2].map((darkness) =>
        drawLesion({ signs: { ...AVERAGE, darkness }, isMarked: false }, makeRandom(seed)),
      );

      expect(centreOf(dark!)).toBeLessThan(centreOf(pale!));
    }
  });
});

describe('normal', () => {
  it('has mean 0 and variance 1', () => {
    const random = makeRandom(0);
    const draws = Array.from({ length: 10_000 }, () => normal(random));
    const mean = draws.reduce((sum, draw) => sum + draw, 0) / draws.length;
    const variance = draws.reduce((sum, draw) => sum + (draw - mean) ** 2, 0) / draws.length;

    expect(Math.abs(mean)).toBeLessThan(4 * Math.sqrt(1 / draws.length));
    expect(Math.abs(variance - 1)).toBeLessThan(4 * Math.sqrt(2 / draws.length));
  });
});
