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

/** Copies the groups `first` … `end` of one pixel's run to their strips, which are `strip` bytes long. */
@inline
export function copyRun(from: usize, to: usize, length: i32, first: i32, end: i32, strip: usize): void {
  if ((length & 3) == 0) {
    from += (<usize>first) << 4;
    for (let group = first; group < end; group += 1) {
      v128.store(to, v128.load(from));
      from += 16;
      to += strip;
    }
    return;
  }
  for (let group = first; group < end; group += 1) {
    v128.store(to, v128.load(from + ((<usize>groupStart(length, group)) << 2)));
    to += strip;
  }
}

/** Copies `pixels` pixels of dy that lie one after the other to strips of eight channels, zeros after the last. */
export function copyGradient(from: usize, to: usize, channels: i32, pixels: i32, strip: usize): void {
  const step = (<usize>channels) << 2;
  for (let first = 0; first < channels; first += 8) {
    let source = from + ((<usize>first) << 2);
    let target = to;
    const count = min(channels - first, 8);
    for (let pixel = 0; pixel < pixels; pixel += 1) {
      if (count == 8) {
        v128.store(target, v128.load(source));
        v128.store(target, v128.load(source, 16), 16);
      } else {
        copyNarrow(source, target, count);
      }
      source += step;
      target += DY_PIXEL;
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
