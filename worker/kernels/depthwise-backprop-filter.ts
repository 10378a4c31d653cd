import {
  backend_util,
  type DepthwiseConv2dNativeBackpropFilterAttrs,
  type DepthwiseConv2dNativeBackpropFilterInputs,
  type TensorInfo,
  util,
} from '@tensorflow/tfjs-core';
import { floats, type KernelCall, type Shape4D } from './heap.ts';
import { columnAxis, outputsOnInput, rowAxis, type WindowAxis } from './window-axis.ts';

/** Channels that one pass over a row adds up in registers. */
const LANES = 4;

interface Correlation {
  readonly x: Float32Array;
  readonly dy: Float32Array;
  /** [R, S, C·M] */
  readonly sums: Float64Array;
  /** Index step in x and dy from one output of a row to the next. */
  readonly stepOfX: number;
  readonly stepOfDy: number;
  /** [C·M], channel of x that feeds an output channel. */
  readonly source: Int32Array;
}

/** Outputs of one row that meet the input under one tap. */
interface Run {
  /** Index in x and dy of channel 0 of the first of them, before the row's own offset. */
  readonly x: number;
  readonly dy: number;
  readonly length: number;
}

/**
 * Gradient of a depthwise convolution by its filter.
 *
 *   dw[r, s, c, m] = Σ_{n, o, p} x[n, o·stride + r·dilation − pad, p·stride + s·dilation − pad, c] · dy[n, o, p, c·M + m]
 *
 * A loop over the heap, four channels at a time: each product is used once, so a matrix product would do
 * C times the work, and copying the operands elsewhere would cost as much as multiplying them here.
 *
 * @param inputs  x [N, H, W, C], dy [N, O, P, C·M]
 * @returns [R, S, C, M]
 */
export function depthwiseBackpropFilter({
  inputs: { x, dy },
  attrs: { strides, dilations, pad, dimRoundingMode, filterShape },
  backend,
}: KernelCall<
  DepthwiseConv2dNativeBackpropFilterInputs,
  DepthwiseConv2dNativeBackpropFilterAttrs
>): TensorInfo {
  const shape = x.shape as Shape4D;
  const info = backend_util.computeConv2DInfo(
    shape,
    filterShape,
    strides,
    dilations,
    pad,
    dimRoundingMode,
    true,
  );
  const { inChannels, outChannels } = info;
  const dw = backend.makeOutput(filterShape, 'float32');
  const correlation: Correlation = {
    x: floats(backend, x),
    dy: floats(backend, dy),
    sums: new Float64Array(util.sizeFromShape(filterShape)),
    stepOfX: info.strideWidth * inChannels,
    stepOfDy: outChannels,
    source: Int32Array.from({ length: outChannels }, (_, output) =>
      Math.floor((output * inChannels) / outChannels),
    ),
  };
  const rows = rowAxis(info);
  const runs = runsOf(columnAxis(info), { inChannels, outChannels });
  for (let line = 0; line < info.batchSize * rows.outputSize; line += 1) {
    const image = Math.floor(line / rows.outputSize);
    const corner = (line % rows.outputSize) * rows.stride - rows.padBefore;
    for (let tap = 0; tap < rows.taps; tap += 1) {
      const row = corner + tap * rows.dilation;
      if (row < 0 || row >= rows.inputSize) continue;
      addRow(correlation, runs, {
        x: (image * rows.inputSize + row) * info.inWidth * inChannels,
        dy: line * info.outWidth * outChannels,
        sums: tap * runs.length * outChannels,
      });
    }
  }
  floats(backend, dw).set(correlation.sums);
  return dw;
}

function runsOf(columns: WindowAxis, channels: { inChannels: number; outChannels: number }): Run[] {
  return Array.from({ length: columns.taps }, (_, tap) => {
    const offset = tap * columns.dilation - columns.padBefore;
    const { start, end } = outputsOnInput(columns, offset);
    const x = (start * columns.stride + offset) * channels.inChannels;
    return { x, dy: start * channels.outChannels, length: end - start };
  });
}

/** Adds one row of outputs under one row of taps; `at` says where the row begins in each array. */
function addRow(
  correlation: Correlation,
  runs: readonly Run[],
  at: { readonly x: number; readonly dy: number; readonly sums: number },
): void {
  const outputs = correlation.source.length;
  let sums = at.sums;
  for (const { x, dy, length } of runs) {
    const run = { x: at.x + x, dy: at.dy + dy, length };
    let output = 0;
    for (; output + LANES <= outputs; output += LANES) addLanes(correlation, run, { output, sums });
    for (; output < outputs; output += 1) addLane(correlation, run, { output, sums });
    sums += outputs;
  }
}

function addLanes(
  correlation: Correlation,
  run: Run,
  { output, sums }: { output: number; sums: number },
): void {
  const { x, dy, stepOfX, stepOfDy, source } = correlation;
  let x0 = run.x + source[output]!;
  let x1 = run.x + source[output + 1]!;
  let x2 = run.x + source[output + 2]!;
  let x3 = run.x + source[output + 3]!;
  let sum0 = 0;
  let sum1 = 0;
  let sum2 = 0;
  let sum3 = 0;
  const end = run.dy + output + run.length * stepOfDy;
  for (let at = run.dy + output; at < end; at += stepOfDy) {
    sum0 += x[x0]! * dy[at]!;
    sum1 += x[x1]! * dy[at + 1]!;
    sum2 += x[x2]! * dy[at + 2]!;
    sum3 += x[x3]! * dy[at + 3]!;
    x0 += stepOfX;
    x1 += stepOfX;
    x2 += stepOfX;
    x3 += stepOfX;
  }
  correlation.sums[sums + output]! += sum0;
  correlation.sums[sums + output + 1]! += sum1;
  correlation.sums[sums + output + 2]! += sum2;
  correlation.sums[sums + output + 3]! += sum3;
}

function addLane(
  correlation: Correlation,
  run: Run,
  { output, sums }: { output: number; sums: number },
): void {
  const { x, dy, stepOfX, stepOfDy, source } = correlation;
  let from = run.x + source[output]!;
  let sum = 0;
  const end = run.dy + output + run.length * stepOfDy;
  for (let at = run.dy + output; at < end; at += stepOfDy) {
    sum += x[from]! * dy[at]!;
    from += stepOfX;
  }
  correlation.sums[sums + output]! += sum;
}
