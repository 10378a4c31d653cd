import * as tf from '@tensorflow/tfjs-core';
import { gapOf, LABELS_OF, membersOf, negativeLogLikelihoods } from '../bmft/losses.ts';
import { sigmoid } from '../search/logit.ts';
import type { BatchTruth } from '../training/batch.ts';
import { truthOf } from '../training/batch.ts';
import { fineTune, fineTuneEpochs } from './fine-tune.ts';
import type { Method } from './method.ts';
import { ONE_FEATURE } from './method.ts';

export const diffBias: Method = {
  name: 'diff-bias',
  about:
    'All weights descend on the gap of mean scores alone, in the direction in which it lay at the start.',
  source: 'Bias gradient descent/ascent, arXiv 2208.00781',
  expectedEpochs: (options) => fineTuneEpochs(options, 1),
  propose: async (context) => {
    const { judge, select, objective, tune } = context;
    if (tune.groupings) return { kind: 'not-applicable', reason: ONE_FEATURE };
    if (tune.groupNames.length !== 2) {
      return {
        kind: 'not-applicable',
        reason: `defined for 2 groups, the data have ${tune.groupNames.length}`,
      };
    }
    const labels = LABELS_OF[objective.metric];
    const scores = (await judge.logits()).map(sigmoid);
    const directions = directionsOf(scores, truthOf(select, select.rows), labels);
    const makeLoss = () => (logits: tf.Tensor1D, batch: BatchTruth) => {
      const gaps = labels.map((label, place) =>
        tf.mul(gapOf(tf.sigmoid(logits), pairOf(batch, label)), directions[place]!),
      );
      const disparityLoss = tf.div(tf.addN(gaps), gaps.length) as tf.Scalar;
      const taskLoss = tf.mean(negativeLogLikelihoods(logits, batch)) as tf.Scalar; // for the curves
      return { loss: disparityLoss, taskLoss, disparityLoss };
    };
    const candidates = await fineTune(context, [{ id: 'diff-bias', settings: {}, makeLoss }]);
    return { kind: 'candidates', candidates };
  },
};

const pairOf = (truth: BatchTruth, label: 0 | 1 | null) =>
  [membersOf(truth, { group: 0, label }), membersOf(truth, { group: 1, label })] as const;

/** Signs of the gaps of mean scores: 1 to descend on first minus second group, -1 to ascend. */
function directionsOf(
  scores: Float32Array,
  { groups, labels }: BatchTruth,
  conditions: readonly (0 | 1 | null)[],
): number[] {
  return conditions.map((condition) => {
    const meanOf = (group: number) => {
      const own = scores.filter(
        (_, row) => groups[row] === group && (condition === null || labels[row] === condition),
      );
      return own.reduce((sum, score) => sum + score, 0) / own.length;
    };
    return meanOf(0) >= meanOf(1) ? 1 : -1;
  });
}
