import {
  type AvgPoolGradAttrs,
  type AvgPoolGradInputs,
  backend_util,
  type MaxPoolGradAttrs,
  type MaxPoolGradInputs,
  type TensorInfo,
} from '@tensorflow/tfjs-core';
import { floats, type KernelCall, type Shape4D, zeros } from './heap.ts';
import { columnAxis, type Interval, inputsOfWindow, rowAxis, type WindowAxis } from './window-axis.ts';

/** One output pixel and the inputs that its window covers; `first…` are indices of channel 0. */
interface Window {
  readonly firstOutput: number;
  readonly firstInput: number;
  readonly rows: number;
  readonly columns: number;
  readonly channels: number;
  /** Values in one row of x. */
  readonly rowLength: number;
}

/**
 * Gradient of max pooling: each dy goes to the first maximum of its window.
 *
 * Replaces the stock kernel, which begins each search at the smallest positive float: a window without a
 * larger value, such as one that relu emptied, sends its gradient to element 0 of dx.
 *
 * @param inputs  dy [N, O, P, C], input [N, H, W, C]
 * @returns [N, H, W, C]
 */
export function maxPoolGradient({
  inputs: { dy, input },
  attrs,
  backend,
}: KernelCall<MaxPoolGradInputs, MaxPoolGradAttrs>): TensorInfo {
  const info = poolInfo(input, attrs);
  const dx = zeros(backend, input.shape);
  const source = floats(backend, dy);
  const target = floats(backend, dx);
  const values = floats(backend, input);
  eachWindow(info, (window) => {
    for (let channel = 0; channel < window.channels; channel += 1) {
      target[firstMaximum(values, window, channel)]! += source[window.firstOutput + channel]!;
    }
  });
  return dx;
}

/**
 * Gradient of average pooling: each dy is shared evenly by the inputs in its window, padding not counted.
 *
 * Replaces the stock kernel, which divides by the full window also where the forward pass divided by the
 * part of it that lies on the image. (Backend `cpu` has the same fault.)
 *
 * @param inputs  dy [N, O, P, C], input [N, H, W, C]
 * @returns [N, H, W, C]
 */
export function averagePoolGradient({
  inputs: { dy, input },
  attrs,
  backend,
}: KernelCall<AvgPoolGradInputs, AvgPoolGradAttrs & Pick<MaxPoolGradAttrs, 'dimRoundingMode'>>): TensorInfo {
  const info = poolInfo(input, attrs);
  const dx = zeros(backend, input.shape);
  const source = floats(backend, dy);
  const target = floats(backend, dx);
  eachWindow(info, ({ firstOutput, firstInput, rows, columns, channels, rowLength }) => {
    const share = 1 / (rows * columns);
    for (let row = firstInput; row < firstInput + rows * rowLength; row += rowLength) {
      for (let at = row; at < row + columns * channels; at += channels) {
        for (let channel = 0; channel < channels; channel += 1) {
          target[at + channel]! += share * source[firstOutput + channel]!;
        }
      }
    }
  });
  return dx;
}

function poolInfo(
  { shape }: TensorInfo,
  { filterSize, strides, pad, dimRoundingMode }: Omit<MaxPoolGradAttrs, 'dilations'>,
): backend_util.Conv2DInfo {
  return backend_util.computePool2DInfo(shape as Shape4D, filterSize, strides, 1, pad, dimRoundingMode);
}

/** Visits every output pixel whose window touches the image. */
function eachWindow(info: backend_util.Conv2DInfo, visit: (window: Window) => void): void {
  const { inChannels: channels, inWidth, inHeight, outWidth, outHeight, batchSize } = info;
  const rowLength = inWidth * channels;
  const rowWindows = windowsOf(rowAxis(info));
  const columnWindows = windowsOf(columnAxis(info));
  for (let image = 0; image < batchSize; image += 1) {
    for (const row of rowWindows) {
      const output = (image * outHeight + row.output) * outWidth;
      const input = (image * inHeight + row.start) * rowLength;
      for (const column of columnWindows) {
        visit({
          firstOutput: (output + column.output) * channels,
          firstInput: input + column.start * channels,
          rows: row.end - row.start,
          columns: column.end - column.start,
          channels,
          rowLength,
        });
      }
    }
  }
}

function windowsOf(axis: WindowAxis): (Interval & { readonly output: number })[] {
  const windows = Array.from({ length: axis.outputSize }, (_, output) => ({
    output,
    ...inputsOfWindow(axis, output),
  }));
  return windows.filter(({ start, end }) => start < end);
}

/** Index in x of the first largest value of one channel, rows before columns; a leading NaN counts as largest. */
function firstMaximum(values: Float32Array, window: Window, channel: number): number {
  const { firstInput, rows, columns, channels, rowLength } = window;
  const first = firstInput + channel;
  let best = first;
  let largest = values[first]!;
  for (let row = first; row < first + rows * rowLength; row += rowLength) {
    for (let at = row; at < row + columns * channels; at += channels) {
      const value = values[at]!;
      if (value > largest) {
        largest = value;
        best = at;
      }
    }
  }
  return best;
}
