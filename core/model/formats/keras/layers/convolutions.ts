import * as tf from '@tensorflow/tfjs-core';
import type { Shape } from '@tensorflow/tfjs-layers';
import { layers } from '@tensorflow/tfjs-layers';
import { z } from 'zod';
import { spreadKernel } from '../../../spread-kernel.ts';
import { activation, activationFunction, activationId } from './activations.ts';
import { FunctionLayer } from './function-layer.ts';
import type { LayerSpec, MakeLayer } from './spec.ts';
import { channelsLast, extent, pair, readConfig, unsupported } from './spec.ts';

const windowSchema = z.looseObject({
  kernel_size: pair,
  strides: pair.default([1, 1]),
  padding: z.enum(['valid', 'same']),
  data_format: channelsLast,
  dilation_rate: pair.default([1, 1]),
  activation,
  use_bias: z.boolean().default(true),
});

const conv2dSchema = windowSchema.extend({ filters: extent, groups: extent.default(1) });
const depthwiseSchema = windowSchema.extend({ depth_multiplier: extent.default(1) });
const separableSchema = depthwiseSchema.extend({ filters: extent });

type Window = z.infer<typeof windowSchema>;

function common(spec: LayerSpec, config: Window) {
  return {
    name: spec.name,
    kernelSize: config.kernel_size,
    strides: config.strides,
    padding: config.padding,
    useBias: config.use_bias,
    activation: activationId(spec, config.activation) as 'linear',
  };
}

const isDilated = ({ dilation_rate: rates }: Window) => rates.some((rate) => rate > 1);

const conv2d: MakeLayer = (spec) => {
  const config = readConfig(spec, conv2dSchema);
  const { filters, groups } = config;
  if (groups > 1 || isDilated(config))
    return windowLayer(spec, config, groupedConvolution(config, filters, groups));
  return layers.conv2d({
    ...common(spec, config),
    filters,
    kernelInitializer: spec.weights.next(),
    ...(config.use_bias && { biasInitializer: spec.weights.next() }),
  });
};

const depthwiseConv2d: MakeLayer = (spec) => {
  const config = readConfig(spec, depthwiseSchema);
  const { depth_multiplier: depthMultiplier } = config;
  if (isDilated(config)) return windowLayer(spec, config, depthwise(config, depthMultiplier));
  return layers.depthwiseConv2d({
    ...common(spec, config),
    depthMultiplier,
    depthwiseInitializer: spec.weights.next(),
    ...(config.use_bias && { biasInitializer: spec.weights.next() }),
  });
};

const separableConv2d: MakeLayer = (spec) => {
  const config = readConfig(spec, separableSchema);
  const { filters, depth_multiplier: multiplier } = config;
  const first = depthwise(config, multiplier);
  return windowLayer(spec, config, {
    kernels: (channels) => [...first.kernels(channels), [1, 1, channels * multiplier, filters]],
    filters: () => filters,
    compute: (x, [kernel, pointwise]) => tf.conv2d(first.compute(x, [kernel!]), pointwise!, 1, 'valid'),
  });
};

/** What tfjs-layers lacks, has no gradient for, or starts with other weights than it is given. */
interface Convolution {
  /** Shapes of its kernels. */
  readonly kernels: (channels: number) => readonly Shape[];
  readonly filters: (channels: number) => number;
  readonly compute: (x: tf.Tensor4D, kernels: readonly tf.Tensor4D[]) => tf.Tensor4D;
}

/** Each group of filters sees its own share of the channels. */
function groupedConvolution(config: Window, filters: number, groups: number): Convolution {
  const { strides, padding, dilation_rate: dilation } = config;
  return {
    kernels: (channels) => [[...config.kernel_size, channels / groups, filters]],
    filters: () => filters,
    compute: (x, [kernel]) => {
      const spread = spreadKernel(kernel!, dilation);
      if (groups === 1) return tf.conv2d(x, spread, strides, padding);
      const kernels: tf.Tensor4D[] = tf.split(spread, groups, 3);
      const parts: tf.Tensor4D[] = tf.split(x, groups, 3);
      return tf.concat(
        parts.map((part, group) => tf.conv2d(part, kernels[group]!, strides, padding)),
        3,
      );
    },
  };
}

function depthwise(
  { kernel_size: size, strides, padding, dilation_rate: dilation }: Window,
  multiplier: number,
): Convolution {
  return {
    kernels: (channels) => [[...size, channels, multiplier]],
    filters: (channels) => channels * multiplier,
    compute: (x, [kernel]) => tf.depthwiseConv2d(x, spreadKernel(kernel!, dilation), strides, padding),
  };
}

function windowLayer(spec: LayerSpec, config: Window, convolution: Convolution): FunctionLayer {
  const activate = activationFunction(config.activation ?? 'linear');
  if (activate === null) throw unsupported(spec, `activation "${config.activation}" is not supported`);
  const { kernels, filters, compute } = convolution;
  const initializers = kernels(1).map(() => spec.weights.next());
  const bias = config.use_bias ? spec.weights.next() : null;
  return new FunctionLayer({
    name: spec.name,
    kind: spec.kind,
    weights: (input) => {
      const channels = input.at(-1)!;
      const shapes = kernels(channels);
      return [
        ...initializers.map((initializer, place) => ({
          name: ['kernel', 'pointwise_kernel'][place]!,
          shape: shapes[place]!,
          initializer,
        })),
        ...(bias === null ? [] : [{ name: 'bias', shape: [filters(channels)], initializer: bias }]),
      ];
    },
    compute: ([x], weights) => {
      const products = compute(x as tf.Tensor4D, weights.slice(0, initializers.length) as tf.Tensor4D[]);
      return activate(bias === null ? products : tf.add(products, weights.at(-1)!));
    },
    outputShape: ([input]) => [
      input![0]!,
      ...[0, 1].map((axis) => outputLength(input![axis + 1]!, axis, config)),
      filters(input!.at(-1)!),
    ],
  });
}

function outputLength(length: number | null, axis: number, config: Window): number | null {
  if (length === null) return null;
  const covered = (config.kernel_size[axis]! - 1) * config.dilation_rate[axis]! + 1;
  return Math.ceil((config.padding === 'same' ? length : length - covered + 1) / config.strides[axis]!);
}

export const CONVOLUTION_LAYERS = {
  Conv2D: conv2d,
  DepthwiseConv2D: depthwiseConv2d,
  SeparableConv2D: separableConv2d,
};
