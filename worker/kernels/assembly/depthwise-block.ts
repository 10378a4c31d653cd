/*
 * Depthwise kernels work on blocks of 16 channels, a cache line of each pixel. A block of an image is first copied
 * to scratch memory, zeros around it where the window leaves the image, so that the loops over it know no borders
 * and step by constants.
 */

/** Channels of a block. */
export const LANES = 16;
/** Bytes that a pixel of a block takes. */
export const PIXEL: usize = 64;

/** Which channels of a tensor the lanes of a block take: (lane · spread) / group + plane. */
@unmanaged
export class Lanes {
  first: i32;
  count: i32;
  spread: i32;
  group: i32;
  plane: i32;
}

@inline
export function isContiguous(lanes: Lanes): bool {
  return lanes.spread == 1 && lanes.group == 1;
}

/** Copies the lanes of `pixels` pixels that lie `step` bytes apart. */
export function copyPixels(from: usize, to: usize, pixels: i32, step: usize, lanes: Lanes): void {
  if (!isContiguous(lanes)) {
    gatherPixels(from, to, pixels, step, lanes);
  } else if (lanes.count == LANES) {
    copyWholePixels(from + (<usize>lanes.first << 2), to, pixels, step);
  } else {
    copyNarrowPixels(from + (<usize>lanes.first << 2), to, pixels, step, lanes.count);
  }
}

function copyWholePixels(from: usize, to: usize, pixels: i32, step: usize): void {
  for (; pixels > 0; pixels -= 1) {
    v128.store(to, v128.load(from));
    v128.store(to, v128.load(from, 16), 16);
    v128.store(to, v128.load(from, 32), 32);
    v128.store(to, v128.load(from, 48), 48);
    from += step;
    to += PIXEL;
  }
}

function copyNarrowPixels(from: usize, to: usize, pixels: i32, step: usize, count: i32): void {
  const vectors = <usize>(count & ~3) << 2;
  const end = <usize>count << 2;
  for (; pixels > 0; pixels -= 1) {
    let at: usize = 0;
    for (; at < vectors; at += 16) v128.store(to + at, v128.load(from + at));
    for (; at < end; at += 4) store<f32>(to + at, load<f32>(from + at));
    from += step;
    to += PIXEL;
  }
}

function gatherPixels(from: usize, to: usize, pixels: i32, step: usize, lanes: Lanes): void {
  for (let lane = 0; lane < lanes.count; lane += 1) {
    const channel = ((lanes.first + lane) * lanes.spread) / lanes.group + lanes.plane;
    let source = from + (<usize>channel << 2);
    let target = to + (<usize>lane << 2);
    for (let pixel = 0; pixel < pixels; pixel += 1) {
      store<f32>(target, load<f32>(source));
      source += step;
      target += PIXEL;
    }
  }
}

/** Writes zeros; `bytes` is a multiple of 16. */
export function clear(to: usize, bytes: usize): void {
  const zero = f32x4.splat(0);
  for (const end = to + bytes; to < end; to += 16) v128.store(to, zero);
}

/** Stores a vector, or its first lanes where fewer than four are left. */
@inline
export function storeLanes(to: usize, value: v128, lanes: i32): void {
  if (lanes >= 4) {
    v128.store(to, value);
    return;
  }
  if (lanes > 0) store<f32>(to, f32x4.extract_lane(value, 0));
  if (lanes > 1) store<f32>(to, f32x4.extract_lane(value, 1), 4);
  if (lanes > 2) store<f32>(to, f32x4.extract_lane(value, 2), 8);
}
