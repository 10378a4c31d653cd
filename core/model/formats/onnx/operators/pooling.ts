import type { Tensor, Tensor4D } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import type { Call, Operator } from '../call.ts';
import { slotAt, unsupported } from '../call.ts';
import { channelsLast, range } from '../shapes.ts';
import type { Slot } from '../values.ts';
import type { Windows } from '../windows.ts';
import { windowsOf } from '../windows.ts';

/** Pools of images. */
export const POOLING: Readonly<Record<string, Operator>> = {
  AveragePool: (call) => {
    const countsPads = call.node.attributes.int('count_include_pad', 0) === 1;
    return [pool(call, (windows, area) => average(windows, area, countsPads))];
  },
  MaxPool: (call) => [pool(call, maximum)],
};

type Pool = (x: Tensor4D) => Tensor;

function pool(call: Call, make: (windows: Windows, area: readonly number[]) => Pool): Slot {
  const { lowering, node } = call;
  const images = lowering.ordered(slotAt(call, 0), channelsLast(slotAt(call, 0).shape.length));
  const size = node.attributes.ints('kernel_shape') ?? [];
  const windows = windowsOf(call, { shape: images.shape, size });
  if (windows.dilations.some((dilation) => dilation !== 1)) {
    throw unsupported(call, `expected dilations of 1, received [${windows.dilations.join(', ')}]`);
  }
  const run = make(windows, images.shape.slice(2));
  const shape = [...images.shape.slice(0, 2), ...windows.extents];
  return lowering.emit(node.op, [images], { shape, order: images.order, run: ([x]) => run(x as Tensor4D) });
}

function maximum({ size, strides, margins }: Windows): Pool {
  const pad: tf.backend_util.ExplicitPadding = [[0, 0], [...margins[0]], [...margins[1]], [0, 0]];
  return (x) => tf.maxPool(x, [...size], [...strides], pad);
}

/** Zeros around the image, and means corrected by how much of a window counts. */
function average(windows: Windows, area: readonly number[], countsPads: boolean): Pool {
  const { size, strides, margins, extents } = windows;
  const hasMargins = margins.flat().some((width) => width > 0);
  if (!hasMargins) return (x) => tf.avgPool(x, [...size], [...strides], 'valid');
  const pad: [number, number][] = [[0, 0], [...margins[0]], [...margins[1]], [0, 0]];
  const factors = shareFactors(windows, area, countsPads);
  const isWhole = factors.every((factor) => factor === 1);
  return (x) => {
    const means = tf.avgPool(tf.pad(x, pad) as Tensor4D, [...size], [...strides], 'valid');
    return isWhole ? means : tf.mul(means, tf.tensor4d(factors, [1, ...extents, 1]));
  };
}

/** Size of a window by how many of its places count, for each window; what sticks out of the pads never does. */
function shareFactors(
  { size, strides, pads, extents }: Windows,
  area: readonly number[],
  countsPads: boolean,
): Float32Array {
  const counts = ([0, 1] as const).map((axis) =>
    range(extents[axis]).map((window) => {
      const start = window * strides[axis] - pads[axis][0];
      const [before, after] = countsPads ? pads[axis] : [0, 0];
      return Math.min(start + size[axis], area[axis]! + after) - Math.max(start, -before);
    }),
  );
  const [rows, columns] = counts as [number[], number[]];
  return Float32Array.from(
    rows.flatMap((row) => columns.map((column) => (size[0] * size[1]) / (row * column))),
  );
}
