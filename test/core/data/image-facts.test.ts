import { describe, expect, it } from 'vitest';
import { type ImageFacts, imageFacts, perceptualHash } from '../../../core/data/image-facts.ts';
import { patchesOf } from '../../../core/data/image-patches.ts';
import type { DecodedImage } from '../../../core/data/images.ts';
import { makeRandom } from '../../../worker/random.ts';

const SIDE = 32;
const HEADER = { format: 'PNG', bits: '8', colour: 'colour', encoding: 'baseline' };

/** A picture of one colour at each place. */
function drawn(at: (x: number, y: number) => readonly [number, number, number], side = SIDE): DecodedImage {
  const data = new Uint8Array(side * side * 3);
  for (let y = 0; y < side; y += 1) {
    for (let x = 0; x < side; x += 1) data.set(at(x, y), (y * side + x) * 3);
  }
  return { raster: { width: side, height: side, channels: 3, data }, header: HEADER };
}
const grey = (value: number) => [value, value, value] as const;

describe('imageFacts', () => {
  it('measures brightness, contrast and colours in shares of the largest value', () => {
    const { measures } = imageFacts(drawn((x) => (x % 2 === 0 ? [255, 0, 0] : [0, 0, 0])));
    // luma 0.299 and 0 in turn; red 0.5, green 0, blue 0 on average
    expect(measures.brightness).toBeCloseTo(0.299 / 2, 6);
    expect(measures.contrast).toBeCloseTo(0.299 / 2, 6);
    expect(measures['red against green']).toBeCloseTo(0.5, 6);
    expect(measures['blue against yellow']).toBeCloseTo(-0.25, 6);
  });

  it('measures 16 bits on the same scale', () => {
    const data = new Uint16Array(16).fill(65535 / 5);
    const raster = { width: 4, height: 4, channels: 1, data };
    const facts = imageFacts({ raster, header: { ...HEADER, bits: '16', colour: 'grey' } });
    expect(facts.measures.brightness).toBeCloseTo(0.2, 6);
    expect(facts.traces).toMatchObject({ bits: '16', 'colour mode': 'grey', size: '4 × 4' });
  });

  it('estimates the deviation of noise that was added, and none on a slope', () => {
    const random = makeRandom(3);
    // the sum of twelve uniform numbers less 6 has deviation 1
    const normal = () => Array.from({ length: 12 }, random.next).reduce((sum, value) => sum + value, -6);
    const noisy = imageFacts(drawn(() => grey(Math.round(128 + 10 * normal())), 64)).measures.noise;
    expect(noisy * 255).toBeGreaterThan(9);
    expect(noisy * 255).toBeLessThan(11);
    expect(imageFacts(drawn((x) => grey(x * 4))).measures.noise).toBeCloseTo(0, 6);
  });

  it('calls pictures equal only when every pixel is', () => {
    const one = drawn((x, y) => grey(x + y));
    const other = drawn((x, y) => grey(x + y + (x === 31 && y === 31 ? 1 : 0)));
    expect(imageFacts(one).pixels).toBe(imageFacts(drawn((x, y) => grey(x + y))).pixels);
    expect(imageFacts(one).pixels).not.toBe(imageFacts(other).pixels);
  });

  it('keeps the lowest frequencies: a cosine has one, and all of it', () => {
    const wave = (x: number) => Math.cos((Math.PI * 3 * (2 * x + 1)) / (2 * SIDE));
    const { spectrum } = imageFacts(drawn((x) => grey(Math.round(127.5 + 127.5 * wave(x)))));
    // amplitude 0.5 over 32 × 32 pixels: 0.5 · √(32/2) · √32
    expect(spectrum[3]).toBeCloseTo(0.5 * 4 * Math.sqrt(32), 1);
    const rest = [...spectrum].filter((_, at) => at !== 3 && at !== 0);
    expect(Math.max(...rest.map(Math.abs))).toBeLessThan(0.1);
  });
});

describe('perceptualHash', () => {
  const hashOf = (facts: ImageFacts) => perceptualHash(facts.spectrum);

  it('has half of its 63 bits set, and does not see light or contrast', () => {
    const random = makeRandom(5);
    const shades = Array.from({ length: 64 }, () => random.integer(100));
    const picture = (scale: number, shift: number) =>
      drawn((x, y) => grey(shades[(y >> 2) * 8 + (x >> 2)]! * scale + shift));
    const hash = hashOf(imageFacts(picture(1, 0)));
    const bits = hash.map((word) => [...(word >>> 0).toString(2)].filter((bit) => bit === '1').length);
    expect(bits[0]! + bits[1]!).toBe(31);
    expect(hashOf(imageFacts(picture(2, 40)))).toEqual(hash);
  });
});

describe('patchesOf', () => {
  it('gives back the shades of a picture of large patches', () => {
    const facts = imageFacts(drawn((x, y) => grey(x < 16 && y < 16 ? 255 : 0)));
    const shades = patchesOf(facts.spectrum);
    const middleOf = (column: number, row: number) => shades[row * 16 + column]!;
    expect(middleOf(3, 3)).toBeCloseTo(1, 1);
    expect(middleOf(12, 3)).toBeCloseTo(0, 1);
    expect(middleOf(12, 12)).toBeCloseTo(0, 1);
  });
});
