import * as tf from '@tensorflow/tfjs-core';
import type { Classifier } from '../../core/model/classifier.ts';
import { headParameters } from '../../core/model/classifier.ts';
import type { Batch } from '../training/batch.ts';
import type { LossTerms } from '../training/gradients.ts';
import type { EpochLosses } from '../training/loop.ts';
import { trainEpochs } from '../training/loop.ts';
import { sgd } from '../training/optimizers.ts';
import { withoutTape } from '../training/tape.ts';
import { makeFeatureSource } from './feature-source.ts';
import type { Mask } from './mask.ts';
import { lossTerms } from './objective.ts';
import type { EpochsHeadOptions } from './options.ts';
import type { StageInput } from './tune-body.ts';
import { augmented, forwardMode } from './tune-body.ts';

export interface RefitHeadInput extends StageInput {
  readonly options: EpochsHeadOptions;
}

/**
 * Stage 2 as released: the head is reset and trained for some epochs with the body's weights frozen. Where nothing
 * moves or turns what the head reads, each sample goes through the body once.
 *
 * @returns the losses of each batch
 * @see docs/method.md#stage-2
 */
export async function refitHead(input: RefitHeadInput): Promise<EpochLosses[]> {
  const { model, set, mask, options, random } = input;
  resetHead(model, mask, options.reset);
  const isConstant = !options.augment && !options.normalizationMoves;
  const loss = headLoss(input, isConstant);
  return trainEpochs({
    ...input,
    set: isConstant ? { ...set, inputs: makeFeatureSource(model, set.inputs) } : set,
    parameters: headParameters(model),
    epochs: options.epochs,
    optimizer: sgd({
      learningRate: options.learningRates[0]!,
      momentum: options.momentum,
      decay: options.weightDecay,
    }),
    lossOf: options.augment ? augmented(loss, model, random) : loss,
  });
}

/** The body's forward pass stays off the tape, so the backward pass ends at the head and keeps no activation. */
function headLoss(
  { model, objective, options, random }: RefitHeadInput,
  isConstant: boolean,
): (batch: Batch) => LossTerms {
  const mode = forwardMode(options, random);
  const featuresOf = ({ inputs }: Batch): tf.Tensor2D =>
    isConstant ? (inputs as tf.Tensor2D) : withoutTape(() => tf.tidy(() => model.features(inputs, mode)));
  return (batch) => lossTerms(model.headLogits(featuresOf(batch)), batch, { objective, weights: options });
}

function resetHead(model: Classifier, mask: Mask, reset: EpochsHeadOptions['reset']): void {
  for (const { name, variable, shape } of headParameters(model)) {
    const entries = mask.values.get(name)!;
    const mean = entries.reduce((sum, entry) => sum + entry, 0) / entries.length;
    const values = variable.dataSync().map((weight, place) => {
      const isReset = reset === 'all' || entries[place]! > mean;
      return isReset ? 0 : weight;
    });
    tf.tidy(() => variable.assign(tf.tensor(values, [...shape])));
  }
}
