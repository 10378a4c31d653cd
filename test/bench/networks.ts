import * as tf from '@tensorflow/tfjs-core';
import { input, layers, model, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import { normal } from '../../examples/quickstart/draw-lesion.ts';
import { makeRandom } from '../../worker/random.ts';
import { writeModel } from '../helpers/made-data.ts';

/** The same two networks are in torch-step.py. */
export const NETWORKS = ['resnet14', 'mobilenet'] as const;
export type Network = (typeof NETWORKS)[number];

export const SIDE = 64;

/** Expansion, channels, blocks and first stride of each stage. */
const MOBILENET_STAGES = [
  [1, 16, 1, 1],
  [6, 24, 2, 2],
  [6, 32, 2, 2],
  [6, 64, 2, 2],
] as const;

/** Writes an untrained network as a tfjs LayersModel: a user's file, as far as the job can tell. */
export async function writeNetwork(network: Network, folder: string): Promise<void> {
  const image = input({ shape: [SIDE, SIDE, 3] });
  const features = network === 'resnet14' ? resnet14(image) : mobilenet(image);
  const pooled = layers.globalAveragePooling2d({ name: 'pool' }).apply(features);
  const logit = layers.dense({ units: 1, name: 'head' }).apply(pooled) as SymbolicTensor;
  const built = model({ inputs: image, outputs: logit, name: network });
  drawWeights(built.layers);
  await writeModel(folder, built);
  built.dispose();
}

/** Kernels of N(0, 2/fan-in) from one seed; the rest keeps what layers begin with. */
export function drawWeights(all: readonly layers.Layer[], seed = 0): void {
  const random = makeRandom(seed);
  for (const layer of all) {
    const [kernel, ...others] = layer.getWeights();
    if (kernel === undefined || kernel.rank < 2) continue;
    const fanIn = kernel.size / kernel.shape.at(layer.getClassName() === 'DepthwiseConv2D' ? -2 : -1)!;
    const values = Float32Array.from({ length: kernel.size }, () => normal(random) * Math.sqrt(2 / fanIn));
    tf.tidy(() => layer.setWeights([tf.tensor(values, kernel.shape), ...others]));
  }
}

interface Convolution {
  readonly filters: number;
  readonly size?: number;
  readonly strides?: number;
  readonly activation?: 'relu' | 'relu6';
}

function convolve(
  x: SymbolicTensor,
  { filters, size = 3, strides = 1, activation }: Convolution,
): SymbolicTensor {
  const y = layers
    .conv2d({
      filters,
      kernelSize: size,
      strides,
      padding: 'same',
      useBias: false,
      kernelInitializer: 'zeros',
    })
    .apply(x) as SymbolicTensor;
  return normalize(y, activation);
}

function normalize(x: SymbolicTensor, activation?: 'relu' | 'relu6'): SymbolicTensor {
  const y = layers.batchNormalization({ momentum: 0.9 }).apply(x) as SymbolicTensor;
  if (activation === undefined) return y;
  const limit = activation === 'relu6' ? { maxValue: 6 } : {};
  return layers.reLU(limit).apply(y) as SymbolicTensor;
}

const add = (x: SymbolicTensor, y: SymbolicTensor) => layers.add().apply([x, y]) as SymbolicTensor;

/** Six blocks of two convolutions; 16, 32, 64 channels at 64, 32, 16 pixels. */
function resnet14(image: SymbolicTensor): SymbolicTensor {
  let x = convolve(image, { filters: 16, activation: 'relu' });
  let channels = 16;
  for (const [stage, filters] of [16, 32, 64].entries()) {
    for (const block of [0, 1]) {
      const strides = block === 0 && stage > 0 ? 2 : 1;
      const inner = convolve(x, { filters, strides, activation: 'relu' });
      const outer = convolve(inner, { filters });
      const skip = channels === filters ? x : convolve(x, { filters, size: 1, strides });
      x = layers.reLU().apply(add(outer, skip)) as SymbolicTensor;
      channels = filters;
    }
  }
  return x;
}

/** Inverted residuals (arXiv 1801.04381), narrow. */
function mobilenet(image: SymbolicTensor): SymbolicTensor {
  let x = convolve(image, { filters: 16, strides: 2, activation: 'relu6' });
  for (const [expansion, filters, blocks, first] of MOBILENET_STAGES) {
    for (let block = 0; block < blocks; block += 1) {
      x = invertedResidual(x, { expansion, filters, strides: block === 0 ? first : 1 });
    }
  }
  return convolve(x, { filters: 160, size: 1, activation: 'relu6' });
}

function invertedResidual(
  x: SymbolicTensor,
  { expansion, filters, strides }: { expansion: number; filters: number; strides: number },
): SymbolicTensor {
  const channels = x.shape.at(-1)!;
  const wide =
    expansion === 1 ? x : convolve(x, { filters: channels * expansion, size: 1, activation: 'relu6' });
  const depthwise = layers
    .depthwiseConv2d({
      kernelSize: 3,
      strides,
      padding: 'same',
      useBias: false,
      depthwiseInitializer: 'zeros',
    })
    .apply(wide) as SymbolicTensor;
  const narrow = convolve(normalize(depthwise, 'relu6'), { filters, size: 1 });
  return strides === 1 && channels === filters ? add(x, narrow) : narrow;
}
