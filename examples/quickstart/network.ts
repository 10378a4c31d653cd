import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { layers, sequential } from '@tensorflow/tfjs-layers';
import type { Random } from '../../worker/random.ts';
import { normal, SIDE } from './draw-lesion.ts';

/** Filters of the three convolutions. */
const WIDTHS = [8, 16, 6] as const;

/** How the network wants its pixels: [0, 1], then centred. */
export const PREPROCESS = { scale: 1 / 255, mean: 0.5, std: 0.25, channels: 'RGB', output: 'logit' } as const;

/**
 * Writes the network, untrained: three times convolution, batch norm, ReLU and pooling, then the largest value
 * over all places and one logit. Kernels are drawn as He et al. (arXiv 1502.01852) draw them, from `random` alone.
 *
 * Few features, each the largest over the picture: where one reacts to ink as well as to the lesion, ink drowns
 * the lesion out, and no new head can tell them apart. With a mean over 32 features a new head alone can.
 */
export async function writeUntrained(folder: string, random: Random): Promise<void> {
  const network = makeNetwork();
  try {
    for (const layer of network.layers) drawKernel(layer, random.fork(layer.name));
    await mkdir(folder, { recursive: true });
    await network.save(tf.io.withSaveHandler((artifacts) => writeArtifacts(folder, artifacts)));
    await writeFile(path.join(folder, 'preprocess.json'), `${JSON.stringify(PREPROCESS, null, 2)}\n`);
  } finally {
    network.dispose();
  }
}

function makeNetwork() {
  const blocks = WIDTHS.flatMap((filters, index) => [
    layers.conv2d({
      name: `conv${index + 1}`,
      filters,
      kernelSize: 3,
      padding: 'same',
      useBias: false, // batch norm has its own
      kernelInitializer: 'zeros', // drawn afterwards, from our seed
      ...(index === 0 && { inputShape: [SIDE, SIDE, 3] }),
    }),
    layers.batchNormalization({ name: `norm${index + 1}`, momentum: 0.9 }),
    layers.reLU({ name: `relu${index + 1}` }),
    layers.maxPooling2d({ name: `pool${index + 1}`, poolSize: 2 }),
  ]);
  const head = layers.dense({ name: 'head', units: 1, kernelInitializer: 'zeros' });
  return sequential({
    name: 'lesions',
    layers: [...blocks, layers.globalMaxPooling2d({ name: 'features' }), head],
  });
}

type Layer = ReturnType<typeof makeNetwork>['layers'][number];

/** N(0, 2 / fan-in) for convolutions; the head keeps its zeros. */
function drawKernel(layer: Layer, random: Random): void {
  if (layer.getClassName() !== 'Conv2D') return;
  const shape = layer.getWeights()[0]!.shape;
  const [height, width, channels] = shape as [number, number, number, number];
  const deviation = Math.sqrt(2 / (height * width * channels));
  const values = Float32Array.from(
    { length: tf.util.sizeFromShape(shape) },
    () => deviation * normal(random),
  );
  tf.tidy(() => layer.setWeights([tf.tensor(values, shape)]));
}

async function writeArtifacts(folder: string, artifacts: tf.io.ModelArtifacts): Promise<tf.io.SaveResult> {
  const json = {
    format: 'layers-model',
    generatedBy: artifacts.generatedBy,
    modelTopology: artifacts.modelTopology,
    weightsManifest: [{ paths: ['weights.bin'], weights: artifacts.weightSpecs }],
  };
  await writeFile(path.join(folder, 'model.json'), JSON.stringify(json));
  const weights = tf.io.CompositeArrayBuffer.join(artifacts.weightData);
  await writeFile(path.join(folder, 'weights.bin'), new Uint8Array(weights));
  return { modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: 'JSON' } };
}
