import { DY_PIXEL, X_PIXEL } from './filter-gradient-tile';

/*
 * Copies from tensors to strips, in which the products read from end to end. A run of numbers that lie one after
 * the other for each pixel is cut into groups of four or, where it is not a multiple, as equal as can be, because a
 * group of one costs as much as one of three.
 */

@inline
export function groupsOf(length: i32): i32 {
  return (length + 3) >> 2;
}

/** First number of a group. */
@inline
export function groupStart(length: i32, group: i32): i32 {
  const groups = groupsOf(length);
  return group * (length / groups) + min(group, length % groups);
}

@inline
export function groupSize(length: i32, group: i32): i32 {
  return groupStart(length, group + 1) - groupStart(length, group);
}

/** Numbers that are read from the start of a run, with what is read beyond its last group. */
@inline
export function runReach(length: i32): i32 {
  return groupStart(length, groupsOf(length) - 1) + 4;
}

/**
 * Copies the groups `first` … `end` of the runs of `pixels` pixels, `step` bytes apart, to their strips, which are
 * `strip` bytes long.
 */
export function copyRuns(
  from: usize,
  step: usize,
  pixels: i32,
  to: usize,
  length: i32,
  first: i32,
  end: i32,
  strip: usize,
): void {
  let group = first;
  if ((length & 3) == 0) {
    for (; group + 4 <= end; group += 4) {
      copyFourGroups(from + ((<usize>group) << 4), step, pixels, to, strip);
      to += 4 * strip;
    }
  }
  for (; group < end; group += 1) {
    let source = from + ((<usize>groupStart(length, group)) << 2);
    let target = to;
    for (let pixel = pixels; pixel > 0; pixel -= 1) {
      v128.store(target, v128.load(source));
      source += step;
      target += X_PIXEL;
    }
    to += strip;
  }
}

/** A cache line of each pixel. */
@inline
function copyFourGroups(from: usize, step: usize, pixels: i32, to: usize, strip: usize): void {
  let b = to + strip;
  let c = b + strip;
  let d = c + strip;
  for (; pixels > 0; pixels -= 1) {
    v128.store(to, v128.load(from));
    v128.store(b, v128.load(from, 16));
    v128.store(c, v128.load(from, 32));
    v128.store(d, v128.load(from, 48));
    from += step;
    to += X_PIXEL;
    b += X_PIXEL;
    c += X_PIXEL;
    d += X_PIXEL;
  }
}

/** Copies `pixels` pixels of dy that lie one after the other to strips of eight channels, zeros after the last. */
export function copyGradient(from: usize, to: usize, channels: i32, pixels: i32, strip: usize): void {
  const step = (<usize>channels) << 2;
  for (let first = 0; first < channels; first += 8) {
    let source = from + ((<usize>first) << 2);
    let target = to;
    const count = min(channels - first, 8);
    if (count == 8) {
      for (let pixel = pixels; pixel > 0; pixel -= 1) {
        v128.store(target, v128.load(source));
        v128.store(target, v128.load(source, 16), 16);
        source += step;
        target += DY_PIXEL;
      }
    } else {
      for (let pixel = pixels; pixel > 0; pixel -= 1) {
        copyNarrow(source, target, count);
        source += step;
        target += DY_PIXEL;
      }
    }
    to += strip;
  }
}

@inline
function copyNarrow(from: usize, to: usize, count: i32): void {
  const zero = f32x4.splat(0);
  v128.store(to, zero);
  v128.store(to, zero, 16);
  for (let at: usize = 0; at < (<usize>count) << 2; at += 4) store<f32>(to + at, load<f32>(from + at));
}
