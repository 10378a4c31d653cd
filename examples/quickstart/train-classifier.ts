import { rm } from 'node:fs/promises';
import * as tf from '@tensorflow/tfjs-core';
import { openImageInputs } from '../../core/data/inputs.ts';
import { loadManifest } from '../../core/data/manifest.ts';
import { parsePreprocess, resolvePreprocess } from '../../core/data/preprocess.ts';
import type { Classifier } from '../../core/model/classifier.ts';
import { loadTfjsLayers } from '../../core/model/formats/tfjs-layers.ts';
import { startBackend } from '../../worker/backend.ts';
import { countClasses, prepareTaskLoss } from '../../worker/bmft/losses.ts';
import { augmented } from '../../worker/bmft/tune-body.ts';
import type { Random } from '../../worker/random.ts';
import { makeRandom } from '../../worker/random.ts';
import type { Batch, TrainingSet } from '../../worker/training/batch.ts';
import type { LossTerms } from '../../worker/training/gradients.ts';
import type { EpochLosses } from '../../worker/training/loop.ts';
import { trainEpochs } from '../../worker/training/loop.ts';
import { adam } from '../../worker/training/optimizers.ts';
import { sliceBatches } from '../../worker/training/sampler.ts';
import type { InkShares } from './lesions.ts';
import { COLUMNS, writeLesions } from './lesions.ts';
import { PREPROCESS, writeUntrained } from './network.ts';

export interface TrainOptions {
  /** Folder of the model, written over. */
  readonly model: string;
  /** Folder for the training images. */
  readonly data: string;
  readonly images: number;
  readonly ink: InkShares;
  readonly seed: number;
  readonly phases: readonly Phase[];
  readonly onEpoch?: (losses: EpochLosses) => void;
}

/** Epochs of Adam at one learning rate. */
export interface Phase {
  readonly epochs: number;
  readonly learningRate: number;
}

const BATCH_SIZE = 64;

/** Trains the quickstart's classifier from scratch and saves it; the same options give the same bytes. */
export async function trainClassifier(options: TrainOptions): Promise<void> {
  await startBackend('wasm');
  const random = makeRandom(options.seed);
  await writeUntrained(options.model, random.fork('weights'));
  const model = await loadTfjsLayers(options.model);
  try {
    const set = await makeTrainingSet(options, model);
    await runPhases({ ...options, model, set, random });
    await model.save(options.model);
  } finally {
    model.dispose();
  }
}

async function makeTrainingSet(
  { data, images, seed, ink }: TrainOptions,
  model: Classifier,
): Promise<TrainingSet> {
  await rm(data, { recursive: true, force: true });
  const file = await writeLesions(data, [{ split: 'train', count: images, ink, seed }]);
  const manifest = await loadManifest(file, COLUMNS);
  const spec = resolvePreprocess(parsePreprocess(PREPROCESS, 'quickstart'), model.inputShape);
  const { groups, groupNames } = manifest.sensitiveFeatures[0]!;
  return {
    inputs: openImageInputs(manifest, spec),
    rows: Array.from({ length: manifest.size }, (_, row) => row),
    labels: manifest.labels,
    groups,
    groupNames,
  };
}

interface PhasesInput extends Pick<TrainOptions, 'phases' | 'onEpoch'> {
  readonly model: Classifier;
  readonly set: TrainingSet;
  readonly random: Random;
}

/** Trains every weight of a classifier, one phase after another. */
export async function runPhases({ model, set, phases, onEpoch, random }: PhasesInput): Promise<void> {
  const { kernel, bias } = model.head;
  const order = random.fork('order');
  const lossOf = augmented(trainingLoss(model, set), model, random);
  for (const { epochs, learningRate } of phases) {
    await trainEpochs({
      set,
      parameters: [...model.body, kernel, ...(bias ? [bias] : [])],
      optimizer: adam({ learningRate }),
      epochs,
      batchesOf: () => sliceBatches(order.shuffle(set.rows), BATCH_SIZE),
      lossOf,
      onEpoch: (_, losses) => onEpoch?.(losses),
    });
  }
}

/** Class-balanced cross entropy alone: nobody looked at groups when this classifier was trained. */
function trainingLoss(model: Classifier, set: TrainingSet): (batch: Batch) => LossTerms {
  const weights = countClasses(set.labels);
  return (batch) => {
    const logits = model.logits(batch.inputs, { training: true, nextSeed: () => 1 });
    const loss = prepareTaskLoss(batch, weights)(logits);
    return { loss, taskLoss: loss, disparityLoss: tf.scalar(0) };
  };
}
