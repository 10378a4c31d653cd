import { existsSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { layers, sequential } from '@tensorflow/tfjs-layers';
import type { Phase } from '../../../examples/quickstart/train-classifier.ts';
import { runPhases } from '../../../examples/quickstart/train-classifier.ts';
import type { DataSource } from '../../../worker/load-data.ts';
import { loadModelAndData } from '../../../worker/load-data.ts';
import { makeRandom } from '../../../worker/random.ts';
import { drawWeights } from '../../bench/networks.ts';
import { writeModel } from '../../helpers/made-data.ts';

type Network =
  | { readonly kind: 'image'; readonly channels: 1 | 3 }
  | { readonly kind: 'table'; readonly width: number };

interface BaseOptions {
  readonly network: Network;
  readonly epochs: number;
  readonly seed: number;
}

const SIDE = 64;

/**
 * Trains the classifier that the study mitigates, on the rows of split `train` and without a look at groups: class-
 * balanced cross entropy, Adam, flips. Nothing is done when it is there.
 */
export async function trainBase(source: DataSource, { network, epochs, seed }: BaseOptions): Promise<void> {
  if (existsSync(source.model)) return;
  const partial = `${source.model}.partial`;
  await rm(partial, { recursive: true, force: true });
  const untrained = network.kind === 'image' ? imageNetwork(network.channels) : tableNetwork(network.width);
  drawWeights(untrained.layers, seed);
  await writeModel(partial, untrained);
  untrained.dispose();
  const { model, manifest, inputs } = await loadModelAndData(
    { ...source, model: partial },
    new AbortController().signal,
  );
  try {
    const rows = Array.from({ length: manifest.size }, (_, row) => row);
    const { groups, groupNames } = manifest.sensitiveFeatures[0]!;
    const phases: Phase[] = [
      { epochs: epochs - 2, learningRate: 3e-3 },
      { epochs: 2, learningRate: 3e-4 },
    ];
    await runPhases({
      model,
      set: {
        inputs,
        labels: manifest.labels,
        groups,
        groupNames,
        rows: rows.filter((row) => manifest.splits![row] === 'train'),
      },
      phases,
      random: makeRandom(seed).fork('base'),
    });
    await model.save(partial);
  } finally {
    model.dispose();
  }
  await rename(partial, source.model);
}

/** Three times convolution, batch norm, ReLU and pooling, as the PyTorch peer's `plain`. */
function imageNetwork(channels: number) {
  const blocks = [16, 32, 64].flatMap((filters, index) => [
    layers.conv2d({
      name: `conv${index + 1}`,
      filters,
      kernelSize: 3,
      padding: 'same',
      useBias: false,
      ...(index === 0 && { inputShape: [SIDE, SIDE, channels] }),
    }),
    layers.batchNormalization({ name: `norm${index + 1}`, momentum: 0.9 }),
    layers.reLU({ name: `relu${index + 1}` }),
    layers.maxPooling2d({ name: `pool${index + 1}`, poolSize: 2 }),
  ]);
  const features = layers.globalAveragePooling2d({ name: 'features' });
  return sequential({
    name: 'study',
    layers: [...blocks, features, layers.dense({ name: 'head', units: 1 })],
  });
}

function tableNetwork(width: number) {
  return sequential({
    name: 'study',
    layers: [
      layers.dense({ name: 'hidden1', units: 32, activation: 'relu', inputShape: [width] }),
      layers.dense({ name: 'hidden2', units: 16, activation: 'relu' }),
      layers.dense({ name: 'head', units: 1 }),
    ],
  });
}
