import { multiplyAdd } from './arithmetic';
import { PIXEL } from './depthwise-block';
import { Window } from './depthwise-window';

/*
 * Rows of up to three neighbouring taps, or five, which are nearly all there are. What several results of a row read
 * is loaded once for all of them. The engine moves loads to the front of a loop's body, so a body holds one row of
 * taps and no more values than there are registers.
 */

/** Is there a loop for these taps? */
export function hasTaps(window: Window): bool {
  const columns = window.tapColumns;
  const step = window.sourceStep;
  if (window.planes != 1 || window.columnStep != PIXEL) return false;
  if (step == PIXEL) return (columns > 0 && columns <= 3) || columns == 5;
  return step == 2 * PIXEL && columns > 0 && columns <= 3;
}

/** A row of results of all whole vectors of channels. */
export function rowOfTaps(window: Window, source: usize, target: usize, results: i32): void {
  const columns = window.tapColumns;
  if (window.sourceStep == PIXEL) {
    if (columns == 3) rowOfFours(3, window, source, target, results);
    else if (columns == 2) rowOfFours(2, window, source, target, results);
    else if (columns == 1) rowOfFours(1, window, source, target, results);
    else rowOfPairs(5, 1, window, source, target, results);
  } else {
    if (columns == 3) rowOfPairs(3, 2, window, source, target, results);
    else if (columns == 2) rowOfPairs(2, 2, window, source, target, results);
    else rowOfPairs(1, 2, window, source, target, results);
  }
}

/** The last four results may be some that are there already; fewer than four are made by pairs. */
@inline
function rowOfFours(columns: i32, window: Window, source: usize, target: usize, results: i32): void {
  if (results < 4) {
    rowOfPairs(columns, 1, window, source, target, results);
    return;
  }
  const targetStep = window.targetStep;
  const tapRows = window.tapRows;
  const rowStep = window.rowStep;
  const rowWeights = window.rowWeights;
  const second = window.columnWeights;
  const third = second << 1;
  const firstWeights = window.weights;
  const firstBias = window.bias;
  const blockStep = window.blockStep;
  const channels = window.channels;
  const lower = f32x4.splat(window.lower);
  const upper = f32x4.splat(window.upper);
  for (let left = results; left > 0; left -= 4) {
    if (left < 4) {
      source -= <usize>(4 - left) * PIXEL;
      target -= <usize>(4 - left) * targetStep;
    }
    let block = source;
    for (let at: usize = 0; at < channels; at += 16) {
      let x = block + (at & (PIXEL - 16));
      let weights = firstWeights + at;
      let a = v128.load(firstBias + at),
        b = a,
        c = a,
        d = a;
      for (let row = tapRows; row > 0; row -= 1) {
        const u = v128.load(weights);
        const x0 = v128.load(x),
          x1 = v128.load(x, PIXEL),
          x2 = v128.load(x, 2 * PIXEL),
          x3 = v128.load(x, 3 * PIXEL);
        a = multiplyAdd(x0, u, a);
        b = multiplyAdd(x1, u, b);
        c = multiplyAdd(x2, u, c);
        d = multiplyAdd(x3, u, d);
        if (columns > 1) {
          const v = v128.load(weights + second);
          const x4 = v128.load(x, 4 * PIXEL);
          a = multiplyAdd(x1, v, a);
          b = multiplyAdd(x2, v, b);
          c = multiplyAdd(x3, v, c);
          d = multiplyAdd(x4, v, d);
          if (columns > 2) {
            const w = v128.load(weights + third);
            const x5 = v128.load(x, 5 * PIXEL);
            a = multiplyAdd(x2, w, a);
            b = multiplyAdd(x3, w, b);
            c = multiplyAdd(x4, w, c);
            d = multiplyAdd(x5, w, d);
          }
        }
        weights += rowWeights;
        x += rowStep;
      }
      const to = target + at;
      v128.store(to, bounded(a, lower, upper));
      v128.store(to + targetStep, bounded(b, lower, upper));
      v128.store(to + 2 * targetStep, bounded(c, lower, upper));
      v128.store(to + 3 * targetStep, bounded(d, lower, upper));
      if ((at & (PIXEL - 16)) == PIXEL - 16) block += blockStep;
    }
    target += 4 * targetStep;
    source += 4 * PIXEL;
  }
}

/** Results two at a time, `step` pixels of the block apart. */
@inline
function rowOfPairs(
  columns: i32,
  step: i32,
  window: Window,
  source: usize,
  target: usize,
  results: i32,
): void {
  const targetStep = window.targetStep;
  const tapRows = window.tapRows;
  const rowStep = window.rowStep;
  const rowWeights = window.rowWeights;
  const next = window.columnWeights;
  const firstWeights = window.weights;
  const firstBias = window.bias;
  const blockStep = window.blockStep;
  const channels = window.channels;
  const lower = f32x4.splat(window.lower);
  const upper = f32x4.splat(window.upper);
  for (; results > 0; results -= 2) {
    let block = source;
    for (let at: usize = 0; at < channels; at += 16) {
      let x = block + (at & (PIXEL - 16));
      let weights = firstWeights + at;
      let a = v128.load(firstBias + at),
        b = a;
      for (let row = tapRows; row > 0; row -= 1) {
        const u = v128.load(weights);
        const x0 = v128.load(x);
        const x1 = v128.load(x, PIXEL);
        const x2 = v128.load(x, 2 * PIXEL);
        a = multiplyAdd(x0, u, a);
        b = multiplyAdd(step == 1 ? x1 : x2, u, b);
        if (columns > 1) {
          const v = v128.load(weights + next);
          const x3 = v128.load(x, 3 * PIXEL);
          a = multiplyAdd(x1, v, a);
          b = multiplyAdd(step == 1 ? x2 : x3, v, b);
          if (columns > 2) {
            const w = v128.load(weights + 2 * next);
            const x4 = v128.load(x, 4 * PIXEL);
            a = multiplyAdd(x2, w, a);
            b = multiplyAdd(step == 1 ? x3 : x4, w, b);
            if (columns == 5) {
              const x5 = v128.load(x, 5 * PIXEL);
              const y = v128.load(weights + 3 * next);
              const z = v128.load(weights + 4 * next);
              a = multiplyAdd(x3, y, a);
              b = multiplyAdd(x4, y, b);
              a = multiplyAdd(x4, z, a);
              b = multiplyAdd(x5, z, b);
            }
          }
        }
        weights += rowWeights;
        x += rowStep;
      }
      v128.store(target + at, bounded(a, lower, upper));
      if (results > 1) v128.store(target + at + targetStep, bounded(b, lower, upper));
      if ((at & (PIXEL - 16)) == PIXEL - 16) block += blockStep;
    }
    target += 2 * targetStep;
    source += <usize>(2 * step) * PIXEL;
  }
}

/** NaN stays NaN: what compares with nothing is kept. */
@inline
export function bounded(value: v128, lower: v128, upper: v128): v128 {
  return f32x4.pmin(f32x4.pmax(value, lower), upper);
}
