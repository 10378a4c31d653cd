import type { Tensor1D, Tensor4D } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { spreadKernel } from '../../../spread-kernel.ts';
import type { Call, Operator } from '../call.ts';
import { malformed, slotAt } from '../call.ts';
import { channelsLast } from '../shapes.ts';
import type { Slot } from '../values.ts';
import type { Windows } from '../windows.ts';
import { windowsOf } from '../windows.ts';

/** [O, I, H, W] of the file, stored as the backends read it: [H, W, I, O]. */
export const KERNEL_ORDER = [2, 3, 1, 0];

type Convolve = (images: Tensor4D, kernel: Tensor4D, bias: Tensor1D | undefined) => Tensor4D;

/** Convolutions of images. */
export const CONVOLUTION: Readonly<Record<string, Operator>> = {
  Conv: (call) => [convolution(call)],
};

function convolution(call: Call): Slot {
  const { lowering, node } = call;
  const images = lowering.ordered(slotAt(call, 0), channelsLast(slotAt(call, 0).shape.length));
  const kernel = slotAt(call, 1);
  const windows = windowsOf(call, { shape: images.shape, size: kernel.shape.slice(2) });
  const groups = node.attributes.int('group', 1);
  const channels = images.shape[1]!;
  const [filters, depth] = kernel.shape as [number, number];
  if (!(groups >= 1) || depth * groups !== channels || filters % groups !== 0) {
    throw malformed(
      call,
      `expected a kernel for ${channels} channels in ${groups} groups, received [${kernel.shape.join(', ')}]`,
    );
  }
  const convolve = convolveBy(windows, groups, channels);
  return lowering.emit(node.op, [images, lowering.ordered(kernel, KERNEL_ORDER), ...biasOf(call, filters)], {
    shape: [images.shape[0]!, filters, ...windows.extents],
    order: images.order,
    run: ([x, weights, bias]) => convolve(x as Tensor4D, weights as Tensor4D, bias as Tensor1D | undefined),
  });
}

/** One, or none. */
function biasOf(call: Call, filters: number): Slot[] {
  if ((call.inputs[2] ?? null) === null) return [];
  const bias = slotAt(call, 2);
  if (bias.shape.join() === `${filters}`) return [bias];
  throw malformed(call, `expected a bias of ${filters}, received [${bias.shape.join(', ')}]`);
}

/** The backends have kernels for one group and for as many as channels; others are one after the other. */
function convolveBy(windows: Windows, groups: number, channels: number): Convolve {
  const { pads, dilations } = windows;
  const strides: [number, number] = [...windows.strides];
  const pad: tf.backend_util.ExplicitPadding = [[0, 0], [...pads[0]], [...pads[1]], [0, 0]];
  const whole: Convolve = (x, kernel, bias) =>
    tf.fused.conv2d({ x, filter: spreadKernel(kernel, dilations), strides, pad, ...(bias && { bias }) });
  if (groups === 1) return whole;
  if (groups === channels) {
    return (x, kernel, bias) => {
      const [height, width, , filters] = kernel.shape;
      const perChannel = tf.reshape(kernel, [height, width, channels, filters / channels]) as Tensor4D;
      const filter = spreadKernel(perChannel, dilations);
      // takes explicit pads as the other does, though its type does not say so
      return tf.fused.depthwiseConv2d({
        x,
        filter,
        strides,
        pad: pad as unknown as 'valid',
        ...(bias && { bias }),
      });
    };
  }
  return (x, kernel, bias) => {
    const kernels = tf.split<Tensor4D>(kernel, groups, 3);
    const parts = tf
      .split<Tensor4D>(x, groups, 3)
      .map((part, group) => whole(part, kernels[group]!, undefined));
    const joined = tf.concat(parts, 3);
    return bias ? tf.add(joined, bias) : joined;
  };
}
