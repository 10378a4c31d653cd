import { truncate } from 'node:fs/promises';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { decodeImage, type ImageTarget } from '../../../core/data/images.ts';
import { encodePng, type PngOptions, useTempFolder } from '../../helpers/files.ts';

const folder = useTempFolder();

async function decode(content: Uint8Array | string, target: Partial<ImageTarget> = {}): Promise<number[]> {
  await folder.write('image', content);
  const images = { kind: 'image', root: folder.path, paths: ['image'], lines: Int32Array.of(7) } as const;
  return [
    ...(await decodeImage(images, 0, { height: 1, width: 2, resize: 'stretch', channels: 'RGB', ...target })),
  ];
}

const png = (options: Partial<PngOptions> & Pick<PngOptions, 'kind' | 'values'>) =>
  encodePng({ width: 2, height: 1, depth: 8, ...options });

/** A flat picture; JPEG keeps it to about one step. */
const flat = (background: string, width = 2, height = 1) =>
  sharp({ create: { width, height, channels: 3, background } });

function expectNear(values: readonly number[], expected: readonly number[], within = 2): void {
  expect(values).toHaveLength(expected.length);
  values.forEach((value, index) => {
    expect(Math.abs(value - expected[index]!)).toBeLessThanOrEqual(within);
  });
}

describe('decodeImage, PNG', () => {
  const colour = png({ kind: 'RGB', values: [10, 20, 30, 40, 50, 60] });

  it('keeps the pixels of a colour image', async () => {
    await expect(decode(colour)).resolves.toEqual([10, 20, 30, 40, 50, 60]);
  });

  it('turns channels round for BGR', async () => {
    await expect(decode(colour, { channels: 'BGR' })).resolves.toEqual([30, 20, 10, 60, 50, 40]);
  });

  it('mixes colours into grey by ITU-R 601', async () => {
    const mix = (r: number, g: number, b: number) => Math.round(0.299 * r + 0.587 * g + 0.114 * b);
    await expect(decode(colour, { channels: 'grey' })).resolves.toEqual([mix(10, 20, 30), mix(40, 50, 60)]);
  });

  it('copies grey into three channels', async () => {
    const grey = png({ kind: 'grey', values: [7, 200] });
    await expect(decode(grey)).resolves.toEqual([7, 7, 7, 200, 200, 200]);
    await expect(decode(grey, { channels: 'grey' })).resolves.toEqual([7, 200]);
  });

  it('unfolds a palette', async () => {
    const palette = png({ kind: 'palette', values: [1, 0], chunks: [['PLTE', [1, 2, 3, 40, 50, 60]]] });
    await expect(decode(palette)).resolves.toEqual([40, 50, 60, 1, 2, 3]);
  });

  it('lays transparency on black', async () => {
    const half = png({ kind: 'RGBA', values: [200, 100, 50, 255, 200, 100, 50, 0] });
    await expect(decode(half)).resolves.toEqual([200, 100, 50, 0, 0, 0]);
    const grey = png({ kind: 'grey+alpha', values: [200, 51, 200, 255] });
    await expect(decode(grey, { channels: 'grey' })).resolves.toEqual([(200 * 51) / 255, 200]);
    const palette = png({
      kind: 'palette',
      values: [0, 1],
      chunks: [
        ['PLTE', [9, 9, 9, 8, 8, 8]],
        ['tRNS', [0, 255]],
      ],
    });
    await expect(decode(palette)).resolves.toEqual([0, 0, 0, 8, 8, 8]);
  });

  it('keeps 16 bits, in grey and in colour', async () => {
    const grey = png({ kind: 'grey', depth: 16, values: [1, 65534] });
    await expect(decode(grey, { channels: 'grey' })).resolves.toEqual([1, 65534]);
    await expect(decode(grey)).resolves.toEqual([1, 1, 1, 65534, 65534, 65534]);
    const values = [258, 1, 65535, 1000, 2000, 3000];
    await expect(decode(png({ kind: 'RGB', depth: 16, values }))).resolves.toEqual(values);
    const luma = (r: number, g: number, b: number) => Math.round((19595 * r + 38470 * g + 7471 * b) / 65536);
    await expect(decode(png({ kind: 'RGB', depth: 16, values }), { channels: 'grey' })).resolves.toEqual([
      luma(258, 1, 65535),
      luma(1000, 2000, 3000),
    ]);
  });

  it('lays 16-bit transparency on black', async () => {
    const half = png({ kind: 'RGBA', depth: 16, values: [1000, 2000, 3000, 65535, 1000, 2000, 3000, 0] });
    await expect(decode(half)).resolves.toEqual([1000, 2000, 3000, 0, 0, 0]);
  });

  it('resizes to the size asked for', async () => {
    const grey = png({ kind: 'grey', values: [0, 100] });
    const enlarged = await decode(grey, { channels: 'grey', width: 4 });
    expect(enlarged).toEqual([0, 25, 75, 100]);
  });

  it.each([
    ['stretch', [50]],
    ['cover', [50]],
  ] as const)('fits by %s', async (resize, expected) => {
    const grey = png({ kind: 'grey', values: [0, 100] });
    await expect(decode(grey, { channels: 'grey', width: 1, resize })).resolves.toEqual(expected);
  });

  it('pads when it must contain', async () => {
    const grey = png({ kind: 'grey', values: [20, 100] });
    await expect(decode(grey, { channels: 'grey', height: 2, resize: 'contain' })).resolves.toEqual([
      20, 100, 0, 0,
    ]);
  });
});

describe('decodeImage, JPEG', () => {
  it('reads colour', async () => {
    expectNear(
      await decode(await flat('#c86432').jpeg({ quality: 100 }).toBuffer()),
      [200, 100, 50, 200, 100, 50],
    );
  });

  it('reads grey', async () => {
    const grey = await flat('#646464').greyscale().jpeg({ quality: 100 }).toBuffer();
    expectNear(await decode(grey, { channels: 'grey' }), [100, 100]);
  });

  it('turns CMYK into RGB', async () => {
    const cmyk = await flat('#ffffff').toColourspace('cmyk').jpeg({ quality: 100 }).toBuffer();
    expect((await sharp(cmyk).metadata()).space).toBe('cmyk');
    expectNear(await decode(cmyk), new Array<number>(6).fill(255), 4);
  });

  it('ignores the colour profile of an RGB image', async () => {
    const wide = await flat('#00c800')
      .withIccProfile('p3')
      .jpeg({ quality: 100, chromaSubsampling: '4:4:4' })
      .toBuffer();
    const stored = [...(await sharp(wide, { ignoreIcc: true }).raw().toBuffer())];
    await expect(decode(wide)).resolves.toEqual(stored);
    expect([...(await sharp(wide).raw().toBuffer())]).not.toEqual(stored);
  });

  // Four 8 × 8 blocks, A B above C D, of one grey each.
  const blocks = { A: 0, B: 80, C: 160, D: 240 } as const;
  const stored = () =>
    sharp(
      Uint8Array.from({ length: 256 }, (_, index) => {
        const [x, y] = [index % 16, index >> 4];
        return blocks[y < 8 ? (x < 8 ? 'A' : 'B') : x < 8 ? 'C' : 'D'];
      }),
      { raw: { width: 16, height: 16, channels: 1 } },
    );

  it.each([
    [1, 'ABCD'],
    [2, 'BADC'],
    [3, 'DCBA'],
    [4, 'CDAB'],
    [5, 'ACBD'],
    [6, 'CADB'],
    [7, 'DBCA'],
    [8, 'BDAC'],
  ])('turns an image of EXIF orientation %d', async (orientation, corners) => {
    const jpeg = await stored().withMetadata({ orientation }).jpeg({ quality: 100 }).toBuffer();
    const pixels = await decode(jpeg, { height: 16, width: 16, channels: 'grey' });
    const centres = [4 * 16 + 4, 4 * 16 + 12, 12 * 16 + 4, 12 * 16 + 12].map((index) => pixels[index]!);
    expectNear(
      centres,
      [...corners].map((corner) => blocks[corner as keyof typeof blocks]),
    );
  });

  it('swaps width and height before it resizes', async () => {
    // 16 × 8 stored with A left and B right; orientation 6 shows A above B.
    const wide = stored().extract({ left: 0, top: 0, width: 16, height: 8 });
    const jpeg = await wide.withMetadata({ orientation: 6 }).jpeg({ quality: 100 }).toBuffer();
    const pixels = await decode(jpeg, { height: 16, width: 8, channels: 'grey' });
    expectNear([pixels[4 * 8 + 4]!, pixels[12 * 8 + 4]!], [blocks.A, blocks.B]);
  });
});

describe('decodeImage, on a file that it refuses', () => {
  const whole = png({
    kind: 'RGB',
    width: 40,
    height: 40,
    values: Array.from({ length: 4800 }, (_, i) => (i * 37) % 256),
  });
  const place = 'line 7, image "image"';

  it.each<[string, () => Promise<Uint8Array | string> | Uint8Array | string, string]>([
    [
      'a truncated PNG',
      () => whole.subarray(0, whole.length / 2),
      'a whole PNG file, received one that is cut short or damaged',
    ],
    [
      'a PNG with a flipped bit',
      () => whole.map((byte, index) => (index === 300 ? byte ^ 1 : byte)),
      'a whole PNG file, received one that is cut short or damaged',
    ],
    [
      'a PNG of a header only',
      () => whole.subarray(0, 20),
      'a whole PNG file, received one that is cut short or damaged',
    ],
    [
      'a truncated JPEG',
      async () => (await sharp(whole).jpeg().toBuffer()).subarray(0, -200),
      'a whole JPEG file, received one that is cut short or damaged',
    ],
    ['a GIF', () => sharp(whole).gif().toBuffer(), 'a JPEG or PNG file, received GIF'],
    ['a WebP', () => sharp(whole).webp().toBuffer(), 'a JPEG or PNG file, received WebP'],
    ['a TIFF', () => sharp(whole).tiff().toBuffer(), 'a JPEG or PNG file, received TIFF'],
    [
      'an SVG',
      () => '<svg xmlns="http://www.w3.org/2000/svg" width="2" height="1"/>',
      'a JPEG or PNG file, received SVG or other XML',
    ],
    [
      'an AVIF',
      () => Buffer.from('\0\0\0\x1cftypavif', 'latin1'),
      'a JPEG or PNG file, received AVIF or HEIC',
    ],
    ['a DICOM', () => `${'\0'.repeat(128)}DICM`, 'a JPEG or PNG file, received DICOM'],
    ['text', () => 'Not an image', 'a JPEG or PNG file, received a file of another kind'],
    ['nothing', () => '', 'a JPEG or PNG file, received an empty file'],
    ['a bomb', () => bomb(), 'at most 100000000 pixels, received 20000 × 20000'],
  ])('says that it is %s', async (_, make, expected) => {
    await expect(decode(await make())).rejects.toMatchObject({
      name: 'InvalidInputError',
      message: `${place}: expected ${expected}`,
      details: { line: 7, path: 'image' },
    });
  });

  it('keeps what the decoder said as the cause', async () => {
    const error: Error = await decode(whole.subarray(0, 500)).then(
      () => expect.unreachable(),
      (reason) => reason,
    );
    expect(error.cause).toBeInstanceOf(Error);
    expect(error.message).not.toContain(folder.path);
  });

  it('does not read a file that is too large', async () => {
    const bytes = 512 * 2 ** 20 + 1;
    const images = { kind: 'image', root: folder.path, paths: ['large'], lines: Int32Array.of(3) } as const;
    await truncate(await folder.write('large', ''), bytes);
    const target = { height: 1, width: 1, resize: 'stretch', channels: 'RGB' } as const;
    await expect(decodeImage(images, 0, target)).rejects.toThrow(
      `line 3, image "large": expected a file of at most ${bytes - 1} bytes, received one of ${bytes}`,
    );
  });

  it('throws a StorageError when the file has gone', async () => {
    const images = {
      kind: 'image',
      root: folder.path,
      paths: ['gone.png'],
      lines: Int32Array.of(3),
    } as const;
    const target = { height: 1, width: 1, resize: 'stretch', channels: 'RGB' } as const;
    await expect(decodeImage(images, 0, target)).rejects.toMatchObject({
      name: 'StorageError',
      message: 'line 3, image "gone.png": cannot be read (ENOENT)',
    });
  });

  /** A small file that claims 400 million pixels. */
  function bomb(): Buffer {
    const side = 20_000;
    return encodePng({
      width: side,
      height: side,
      depth: 8,
      kind: 'grey',
      values: new Array<number>(side).fill(0),
    });
  }
});
