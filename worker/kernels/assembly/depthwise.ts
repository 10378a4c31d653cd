import { partStart } from './call';
import { clearFloats } from './copy';
import { PHASE_AXIS, PhaseAxis, setBackward, setForward, WindowAxis } from './depthwise-axis';
import { Lanes, LANES, PIXEL } from './depthwise-block';
import { fillBlocks, Images } from './depthwise-image';
import { Window, windowRow } from './depthwise-window';

/** Arguments; the first nine are `Images`, 14 to 18 and 19 to 23 the `WindowAxis` of rows and columns. */
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
  /** Of rows of each phase, that are computed from one filling of the blocks. */
  bands: i32;
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
  /** Rows of each phase in a band. */
  band: i32;
  parts: i32;
  /** Blocks of channels that are filled at once. */
  group: i32;
  groups: i32;
  /** Of a block, with room for what is read and not used. */
  planeBytes: usize;
}

const ROW_AXIS: usize = 14 << 2;
const COLUMN_AXIS: usize = 19 << 2;
const BOUNDS: usize = 256;

/*
 * Scratch memory: Window, PhaseAxis of rows and columns, Lanes; bias [channels]; weights [planes, R, S, channels];
 * blocks of the source [blocks, planes, rows, columns, 16]. Channels are those of a group, up to whole vectors.
 */
const ROWS: usize = 128;
const COLUMNS: usize = ROWS + PHASE_AXIS;
const LANES_AT: usize = COLUMNS + PHASE_AXIS;
const BIAS: usize = LANES_AT + 64;

/**
 * A depthwise convolution with bias and bounds, or its gradient by the input, which is the same thing over dy with
 * the taps reversed. With M outputs per channel the gradient of a channel is the sum over M planes.
 */
export function depthwise(call: usize, part: i32, scratch: usize): void {
  const args = changetype<Depthwise>(call);
  const items = args.images * args.bands * args.groups;
  const end = partStart(items, part + 1, args.parts, 1);
  clearFloats(blocksOf(args, scratch), <usize>(planesOf(args) * args.group) * args.planeBytes);
  let group = -1;
  for (let item = partStart(items, part, args.parts, 1); item < end; item += 1) {
    const band = item / args.groups;
    if (item % args.groups != group) {
      group = item % args.groups;
      setWindow(call, scratch, group);
    }
    convolveGroup(call, scratch, band / args.bands, band % args.bands, group);
  }
}

@inline
function planesOf(args: Depthwise): i32 {
  return args.isBackward ? args.multiplier : 1;
}

@inline
function groupBytes(args: Depthwise): usize {
  return <usize>args.group * PIXEL;
}

@inline
function weightsOf(args: Depthwise, scratch: usize): usize {
  return scratch + BIAS + groupBytes(args);
}

@inline
function blocksOf(args: Depthwise, scratch: usize): usize {
  return (
    weightsOf(args, scratch) + <usize>(planesOf(args) * args.tapRows * args.tapColumns) * groupBytes(args)
  );
}

/** Channels, bias and weights of a group. */
function setWindow(call: usize, scratch: usize, group: i32): void {
  const args = changetype<Depthwise>(call);
  const window = changetype<Window>(scratch);
  const first = group * args.group * LANES;
  const channels = min(args.resultChannels - first, args.group * LANES);
  window.planes = planesOf(args);
  window.planeStep = args.planeBytes;
  window.blockStep = <usize>window.planes * args.planeBytes;
  window.channels = (<usize>(channels & ~3)) << 2;
  window.left = channels & 3;
  window.lower = load<f32>(call + BOUNDS);
  window.upper = load<f32>(call + BOUNDS, 4);
  window.bias = scratch + BIAS;
  clearFloats(window.bias, groupBytes(args));
  for (let lane = 0; args.bias != 0 && lane < channels; lane += 1) {
    store<f32>(window.bias + ((<usize>lane) << 2), load<f32>(args.bias + ((<usize>(first + lane)) << 2)));
  }
  setWeights(args, window, weightsOf(args, scratch), first, channels);
}

/** Weights are read where they lie if they lie in whole vectors, else copied. */
function setWeights(args: Depthwise, window: Window, copy: usize, first: i32, channels: i32): void {
  const spread = args.isBackward ? args.multiplier : 1;
  const taps = args.tapRows * args.tapColumns;
  const filterStep = (<usize>(args.resultChannels * spread)) << 2;
  if (window.left == 0 && spread == 1) {
    window.weights = args.filter + ((<usize>first) << 2);
    window.tapWeights = filterStep;
    return;
  }
  window.weights = copy;
  window.tapWeights = groupBytes(args);
  window.planeWeights = <usize>taps * groupBytes(args);
  for (let plane = 0; plane < window.planes; plane += 1) {
    for (let tap = 0; tap < taps; tap += 1) {
      const to = copy + <usize>(plane * taps + tap) * groupBytes(args);
      const from = args.filter + <usize>tap * filterStep + ((<usize>(first * spread + plane)) << 2);
      for (let lane: usize = 0; lane < (<usize>channels) << 2; lane += 4) {
        store<f32>(to + lane, load<f32>(from + lane * spread));
      }
    }
  }
}

/** A group of blocks of channels in one band of rows of one image. */
function convolveGroup(call: usize, scratch: usize, image: i32, band: i32, group: i32): void {
  const args = changetype<Depthwise>(call);
  fillGroup(call, scratch, image, band, group);
  const rows = changetype<PhaseAxis>(scratch + ROWS);
  const columns = changetype<PhaseAxis>(scratch + COLUMNS);
  const rowWindow = changetype<WindowAxis>(call + ROW_AXIS);
  const columnWindow = changetype<WindowAxis>(call + COLUMN_AXIS);
  if (!args.isBackward) {
    setForward(rows, rowWindow);
    setForward(columns, columnWindow);
    convolvePhase(call, scratch, image, band, group);
    return;
  }
  for (let row = 0; row < args.rowStride; row += 1) {
    setBackward(rows, rowWindow, row);
    for (let column = 0; column < args.columnStride; column += 1) {
      setBackward(columns, columnWindow, column);
      convolvePhase(call, scratch, image, band, group);
    }
  }
}

function fillGroup(call: usize, scratch: usize, image: i32, band: i32, group: i32): void {
  const args = changetype<Depthwise>(call);
  const lanes = changetype<Lanes>(scratch + LANES_AT);
  const shift = band * args.band * (args.isBackward ? 1 : args.rowStride);
  const end = min((group + 1) * args.group * LANES, args.resultChannels);
  lanes.first = group * args.group * LANES;
  lanes.spread = args.isBackward ? args.multiplier : 1;
  lanes.group = args.isBackward ? 1 : args.multiplier;
  for (let plane = 0; plane < planesOf(args); plane += 1) {
    lanes.plane = plane;
    const target = blocksOf(args, scratch) + <usize>plane * args.planeBytes;
    const blockStep = <usize>planesOf(args) * args.planeBytes;
    fillBlocks(changetype<Images>(call), image, shift, lanes, end, target, blockStep);
  }
}

/** The results of one phase of rows and one of columns. */
function convolvePhase(call: usize, scratch: usize, image: i32, band: i32, group: i32): void {
  const args = changetype<Depthwise>(call);
  const window = changetype<Window>(scratch);
  const rows = changetype<PhaseAxis>(scratch + ROWS);
  const columns = changetype<PhaseAxis>(scratch + COLUMNS);
  const blockRow = <usize>args.columns * PIXEL;
  const pixelBytes = (<usize>args.resultChannels) << 2;
  const weights = window.weights;
  const rowWeights = window.tapWeights * args.tapColumns;
  window.weights = weights + rows.firstTap * rowWeights + columns.firstTap * window.tapWeights;
  window.tapRows = rows.taps;
  window.tapColumns = columns.taps;
  window.rowStep = <usize>rows.tapDistance * blockRow;
  window.columnStep = <usize>columns.tapDistance * PIXEL;
  window.rowWeights = rows.tapStep * rowWeights;
  window.columnWeights = columns.tapStep * window.tapWeights;
  window.sourceStep = <usize>columns.sourceStep * PIXEL;
  window.targetStep = <usize>columns.step * pixelBytes;
  const end = min((band + 1) * args.band, rows.count);
  let source = blocksOf(args, scratch) + <usize>(rows.origin - args.firstRow) * blockRow;
  source += <usize>(columns.origin - args.firstColumn) * PIXEL;
  for (let row = band * args.band; row < end; row += 1) {
    const pixel =
      (image * args.resultRows + rows.first + row * rows.step) * args.resultColumns + columns.first;
    const target = args.target + <usize>pixel * pixelBytes + <usize>group * groupBytes(args);
    windowRow(window, source, target, columns.count);
    source += <usize>rows.sourceStep * blockRow;
  }
  window.weights = weights;
}
