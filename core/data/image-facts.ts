import { createHash } from 'node:crypto';
import type { DecodedImage } from './images.ts';
import { fitImage, type Raster } from './resample.ts';

/** Side of the grey picture that hash and detail are made of. */
const SIDE = 32;
/** Frequencies a side that are kept of it. */
export const FREQUENCIES = 16;
/** Frequencies a side that the hash is made of. */
const HASHED = 8;
/** Side in pixels of the part, in the middle and not resampled, that sharpness and noise are measured on. */
const PATCH = 512;

/** ITU-R 601 */
const LUMA = [0.299, 0.587, 0.114] as const;

/** What is measured of a picture, each a number that rows can be ranked by. */
export const IMAGE_MEASURES = [
  'brightness',
  'contrast',
  'red against green',
  'blue against yellow',
  'sharpness',
  'noise',
] as const;
type ImageMeasure = (typeof IMAGE_MEASURES)[number];

/** How a file was made, as far as it shows: each a text that rows can be counted by. */
export const IMAGE_TRACES = ['file format', 'bits', 'colour mode', 'size', 'encoding'] as const;
type ImageTrace = (typeof IMAGE_TRACES)[number];

/** What a check needs to know of a picture; no pixel can be read back from it. */
export interface ImageFacts {
  readonly traces: Readonly<Record<ImageTrace, string>>;
  readonly measures: Readonly<Record<ImageMeasure, number>>;
  /** SHA-256 over size and pixels: the same for two pictures only when they look the same to the last pixel. */
  readonly pixels: string;
  /** [16 · 16] lowest frequencies of the grey picture, by DCT-II of 32 × 32 pixels in [0, 1]. */
  readonly spectrum: Float32Array;
}

/** Measures a picture as it was decoded, before it is made to fit a model. */
export function imageFacts({ raster, header }: DecodedImage): ImageFacts {
  const grey = greyOf(raster);
  const small = fitImage(asRaster(grey, raster), { width: SIDE, height: SIDE, resize: 'stretch' });
  const detail = detailOf(grey, raster);
  const [red, green, blue] = channelMeans(raster);
  return {
    traces: {
      'file format': header.format,
      bits: header.bits,
      'colour mode': header.colour,
      size: `${raster.width} × ${raster.height}`,
      encoding: header.encoding,
    },
    measures: {
      ...spreadOf(grey),
      'red against green': red - green,
      'blue against yellow': blue - (red + green) / 2,
      ...detail,
    },
    pixels: hashPixels(raster),
    spectrum: cosineTransform(Float64Array.from(small.data, (value) => value / 65535)),
  };
}

/**
 * Perceptual hash (pHash, Zauner 2010): one bit for each of the 8 × 8 lowest frequencies but the first, whether it is
 * above their median.
 *
 * @returns two words of 32 bits
 */
export function perceptualHash(spectrum: Float32Array): [number, number] {
  const values: number[] = [];
  for (let v = 0; v < HASHED; v += 1) {
    for (let u = 0; u < HASHED; u += 1) values.push(spectrum[v * FREQUENCIES + u]!);
  }
  const ordered = values.slice(1).sort((a, b) => a - b);
  const median = ordered[(ordered.length - 1) / 2]!;
  const words: [number, number] = [0, 0];
  values.forEach((value, bit) => {
    if (bit > 0 && value > median) words[bit >> 5]! |= 1 << (bit & 31);
  });
  return words;
}

function hashPixels({ width, height, channels, data }: Raster): string {
  const hash = createHash('sha256').update(`${width} ${height} ${channels} ${data.BYTES_PER_ELEMENT} `);
  return hash.update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength)).digest('base64');
}

/** [height · width] in [0, 1] */
function greyOf({ width, height, channels, data }: Raster): Float32Array {
  const most = data instanceof Uint16Array ? 65535 : 255;
  const grey = new Float32Array(width * height);
  for (let pixel = 0; pixel < grey.length; pixel += 1) {
    const at = pixel * channels;
    grey[pixel] =
      channels === 1
        ? data[at]! / most
        : (data[at]! * LUMA[0] + data[at + 1]! * LUMA[1] + data[at + 2]! * LUMA[2]) / most;
  }
  return grey;
}

function asRaster(grey: Float32Array, { width, height }: Raster): Raster {
  const data = new Uint16Array(grey.length);
  for (let at = 0; at < data.length; at += 1) data[at] = Math.round(grey[at]! * 65535);
  return { width, height, channels: 1, data };
}

/** Mean of each channel in [0, 1]; a grey picture has one for all three. */
function channelMeans({ channels, data }: Raster): [number, number, number] {
  const sums = [0, 0, 0];
  for (let at = 0; at < data.length; at += 1) sums[at % channels]! += data[at]!;
  const scale = channels / data.length / (data instanceof Uint16Array ? 65535 : 255);
  return [0, 1, 2].map((channel) => sums[Math.min(channel, channels - 1)]! * scale) as [
    number,
    number,
    number,
  ];
}

function spreadOf(grey: Float32Array): Pick<ImageFacts['measures'], 'brightness' | 'contrast'> {
  let [sum, squares] = [0, 0];
  for (const value of grey) {
    sum += value;
    squares += value * value;
  }
  const brightness = sum / grey.length;
  return { brightness, contrast: Math.sqrt(Math.max(0, squares / grey.length - brightness ** 2)) };
}

/**
 * Sharpness: mean size of the Laplacian, in shares of the contrast there. Noise: the standard deviation that Immerkær
 * (1996) estimates, √(π/2) · mean |N * I| / 6 with N the difference of two Laplacians, which edges hardly move.
 */
function detailOf(
  grey: Float32Array,
  { width, height }: Raster,
): Pick<ImageFacts['measures'], 'sharpness' | 'noise'> {
  const [left, top] = [Math.max(0, (width - PATCH) >> 1), Math.max(0, (height - PATCH) >> 1)];
  const [right, bottom] = [Math.min(width, left + PATCH), Math.min(height, top + PATCH)];
  let [edges, noise, sum, squares, count] = [0, 0, 0, 0, 0];
  for (let y = top + 1; y < bottom - 1; y += 1) {
    for (let x = left + 1; x < right - 1; x += 1) {
      const at = y * width + x;
      const centre = grey[at]!;
      const sides = grey[at - 1]! + grey[at + 1]! + grey[at - width]! + grey[at + width]!;
      const corners =
        grey[at - width - 1]! + grey[at - width + 1]! + grey[at + width - 1]! + grey[at + width + 1]!;
      edges += Math.abs(sides - 4 * centre);
      noise += Math.abs(corners - 2 * sides + 4 * centre);
      sum += centre;
      squares += centre * centre;
      count += 1;
    }
  }
  if (count === 0) return { sharpness: 0, noise: 0 };
  const contrast = Math.sqrt(Math.max(0, squares / count - (sum / count) ** 2));
  return {
    sharpness: contrast === 0 ? 0 : edges / count / contrast,
    noise: (Math.sqrt(Math.PI / 2) * noise) / count / 6,
  };
}

/** [frequency · pixel] of an orthonormal DCT-II. */
const COSINES = Float64Array.from({ length: FREQUENCIES * SIDE }, (_, index) => {
  const [frequency, pixel] = [Math.floor(index / SIDE), index % SIDE];
  const scale = Math.sqrt((frequency === 0 ? 1 : 2) / SIDE);
  return scale * Math.cos((Math.PI * frequency * (2 * pixel + 1)) / (2 * SIDE));
});

/** [32 · 32] pixels → [16 · 16] lowest frequencies, vertical by horizontal */
function cosineTransform(pixels: Float64Array): Float32Array {
  const across = new Float64Array(SIDE * FREQUENCIES); // [32, 16]
  for (let y = 0; y < SIDE; y += 1) {
    for (let u = 0; u < FREQUENCIES; u += 1) {
      let sum = 0;
      for (let x = 0; x < SIDE; x += 1) sum += COSINES[u * SIDE + x]! * pixels[y * SIDE + x]!;
      across[y * FREQUENCIES + u] = sum;
    }
  }
  const spectrum = new Float32Array(FREQUENCIES * FREQUENCIES);
  for (let v = 0; v < FREQUENCIES; v += 1) {
    for (let u = 0; u < FREQUENCIES; u += 1) {
      let sum = 0;
      for (let y = 0; y < SIDE; y += 1) sum += COSINES[v * SIDE + y]! * across[y * FREQUENCIES + u]!;
      spectrum[v * FREQUENCIES + u] = sum;
    }
  }
  return spectrum;
}
