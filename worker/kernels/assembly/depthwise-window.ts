import { multiplyAdd } from './arithmetic';
import { PIXEL, storeLanes } from './depthwise-block';
import { bounded, hasTaps, rowOfTaps } from './depthwise-taps';

/** The taps over a block, and how the loops step through block, weights and results, in bytes. */
@unmanaged
export class Window {
  planes: i32;
  tapRows: i32;
  tapColumns: i32;
  planeStep: usize;
  rowStep: usize;
  columnStep: usize;
  weights: usize;
  /** From one tap of the filter to the next; from one plane, row and column of taps, in their order here. */
  tapWeights: usize;
  planeWeights: usize;
  rowWeights: usize;
  columnWeights: usize;
  /** Where the sums of the channels begin. */
  bias: usize;
  /** Bytes of the channels' whole vectors, and channels left after them; from one block to the next, in bytes. */
  channels: usize;
  left: i32;
  blockStep: usize;
  /** From one result of a row to the next. */
  sourceStep: usize;
  targetStep: usize;
  /** Results outside are set to the nearer bound. */
  lower: f32;
  upper: f32;
}

/** One row of results of all channels. */
export function windowRow(window: Window, source: usize, target: usize, results: i32): void {
  const hasLoop = hasTaps(window);
  if (hasLoop) rowOfTaps(window, source, target, results);
  const channels = window.channels;
  for (let left = results; left > 0; left -= 2) {
    let block = source;
    let at: usize = hasLoop ? channels : 0;
    block += (at / PIXEL) * window.blockStep;
    for (; at + PIXEL <= channels; at += PIXEL) {
      resultPair(window, block, target, at, left > 1);
      block += window.blockStep;
    }
    for (; at < channels; at += 16) narrowPair(window, block, target, at, left > 1, 4);
    if (window.left > 0) narrowPair(window, block, target, at, left > 1, window.left);
    source += 2 * window.sourceStep;
    target += 2 * window.targetStep;
  }
}

/** Two neighbouring results of the 16 channels `at` bytes after the first; each weight is loaded once for both. */
@inline
function resultPair(window: Window, source: usize, target: usize, at: usize, hasSecond: bool): void {
  const bias = window.bias + at;
  const sourceStep = window.sourceStep;
  const rowStep = window.rowStep;
  const columnStep = window.columnStep;
  const rowWeights = window.rowWeights;
  const columnWeights = window.columnWeights;
  const tapColumns = window.tapColumns;
  let a0 = v128.load(bias),
    a1 = v128.load(bias, 16),
    a2 = v128.load(bias, 32),
    a3 = v128.load(bias, 48);
  let b0 = a0,
    b1 = a1,
    b2 = a2,
    b3 = a3;
  let planeWeights = window.weights + at;
  let planeSource = source;
  for (let plane = window.planes; plane > 0; plane -= 1) {
    let weightsOfRow = planeWeights;
    let sourceOfRow = planeSource;
    for (let row = window.tapRows; row > 0; row -= 1) {
      let weights = weightsOfRow;
      let x = sourceOfRow;
      for (let column = tapColumns; column > 0; column -= 1) {
        const y = x + sourceStep;
        const w0 = v128.load(weights);
        a0 = multiplyAdd(v128.load(x), w0, a0);
        b0 = multiplyAdd(v128.load(y), w0, b0);
        const w1 = v128.load(weights, 16);
        a1 = multiplyAdd(v128.load(x, 16), w1, a1);
        b1 = multiplyAdd(v128.load(y, 16), w1, b1);
        const w2 = v128.load(weights, 32);
        a2 = multiplyAdd(v128.load(x, 32), w2, a2);
        b2 = multiplyAdd(v128.load(y, 32), w2, b2);
        const w3 = v128.load(weights, 48);
        a3 = multiplyAdd(v128.load(x, 48), w3, a3);
        b3 = multiplyAdd(v128.load(y, 48), w3, b3);
        weights += columnWeights;
        x += columnStep;
      }
      weightsOfRow += rowWeights;
      sourceOfRow += rowStep;
    }
    planeWeights += window.planeWeights;
    planeSource += window.planeStep;
  }
  const lower = f32x4.splat(window.lower);
  const upper = f32x4.splat(window.upper);
  target += at;
  v128.store(target, bounded(a0, lower, upper));
  v128.store(target, bounded(a1, lower, upper), 16);
  v128.store(target, bounded(a2, lower, upper), 32);
  v128.store(target, bounded(a3, lower, upper), 48);
  if (!hasSecond) return;
  target += window.targetStep;
  v128.store(target, bounded(b0, lower, upper));
  v128.store(target, bounded(b1, lower, upper), 16);
  v128.store(target, bounded(b2, lower, upper), 32);
  v128.store(target, bounded(b3, lower, upper), 48);
}

/** The same for up to four channels. */
function narrowPair(
  window: Window,
  source: usize,
  target: usize,
  at: usize,
  hasSecond: bool,
  lanes: i32,
): void {
  const sourceStep = window.sourceStep;
  const columnStep = window.columnStep;
  const columnWeights = window.columnWeights;
  let a = v128.load(window.bias + at);
  let b = a;
  let planeWeights = window.weights + at;
  source += at & (PIXEL - 16);
  target += at;
  for (let plane = window.planes; plane > 0; plane -= 1) {
    let weightsOfRow = planeWeights;
    let sourceOfRow = source;
    for (let row = window.tapRows; row > 0; row -= 1) {
      let weights = weightsOfRow;
      let x = sourceOfRow;
      for (let column = window.tapColumns; column > 0; column -= 1) {
        const w = v128.load(weights);
        a = multiplyAdd(v128.load(x), w, a);
        b = multiplyAdd(v128.load(x + sourceStep), w, b);
        weights += columnWeights;
        x += columnStep;
      }
      weightsOfRow += window.rowWeights;
      sourceOfRow += window.rowStep;
    }
    planeWeights += window.planeWeights;
    source += window.planeStep;
  }
  const lower = f32x4.splat(window.lower);
  const upper = f32x4.splat(window.upper);
  storeLanes(target, bounded(a, lower, upper), lanes);
  if (hasSecond) storeLanes(target + window.targetStep, bounded(b, lower, upper), lanes);
}
