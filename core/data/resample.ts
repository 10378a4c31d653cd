import type { ImageSpec } from './preprocess.ts';

export type Pixels = Uint8Array | Uint16Array;

/** Decoded pixels, row by row, channels interleaved. */
export interface Raster {
  readonly width: number;
  readonly height: number;
  readonly channels: number;
  /** [height · width · channels] in [0, 255], or [0, 65535] for a 16-bit image */
  readonly data: Pixels;
}

/** A stretch of source pixels along one axis, in pixels, edges included. */
interface Span {
  readonly start: number;
  readonly end: number;
}

/** Weights of one output pixel over the input pixels from `first` on; they add up to 1. */
interface Taps {
  readonly first: number;
  readonly weights: readonly number[];
}

/**
 * Steps in 1 that weights are rounded to. For 8 bits those of Pillow, which makes results equal to the bit; for
 * 16 bits so fine that the weights' sum cannot lift the largest value over the edge.
 */
const STEPS = { 8: 2 ** 22, 16: 2 ** 46 } as const;

/**
 * Fits an image to the model's size. The pixels of an image that has that size already stay as they are.
 *
 * Bilinear with antialiasing, as Pillow's BILINEAR and torchvision's Resize: the triangle kernel is as wide as the
 * shrink factor, and each axis is rounded to whole pixel values. `cover` takes the largest centred part of the
 * right shape; `contain` pads with black.
 *
 * @returns a raster of `height` × `width`
 */
export function fitImage(
  image: Raster,
  { height, width, resize }: Pick<ImageSpec, 'height' | 'width' | 'resize'>,
): Raster {
  if (resize === 'cover') {
    const scale = Math.max(width / image.width, height / image.height);
    const x = centred(image.width, width / scale);
    return resample(image, { x, y: centred(image.height, height / scale), width, height });
  }
  const whole = { x: { start: 0, end: image.width }, y: { start: 0, end: image.height } };
  if (resize === 'stretch') return resample(image, { ...whole, width, height });
  const scale = Math.min(width / image.width, height / image.height);
  const inner = {
    width: Math.min(width, Math.max(1, Math.round(image.width * scale))),
    height: Math.min(height, Math.max(1, Math.round(image.height * scale))),
  };
  return pad(resample(image, { ...whole, ...inner }), width, height);
}

function centred(size: number, part: number): Span {
  const start = Math.max(0, (size - part) / 2);
  return { start, end: size - start };
}

interface Target {
  readonly x: Span;
  readonly y: Span;
  readonly width: number;
  readonly height: number;
}

function resample(image: Raster, { x, y, width, height }: Target): Raster {
  const steps = image.data instanceof Uint16Array ? STEPS[16] : STEPS[8];
  const across = resampleRows(image, { span: x, size: image.width, target: width, steps });
  return resampleColumns(across, { span: y, size: image.height, target: height, steps });
}

/** One axis: which part of its `size` input pixels become `target` output pixels. */
interface Axis {
  readonly span: Span;
  readonly size: number;
  readonly target: number;
  readonly steps: number;
}

function isIdentity({ span, size, target }: Axis): boolean {
  return span.start === 0 && span.end === size && size === target;
}

function makeTaps({ span, size, target, steps }: Axis): Taps[] {
  const scale = (span.end - span.start) / target;
  const support = Math.max(scale, 1);
  return Array.from({ length: target }, (_, index) => {
    const center = span.start + (index + 0.5) * scale;
    const first = Math.max(0, Math.trunc(center - support + 0.5));
    const last = Math.min(size, Math.trunc(center + support + 0.5));
    const raw = Array.from({ length: last - first }, (_, tap) =>
      Math.max(0, 1 - Math.abs((first + tap - center + 0.5) / support)),
    );
    const total = raw.reduce((sum, weight) => sum + weight, 0);
    return { first, weights: raw.map((weight) => Math.round((weight / total) * steps) / steps) };
  });
}

function resampleRows(image: Raster, axis: Axis): Raster {
  if (isIdentity(axis)) return image;
  const { width, height, channels, data } = image;
  const taps = makeTaps(axis);
  const result = emptyLike(data, taps.length * height * channels);
  let to = 0;
  for (let y = 0; y < height; y += 1) {
    for (const { first, weights } of taps) {
      for (let channel = 0; channel < channels; channel += 1) {
        let sum = 0.5;
        let from = (y * width + first) * channels + channel;
        for (let tap = 0; tap < weights.length; tap += 1, from += channels)
          sum += data[from]! * weights[tap]!;
        result[to] = sum;
        to += 1;
      }
    }
  }
  return { width: taps.length, height, channels, data: result };
}

function resampleColumns(image: Raster, axis: Axis): Raster {
  if (isIdentity(axis)) return image;
  const { width, channels, data } = image;
  const taps = makeTaps(axis);
  const stride = width * channels;
  const result = emptyLike(data, taps.length * stride);
  let to = 0;
  for (const { first, weights } of taps) {
    for (let column = 0; column < stride; column += 1) {
      let sum = 0.5;
      let from = first * stride + column;
      for (let tap = 0; tap < weights.length; tap += 1, from += stride) sum += data[from]! * weights[tap]!;
      result[to] = sum;
      to += 1;
    }
  }
  return { width, height: taps.length, channels, data: result };
}

function pad({ width, height, channels, data }: Raster, fullWidth: number, fullHeight: number): Raster {
  if (width === fullWidth && height === fullHeight) return { width, height, channels, data };
  const result = emptyLike(data, fullWidth * fullHeight * channels);
  const left = (fullWidth - width) >> 1;
  const top = (fullHeight - height) >> 1;
  const stride = width * channels;
  for (let y = 0; y < height; y += 1) {
    const row = data.subarray(y * stride, (y + 1) * stride);
    result.set(row, ((top + y) * fullWidth + left) * channels);
  }
  return { width: fullWidth, height: fullHeight, channels, data: result };
}

/** Zeros of the same pixel type. */
export function emptyLike(data: Pixels, size: number): Pixels {
  return data instanceof Uint16Array ? new Uint16Array(size) : new Uint8Array(size);
}
