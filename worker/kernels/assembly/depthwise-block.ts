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

/** Copies the lanes of `pixels` pixels that lie `step` bytes apart to a row of a block. */
export function copyLanes(from: usize, to: usize, pixels: i32, step: usize, lanes: Lanes): void {
  if (isContiguous(lanes))
    copyNeighbours(from + ((<usize>lanes.first) << 2), to, pixels, step, lanes.count, 0);
  else gatherPixels(from, to, pixels, step, lanes);
}

/**
 * Copies `count` neighbouring channels of `pixels` pixels to rows of blocks that lie `blockStep` bytes apart. Pixels
 * are read from end to end, as memory likes it best.
 */
export function copyNeighbours(
  from: usize,
  to: usize,
  pixels: i32,
  step: usize,
  count: i32,
  blockStep: usize,
): void {
  for (; pixels > 0; pixels -= 1) {
    let source = from;
    let target = to;
    let left = count;
    for (; left >= LANES; left -= LANES) {
      v128.store(target, v128.load(source));
      v128.store(target, v128.load(source, 16), 16);
      v128.store(target, v128.load(source, 32), 32);
      v128.store(target, v128.load(source, 48), 48);
      source += PIXEL;
      target += blockStep;
    }
    for (; left >= 4; left -= 4) {
      v128.store(target, v128.load(source));
      source += 16;
      target += 16;
    }
    for (; left > 0; left -= 1) {
      store<f32>(target, load<f32>(source));
      source += 4;
      target += 4;
    }
    from += step;
    to += PIXEL;
  }
}

function gatherPixels(from: usize, to: usize, pixels: i32, step: usize, lanes: Lanes): void {
  for (let lane = 0; lane < lanes.count; lane += 1) {
    const channel = ((lanes.first + lane) * lanes.spread) / lanes.group + lanes.plane;
    let source = from + ((<usize>channel) << 2);
    let target = to + ((<usize>lane) << 2);
    for (let pixel = 0; pixel < pixels; pixel += 1) {
      store<f32>(target, load<f32>(source));
      source += step;
      target += PIXEL;
    }
  }
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
