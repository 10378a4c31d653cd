import { describe, expect, it } from 'vitest';
import { fitImage, type Pixels, type Raster } from '../../../core/data/resample.ts';

function raster(width: number, data: Pixels | readonly number[], channels = 1): Raster {
  const pixels = data instanceof Uint16Array ? data : Uint8Array.from(data);
  return { width, height: pixels.length / width / channels, channels, data: pixels };
}

const stretch = (image: Raster, width: number, height: number) =>
  fitImage(image, { width, height, resize: 'stretch' }).data;

describe('fitImage, stretch', () => {
  it('returns the very pixels of an image of the right size', () => {
    const image = raster(2, [1, 2, 3, 4]);
    expect(stretch(image, 2, 2)).toBe(image.data);
  });

  it('weights a halved axis 1, 3, 3, 1 and cuts the kernel at the edge', () => {
    // Two pixels wide, the triangle reaches 2 pixels from each centre (1 and 3).
    const [a, b, c, d] = [10, 50, 90, 250];
    const left = (0.75 * a + 0.75 * b + 0.25 * c) / 1.75;
    const right = (0.25 * b + 0.75 * c + 0.75 * d) / 1.75;
    expect([...stretch(raster(4, [a, b, c, d]), 2, 1)]).toEqual([Math.round(left), Math.round(right)]);
  });

  it('interpolates between centres when it enlarges', () => {
    // Output centres lie at 0.25, 0.75, 1.25, 1.75; input centres at 0.5 and 1.5.
    const expected = [0, 0.75 * 0 + 0.25 * 100, 0.25 * 0 + 0.75 * 100, 100];
    expect([...stretch(raster(2, [0, 100]), 4, 1)]).toEqual(expected);
  });

  it('treats rows as columns, and each channel by itself', () => {
    const image = raster(1, [0, 200, 100, 0], 2); // two rows of two channels
    expect([...stretch(image, 1, 4)]).toEqual([0, 200, 25, 150, 75, 50, 100, 0]);
  });

  it('rounds halves up after each axis, columns first', () => {
    // Rows become 0.5 → 1 and 2.5 → 3, their mean is 2; in one step it would be 1.5.
    expect([...stretch(raster(2, [0, 1, 2, 3]), 1, 1)]).toEqual([2]);
  });

  it.each([
    ['8', Uint8Array.from({ length: 3000 }, () => 255)],
    ['16', Uint16Array.from({ length: 3000 }, () => 65535)],
  ])('keeps a flat white of %s bits white through a great shrink', (_, white) => {
    const image: Raster = { width: 3000, height: 1, channels: 1, data: white };
    expect([...stretch(image, 7, 1)]).toEqual(new Array(7).fill(white[0]));
  });

  it('keeps the steps of 16 bits', () => {
    expect([...stretch(raster(2, Uint16Array.of(1000, 1002)), 1, 1)]).toEqual([1001]);
  });
});

describe('fitImage, cover', () => {
  it('cuts off what sticks out on both sides', () => {
    const image = raster(4, [9, 1, 2, 9, 9, 3, 4, 9]);
    expect([...fitImage(image, { width: 2, height: 2, resize: 'cover' }).data]).toEqual([1, 2, 3, 4]);
  });

  it('cuts off above and below', () => {
    const image = raster(2, [9, 9, 1, 2, 3, 4, 9, 9]);
    expect([...fitImage(image, { width: 2, height: 2, resize: 'cover' }).data]).toEqual([1, 2, 3, 4]);
  });

  it('enlarges the part that it keeps', () => {
    // Of 1 × 2 pixels, the middle 1 × 1 from 0.5 to 1.5 covers a square; its centre weighs both pixels alike.
    expect([...fitImage(raster(1, [0, 100]), { width: 1, height: 1, resize: 'cover' }).data]).toEqual([50]);
  });
});

describe('fitImage, contain', () => {
  it('pads with black left and right, the odd pixel to the right', () => {
    const image = raster(1, [5, 6]);
    expect([...fitImage(image, { width: 4, height: 2, resize: 'contain' }).data]).toEqual([
      0, 5, 0, 0, 0, 6, 0, 0,
    ]);
  });

  it('pads above and below', () => {
    const { data, width, height } = fitImage(raster(2, [5, 6]), { width: 2, height: 4, resize: 'contain' });
    expect({ width, height }).toEqual({ width: 2, height: 4 });
    expect([...data]).toEqual([0, 0, 5, 6, 0, 0, 0, 0]);
  });

  it('pads nothing when the shape is the same', () => {
    expect([...fitImage(raster(1, [7]), { width: 2, height: 2, resize: 'contain' }).data]).toEqual([
      7, 7, 7, 7,
    ]);
  });

  it('leaves at least one pixel of a sliver', () => {
    const sliver = raster(100, new Array<number>(100).fill(8));
    const { data } = fitImage(sliver, { width: 4, height: 3, resize: 'contain' });
    expect([...data]).toEqual([0, 0, 0, 0, 8, 8, 8, 8, 0, 0, 0, 0]);
  });

  it('keeps 16 bits and several channels', () => {
    const image = raster(1, Uint16Array.of(300, 301, 302), 3);
    expect(fitImage(image, { width: 2, height: 1, resize: 'contain' }).data).toEqual(
      Uint16Array.of(300, 301, 302, 0, 0, 0),
    );
  });
});
