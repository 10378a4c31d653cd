import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import sharp, { type Metadata } from 'sharp';
import { InvalidInputError, StorageError } from '../errors.ts';
import { quote } from './cells.ts';
import type { Channels, ImageSpec } from './preprocess.ts';
import { systemCode } from './read-json.ts';
import { emptyLike, fitImage, type Pixels, type Raster } from './resample.ts';
import type { ImageList } from './types.ts';

/** Pixels above which an image is refused: a small file can unfold into any size. */
const MAX_PIXELS = 100_000_000;
/** Bytes above which a file is refused. */
const MAX_FILE_BYTES = 512 * 2 ** 20;

/** Weights of red, green and blue in grey: ITU-R 601 in the 16-bit steps of Pillow's `convert("L")`. */
const LUMA = [19595, 38470, 7471] as const;

/** Bytes (as latin-1) that begin the formats that are taken, and those that people bring by mistake. */
const SIGNATURES: readonly (readonly [format: string, offset: number, bytes: string])[] = [
  ['JPEG', 0, '\xff\xd8\xff'],
  ['PNG', 0, '\x89PNG\r\n\x1a\n'],
  ['GIF', 0, 'GIF8'],
  ['WebP', 8, 'WEBP'],
  ['TIFF', 0, 'II*\0'],
  ['TIFF', 0, 'MM\0*'],
  ['BMP', 0, 'BM'],
  ['AVIF or HEIC', 4, 'ftyp'],
  ['PDF', 0, '%PDF'],
  ['SVG or other XML', 0, '<'],
  ['DICOM', 128, 'DICM'],
];
/** Bytes that the signatures look at. */
const SIGNATURE_BYTES = 132;

/** What an image is to be decoded to. */
export type ImageTarget = Pick<ImageSpec, 'height' | 'width' | 'resize' | 'channels'>;

/**
 * Decodes one image of a manifest to the model's size and channels.
 *
 * JPEG or PNG: EXIF orientation applied, transparency laid on black, palettes unfolded, CMYK turned into sRGB,
 * embedded colour profiles of RGB images ignored (as Pillow and tf.image do), grey copied into three channels or
 * three mixed into one (ITU-R 601), 16 bits kept. Resized as `fitImage` says.
 *
 * @param row  index into `images.paths`
 * @returns [height · width · channels] pixel values, row by row; Uint16Array for a 16-bit image
 * @throws InvalidInputError naming line and path when the file is no JPEG or PNG, too large, cut short or damaged
 * @throws StorageError when the file cannot be read
 */
export async function decodeImage(images: ImageList, row: number, target: ImageTarget): Promise<Pixels> {
  return fitToModel((await openImage(images, row)).raster, target);
}

/** An image before it is made to fit a model. */
export interface DecodedImage {
  readonly raster: Raster;
  readonly header: ImageHeader;
}

/** How a file was made, in words. */
interface ImageHeader {
  readonly format: string;
  readonly bits: string;
  readonly colour: string;
  /** Chroma subsampling, progressive or not, with a colour profile or without. */
  readonly encoding: string;
}

/** As `decodeImage`, at the size and depth of the file. */
export async function openImage(images: ImageList, row: number): Promise<DecodedImage> {
  const path = images.paths[row]!;
  const line = images.lines[row]!;
  const place: Place = { line, path, text: `line ${line}, image ${quote(path)}` };
  return decode(await readImage(join(images.root, path), place), place);
}

/** @returns [height · width · channels] pixel values of the model's size and channels */
export function fitToModel(raster: Raster, target: ImageTarget): Pixels {
  return orderChannels(fitImage(toDepth(raster, target.channels), target), target.channels).data;
}

/** Which image a message is about. */
interface Place {
  readonly line: number;
  readonly path: string;
  readonly text: string;
}

async function readImage(file: string, place: Place): Promise<Buffer> {
  try {
    const { size } = await stat(file);
    if (size > MAX_FILE_BYTES) {
      throw unreadable(place, `a file of at most ${MAX_FILE_BYTES} bytes, received one of ${size}`);
    }
    return await readFile(file);
  } catch (cause) {
    if (cause instanceof InvalidInputError) throw cause;
    const { line, path, text } = place;
    throw new StorageError(`${text}: cannot be read (${systemCode(cause)})`, { line, path }, { cause });
  }
}

async function decode(bytes: Buffer, place: Place): Promise<DecodedImage> {
  const format = formatOf(bytes);
  if (format !== 'JPEG' && format !== 'PNG')
    throw unreadable(place, `a JPEG or PNG file, received ${format}`);
  try {
    const header = await sharp(bytes, { limitInputPixels: false }).metadata();
    const pixels = header.width * header.height;
    if (pixels > MAX_PIXELS) {
      throw unreadable(place, `at most ${MAX_PIXELS} pixels, received ${header.width} × ${header.height}`);
    }
    return { raster: await decodePixels(bytes, header), header: describeHeader(format, header) };
  } catch (cause) {
    if (cause instanceof InvalidInputError) throw cause;
    throw unreadable(place, `a whole ${format} file, received one that is cut short or damaged`, cause);
  }
}

function describeHeader(format: string, header: Metadata): ImageHeader {
  const { chromaSubsampling, isProgressive, hasProfile } = header;
  return {
    format,
    bits: header.depth === 'ushort' ? '16' : '8',
    colour: header.space === 'b-w' || header.space === 'grey16' ? 'grey' : 'colour',
    encoding: [
      chromaSubsampling ?? 'no subsampling',
      isProgressive ? 'progressive' : 'baseline',
      hasProfile ? 'colour profile' : 'no colour profile',
    ].join(', '),
  };
}

async function decodePixels(bytes: Buffer, header: Metadata): Promise<Raster> {
  const isGrey = header.space === 'b-w' || header.space === 'grey16';
  const isDeep = header.depth === 'ushort';
  const colours = { 8: ['srgb', 'b-w'], 16: ['rgb16', 'grey16'] } as const;
  const { data, info } = await sharp(bytes, {
    failOn: 'error',
    ignoreIcc: true,
    limitInputPixels: MAX_PIXELS,
  })
    .autoOrient()
    .flatten({ background: '#000' })
    .toColourspace(colours[isDeep ? 16 : 8][isGrey ? 1 : 0])
    .raw({ depth: isDeep ? 'ushort' : 'uchar' })
    .toBuffer({ resolveWithObject: true });
  const { width, height, channels } = info;
  return { width, height, channels, data: isDeep ? asUint16(data) : asUint8(data) };
}

function asUint8(data: Buffer): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.length);
}

function asUint16(data: Buffer): Uint16Array {
  // A copy, since a buffer from a pool may begin at an odd byte.
  return new Uint16Array(new Uint8Array(data).buffer);
}

function toDepth(image: Raster, channels: Channels): Raster {
  const wanted = channels === 'grey' ? 1 : 3;
  if (image.channels === wanted) return image;
  return wanted === 1 ? toGrey(image) : toColour(image);
}

function toGrey({ width, height, data }: Raster): Raster {
  const grey = emptyLike(data, width * height);
  for (let pixel = 0; pixel < grey.length; pixel += 1) {
    const from = pixel * 3;
    const sum = data[from]! * LUMA[0] + data[from + 1]! * LUMA[1] + data[from + 2]! * LUMA[2];
    grey[pixel] = (sum + 0x8000) / 0x10000;
  }
  return { width, height, channels: 1, data: grey };
}

function toColour({ width, height, data }: Raster): Raster {
  const colour = emptyLike(data, width * height * 3);
  for (let pixel = 0; pixel < data.length; pixel += 1) colour.fill(data[pixel]!, pixel * 3, pixel * 3 + 3);
  return { width, height, channels: 3, data: colour };
}

function orderChannels(image: Raster, channels: Channels): Raster {
  if (channels !== 'BGR') return image;
  const data = image.data.slice();
  for (let red = 0; red < data.length; red += 3) {
    data[red] = image.data[red + 2]!;
    data[red + 2] = image.data[red]!;
  }
  return { ...image, data };
}

function formatOf(bytes: Buffer): string {
  if (bytes.length === 0) return 'an empty file';
  const start = bytes.toString('latin1', 0, SIGNATURE_BYTES);
  return (
    SIGNATURES.find(([, offset, magic]) => start.startsWith(magic, offset))?.[0] ?? 'a file of another kind'
  );
}

function unreadable({ line, path, text }: Place, rule: string, cause?: unknown): InvalidInputError {
  return new InvalidInputError(`${text}: expected ${rule}`, { line, path }, { cause });
}
