import { tensor } from '@tensorflow/tfjs-core';
import { InterruptedError, InvalidInputError, isCounterweightError, ShapeMismatchError } from '../errors.ts';
import { plural } from './cells.ts';
import { type DecodedImage, fitToModel, openImage } from './images.ts';
import {
  featureWidth,
  type ImageSpec,
  type InputSpec,
  sampleShape,
  type TableFeature,
  type TableSpec,
} from './preprocess.ts';
import type { Pixels } from './resample.ts';
import type { FeatureTable, ImageList, InputSource, Manifest } from './types.ts';

/** Bytes of decoded pixels that are kept. */
const CACHE_BYTES = 512 * 2 ** 20;
/** Images that are decoded at once; each may hold its full-size pixels meanwhile. */
const CONCURRENCY = 4;
/** Bad files that one message lists. */
const MAX_LISTED = 5;

export interface ImageInputOptions {
  readonly cacheBytes?: number;
  readonly concurrency?: number;
  /** Called after each image that was decoded, with how many were so far. */
  readonly onDecoded?: (count: number) => void;
  /** Called with each image that was decoded, before it is made to fit; more than once where it is not kept. */
  readonly onImage?: ((row: number, image: DecodedImage) => void) | undefined;
  /** Stops `batch` and `verify` with an InterruptedError. */
  readonly signal?: AbortSignal;
}

/**
 * Images of a manifest as model inputs, x = (pixel · scale − mean) / std with pixel in [0, 255] (a 16-bit value
 * counts as value / 257). Decoded when first asked for; decoded pixels are kept while they fit into the cache.
 *
 * @throws InvalidInputError when manifest and spec are not both of images
 */
export function openImageInputs(
  manifest: Manifest,
  spec: InputSpec,
  options: ImageInputOptions = {},
): InputSource {
  const { input } = manifest;
  if (input.kind !== 'image' || spec.kind !== 'image') throw wrongKind(input.kind, spec.kind);
  const { concurrency = CONCURRENCY, signal } = options;
  const size = manifest.size;
  const pixelsOf = makePixelSource(input, spec, options);
  const shape = sampleShape(spec);
  const length = shape.reduce((product, side) => product * side, 1);
  return {
    size,
    sampleShape: shape,
    async batch(rows) {
      const order = checkRows(rows, size);
      const decoded = new Map<number, Pixels>();
      await forEachBounded([...new Set(order)], concurrency, async (row) => {
        throwIfStopped(signal);
        decoded.set(row, await pixelsOf(row));
      });
      const values = new Float32Array(order.length * length);
      order.forEach((row, index) => {
        writeImage(decoded.get(row)!, spec, values.subarray(index * length, (index + 1) * length));
      });
      return tensor(values, [order.length, ...shape], 'float32'); // [B, H, W, C] or [B, C, H, W]
    },
    async verify(rows, { onProgress } = {}) {
      const problems = new Map<number, string>();
      let done = 0;
      await forEachBounded(checkRows(rows, size), concurrency, async (row) => {
        throwIfStopped(signal);
        await pixelsOf(row).catch((error: unknown) => {
          if (!isCounterweightError(error)) throw error;
          problems.set(row, error.message);
        });
        done += 1;
        onProgress?.(done, rows.length);
      });
      if (problems.size > 0) throw badImages(problems, rows.length);
    },
  };
}

/**
 * Feature values of a manifest as model inputs: numbers as (value − mean) / std, categories one-hot.
 *
 * @throws InvalidInputError when manifest and spec are not both of tables
 * @throws ShapeMismatchError when the manifest was read for other features
 */
export function openTableInputs(manifest: Manifest, spec: InputSpec): InputSource {
  const { input, size } = manifest;
  if (input.kind !== 'table' || spec.kind !== 'table') throw wrongKind(input.kind, spec.kind);
  checkFeatures(input, spec);
  const { features, width } = spec;
  return {
    size,
    sampleShape: [width],
    async batch(rows) {
      const order = checkRows(rows, size);
      const values = new Float32Array(order.length * width);
      order.forEach((row, index) => {
        const cells = input.values.subarray(row * features.length, (row + 1) * features.length);
        writeFeatures(cells, features, values.subarray(index * width, (index + 1) * width));
      });
      return tensor(values, [order.length, width], 'float32'); // [B, F]
    },
    verify: async () => {}, // every cell was checked as it was read
  };
}

function makePixelSource(images: ImageList, spec: ImageSpec, options: ImageInputOptions) {
  const { cacheBytes = CACHE_BYTES, onDecoded, onImage } = options;
  const cache = new Map<number, Pixels>();
  let used = 0;
  let decoded = 0;
  return async (row: number): Promise<Pixels> => {
    const kept = cache.get(row);
    if (kept !== undefined) return kept;
    const image = await openImage(images, row);
    const pixels = fitToModel(image.raster, spec);
    onImage?.(row, image);
    decoded += 1;
    onDecoded?.(decoded);
    // Nothing is pushed out: under a shuffled order, rows that stay serve as many hits as any other choice.
    if (!cache.has(row) && used + pixels.byteLength <= cacheBytes) {
      cache.set(row, pixels);
      used += pixels.byteLength;
    }
    return pixels;
  };
}

function writeImage(pixels: Pixels, spec: ImageSpec, into: Float32Array): void {
  const { height, width, layout, scale, mean, std } = spec;
  const depth = mean.length;
  const [pixelStep, channelStep] = layout === 'NHWC' ? [depth, 1] : [1, height * width];
  const divisor = pixels instanceof Uint16Array ? 257 : 1;
  for (let channel = 0; channel < depth; channel += 1) {
    let to = channel * channelStep;
    for (let from = channel; from < pixels.length; from += depth) {
      into[to] = ((pixels[from]! / divisor) * scale - mean[channel]!) / std[channel]!;
      to += pixelStep;
    }
  }
}

function writeFeatures(cells: Float64Array, features: readonly TableFeature[], into: Float32Array): void {
  let to = 0;
  features.forEach((feature, index) => {
    const value = cells[index]!;
    if ('categories' in feature) {
      if (value >= 0) into[to + value] = 1;
    } else {
      into[to] = (value - feature.mean) / feature.std;
    }
    to += featureWidth(feature);
  });
}

/** Runs `task` for each row, at most `limit` at once; the first failure stops the rest and is thrown at the end. */
async function forEachBounded(rows: readonly number[], limit: number, task: (row: number) => Promise<void>) {
  const queue = rows.values();
  let hasFailed = false;
  const work = async () => {
    for (const row of queue) {
      if (hasFailed) return;
      await task(row).catch((error: unknown) => {
        hasFailed = true;
        throw error;
      });
    }
  };
  const results = await Promise.allSettled(Array.from({ length: limit }, work));
  for (const result of results) if (result.status === 'rejected') throw result.reason;
}

function throwIfStopped(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new InterruptedError('reading images was stopped', {}, { cause: signal.reason });
}

function checkRows(rows: ArrayLike<number>, size: number): number[] {
  const order = Array.from(rows);
  const wrong = order.find((row) => !Number.isInteger(row) || row < 0 || row >= size);
  if (wrong !== undefined) {
    throw new InvalidInputError(`batch: expected rows from 0 to ${size - 1}, received ${wrong}`, {
      row: wrong,
      size,
    });
  }
  return order;
}

function checkFeatures(input: FeatureTable, { features }: TableSpec): void {
  const wanted = features.map(({ column }) => column);
  if (wanted.join('\0') === input.columns.join('\0')) return;
  throw new ShapeMismatchError(
    `inputs: expected the manifest's features to be those of the preprocess (${wanted.length}, in order), ` +
      `received ${input.columns.length}`,
    { where: 'inputs', expected: wanted, received: input.columns },
  );
}

function wrongKind(manifest: string, model: string): InvalidInputError {
  return new InvalidInputError(
    `inputs: expected manifest and preprocess of one kind, received ${manifest} rows for ${model} inputs`,
    { manifest, model },
  );
}

function badImages(problems: ReadonlyMap<number, string>, size: number): InvalidInputError {
  const rows = [...problems.keys()].sort((a, b) => a - b);
  const listed = rows.slice(0, MAX_LISTED).map((row) => problems.get(row)!);
  const left = rows.length - listed.length;
  return new InvalidInputError(
    `${rows.length} of ${plural(size, 'image')} cannot be used: ${listed.join('; ')}${left > 0 ? `; and ${left} more` : ''}`,
    { rows, size },
  );
}
