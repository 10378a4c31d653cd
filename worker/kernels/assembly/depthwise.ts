import { partStart } from './call';
import { PHASE_AXIS, PhaseAxis, setBackward, setForward, WindowAxis } from './depthwise-axis';
import { clear, copyPixels, Lanes, LANES, PIXEL } from './depthwise-block';
import { blockBytes, fillBlock, Images } from './depthwise-image';
import { Window, windowRow } from './depthwise-window';

/** Arguments; the first eight are `Images`, 13 to 17 and 18 to 22 the `WindowAxis` of rows and columns. */
@unmanaged
class Depthwise {
  address: usize;
  height: i32;
  width: i32;
  channels: i32;
  firstRow: i32;
  firstColumn: i32;
  rows: i32;
  columns: i32;
  /** [R, S, C, M] */
  filter: usize;
  /** Of each result channel, or 0 for none. */
  bias: usize;
  target: usize;
  images: i32;
  resultChannels: i32;
  tapRows: i32;
  rowStride: i32;
  rowDilation: i32;
  padTop: i32;
  resultRows: i32;
  tapColumns: i32;
  columnStride: i32;
  columnDilation: i32;
  padLeft: i32;
  resultColumns: i32;
  /** M */
  multiplier: i32;
  isBackward: i32;
  /** Rows of each phase that are computed from one filling of the block. */
  band: i32;
  bands: i32;
  parts: i32;
  /** Of the block, with room for what is read and not used. */
  planeBytes: usize;
}

const ROW_AXIS: usize = 13 << 2;
const COLUMN_AXIS: usize = 18 << 2;
const BOUNDS: usize = 256;

/*
 * Scratch memory: Window, PhaseAxis of rows and columns, Lanes of source and of filter; bias of a block; weights of
 * a block [planes, R, S, 16]; the block of the source [planes, rows, columns, 16].
 */
const ROWS: usize = 128;
const COLUMNS: usize = ROWS + PHASE_AXIS;
const SOURCE_LANES: usize = COLUMNS + PHASE_AXIS;
const FILTER_LANES: usize = SOURCE_LANES + 64;
const BIAS: usize = FILTER_LANES + 64;
const WEIGHTS: usize = BIAS + PIXEL;

/**
 * A depthwise convolution with bias and bounds, or its gradient by the input, which is the same thing over dy with
 * the taps reversed. With M outputs per channel the gradient of a channel is the sum over M planes.
 */
export function depthwise(call: usize, part: i32, scratch: usize): void {
  const args = changetype<Depthwise>(call);
  const blocks = (args.resultChannels + LANES - 1) / LANES;
  const items = args.images * args.bands * blocks;
  const end = partStart(items, part + 1, args.parts, 1);
  clear(blockOf(args, scratch), <usize>planesOf(args) * args.planeBytes);
  clear(scratch + BIAS, PIXEL);
  for (let item = partStart(items, part, args.parts, 1); item < end; item += 1) {
    const band = item / blocks;
    convolveBlock(call, scratch, band / args.bands, band % args.bands, item % blocks);
  }
}

@inline
function planesOf(args: Depthwise): i32 {
  return args.isBackward ? args.multiplier : 1;
}

@inline
function blockOf(args: Depthwise, scratch: usize): usize {
  return scratch + WEIGHTS + <usize>(planesOf(args) * args.tapRows * args.tapColumns) * PIXEL;
}

/** One block of channels in one band of rows of one image. */
function convolveBlock(call: usize, scratch: usize, image: i32, band: i32, block: i32): void {
  const args = changetype<Depthwise>(call);
  const first = block * LANES;
  const lanes = min(args.resultChannels - first, LANES);
  setLanes(args, scratch, first, lanes);
  setWindow(call, scratch, first, lanes);
  const source = blockOf(args, scratch);
  const sourceLanes = changetype<Lanes>(scratch + SOURCE_LANES);
  const shift = band * args.band * (args.isBackward ? 1 : args.rowStride);
  for (let plane = 0; plane < planesOf(args); plane += 1) {
    sourceLanes.plane = plane;
    fillBlock(changetype<Images>(call), image, shift, sourceLanes, source + <usize>plane * args.planeBytes);
  }
  const rows = changetype<PhaseAxis>(scratch + ROWS);
  const columns = changetype<PhaseAxis>(scratch + COLUMNS);
  const rowWindow = changetype<WindowAxis>(call + ROW_AXIS);
  const columnWindow = changetype<WindowAxis>(call + COLUMN_AXIS);
  if (!args.isBackward) {
    setForward(rows, rowWindow);
    setForward(columns, columnWindow);
    convolvePhase(call, scratch, image, band, first);
    return;
  }
  for (let row = 0; row < args.rowStride; row += 1) {
    setBackward(rows, rowWindow, row);
    for (let column = 0; column < args.columnStride; column += 1) {
      setBackward(columns, columnWindow, column);
      convolvePhase(call, scratch, image, band, first);
    }
  }
}

function setLanes(args: Depthwise, scratch: usize, first: i32, count: i32): void {
  const source = changetype<Lanes>(scratch + SOURCE_LANES);
  const filter = changetype<Lanes>(scratch + FILTER_LANES);
  source.first = first;
  source.count = count;
  source.spread = args.isBackward ? args.multiplier : 1;
  source.group = args.isBackward ? 1 : args.multiplier;
  filter.first = first;
  filter.count = count;
  filter.spread = source.spread;
  filter.group = 1;
  filter.plane = 0;
}

/** Bias and weights of a block. Weights are read where they lie if they lie in whole vectors, else copied. */
function setWindow(call: usize, scratch: usize, first: i32, lanes: i32): void {
  const args = changetype<Depthwise>(call);
  const window = changetype<Window>(scratch);
  const filterLanes = changetype<Lanes>(scratch + FILTER_LANES);
  const pixelBytes = <usize>(args.isBackward ? args.resultChannels * args.multiplier : args.resultChannels) << 2;
  const taps = args.tapRows * args.tapColumns;
  window.planes = planesOf(args);
  window.planeStep = args.planeBytes;
  window.bias = scratch + BIAS;
  window.lower = load<f32>(call + BOUNDS);
  window.upper = load<f32>(call + BOUNDS, 4);
  for (let lane = 0; args.bias != 0 && lane < lanes; lane += 1) {
    store<f32>(window.bias + (<usize>lane << 2), load<f32>(args.bias + (<usize>(first + lane) << 2)));
  }
  if ((lanes & 3) == 0 && filterLanes.spread == 1) {
    window.weights = args.filter + (<usize>first << 2);
    window.columnWeights = pixelBytes;
  } else {
    window.weights = scratch + WEIGHTS;
    window.columnWeights = PIXEL;
    window.planeWeights = <usize>taps * PIXEL;
    for (let plane = 0; plane < window.planes; plane += 1) {
      filterLanes.plane = plane;
      copyPixels(args.filter, window.weights + <usize>plane * window.planeWeights, taps, pixelBytes, filterLanes);
    }
  }
}

/** The results of one phase of rows and one of columns. */
function convolvePhase(call: usize, scratch: usize, image: i32, band: i32, firstLane: i32): void {
  const args = changetype<Depthwise>(call);
  const window = changetype<Window>(scratch);
  const rows = changetype<PhaseAxis>(scratch + ROWS);
  const columns = changetype<PhaseAxis>(scratch + COLUMNS);
  const lanes = changetype<Lanes>(scratch + SOURCE_LANES).count;
  const blockRow = <usize>args.columns * PIXEL;
  const pixelBytes = <usize>args.resultChannels << 2;
  const weights = window.weights;
  const rowWeights = window.columnWeights * args.tapColumns;
  window.weights = weights + rows.firstTap * rowWeights + columns.firstTap * window.columnWeights;
  window.tapRows = rows.taps;
  window.tapColumns = columns.taps;
  window.rowStep = <usize>rows.tapDistance * blockRow;
  window.columnStep = <usize>columns.tapDistance * PIXEL;
  window.rowWeights = rows.tapStep * rowWeights;
  const columnWeights = window.columnWeights;
  window.columnWeights = columns.tapStep * columnWeights;
  window.sourceStep = <usize>columns.sourceStep * PIXEL;
  window.targetStep = <usize>columns.step * pixelBytes;
  const start = band * args.band;
  const end = min(start + args.band, rows.count);
  let source = blockOf(args, scratch) + <usize>(rows.origin - args.firstRow) * blockRow;
  source += <usize>(columns.origin - args.firstColumn) * PIXEL;
  for (let row = start; row < end; row += 1) {
    const pixel = (image * args.resultRows + rows.first + row * rows.step) * args.resultColumns + columns.first;
    const target = args.target + <usize>pixel * pixelBytes + (<usize>firstLane << 2);
    windowRow(window, source, target, columns.count, lanes);
    source += <usize>rows.sourceStep * blockRow;
  }
  window.weights = weights;
  window.columnWeights = columnWeights;
}
