import * as tf from '@tensorflow/tfjs-core';
import type { CurvePoint } from '../../core/jobs/run-record.ts';
import { INFERENCE, weightsOf } from '../../core/model/classifier.ts';
import { batchesBy } from '../bmft/batches.ts';
import { negativeLogLikelihoods } from '../bmft/losses.ts';
import type { LossWeights } from '../bmft/objective.ts';
import { lossTerms } from '../bmft/objective.ts';
import type { Candidate } from '../search/candidate.ts';
import { restoreSnapshot, takeSnapshot } from '../search/snapshot.ts';
import type { Batch } from '../training/batch.ts';
import type { LossTerms } from '../training/gradients.ts';
import { trainEpochs } from '../training/loop.ts';
import { sgd } from '../training/optimizers.ts';
import type { ComparedOptions, MethodContext } from './method.ts';

/** Of the logits [B] of a batch; its terms go into the curves. */
type LogitsLoss = (logits: tf.Tensor1D, batch: Batch) => LossTerms;

/** One setting of a fine-tuning. */
export interface FineTuning {
  readonly id: string;
  readonly settings: Readonly<Record<string, number>>;
  /** Makes the loss of one training; what it remembers from batch to batch is its own. */
  readonly makeLoss: () => LogitsLoss;
}

/**
 * Trains every weight, body and head, as `robust` trains those in its mask: the same optimiser, batches, epochs and
 * checkpoints, batch norm and dropout in inference mode; its rates and a tenth of them, since what suits a part of the
 * weights may be too much for all. Each checkpoint is a candidate with the head it has.
 */
export async function fineTune(context: MethodContext, tunings: readonly FineTuning[]): Promise<Candidate[]> {
  const start = takeSnapshot(context.model);
  const candidates: Candidate[] = [];
  for (const tuning of tunings) {
    for (const learningRate of ratesOf(context.options)) {
      restoreSnapshot(context.model, start);
      candidates.push(...(await trainAndJudge(context, tuning, learningRate)));
    }
  }
  return candidates;
}

function ratesOf({ body: { learningRates } }: ComparedOptions): number[] {
  return learningRates.flatMap((rate) => [rate, rate / 10]);
}

async function trainAndJudge(
  { model, tune, options, judge, random, signal }: MethodContext,
  { id, settings, makeLoss }: FineTuning,
  learningRate: number,
): Promise<Candidate[]> {
  const { body, selection } = options;
  const judged: Candidate[] = [];
  const curve: CurvePoint[] = [];
  const lossOf = makeLoss();
  await trainEpochs({
    set: tune,
    parameters: weightsOf(model),
    optimizer: sgd({ learningRate, momentum: body.momentum, decay: body.weightDecay }),
    epochs: body.epochs,
    batchesOf: batchesBy(body.batching, tune, { options, random: random.fork(`fine-tune/${learningRate}`) }),
    lossOf: (batch) => lossOf(model.logits(batch.inputs, INFERENCE), batch),
    onEpoch: async (epoch, losses) => {
      curve.push({ step: epoch + 1, ...losses });
      if (!selection.checkpoints.includes(epoch + 1)) return;
      const about = { kind: 'control', percentile: null, curve: [...curve] } as const;
      const own = { ...settings, learningRate, epochs: epoch + 1 };
      judged.push(
        await judge.asItStands({ ...about, id: `${id}-lr${learningRate}-e${epoch + 1}`, settings: own }),
      );
    },
    signal,
  });
  return judged;
}

/** Training and one pass over the select part at each checkpoint, for so many settings. */
export function fineTuneEpochs(
  { body, selection: { checkpoints } }: ComparedOptions,
  settings: number,
): number {
  return settings * 2 * body.learningRates.length * (body.epochs + 0.5 * checkpoints.length);
}

/**
 * A loss in place of the task loss, with the disparity loss beside it.
 *
 * @param taskOf  of the negative log likelihood of each sample [B], scalar
 */
export function withTask(
  { objective }: MethodContext,
  weights: LossWeights,
  taskOf: (losses: tf.Tensor1D, batch: Batch) => tf.Scalar,
): LogitsLoss {
  return (logits, batch) => {
    const { disparityLoss } = lossTerms(logits, batch, { objective, weights });
    const taskLoss = taskOf(negativeLogLikelihoods(logits, batch), batch);
    const loss = tf.add(
      tf.mul(taskLoss, weights.taskWeight),
      tf.mul(disparityLoss, weights.disparityWeight),
    ) as tf.Scalar;
    return { loss, taskLoss, disparityLoss };
  };
}
