import * as tf from '@tensorflow/tfjs-core';
import { lossTerms } from '../bmft/objective.ts';
import type { Batch, TrainingSet } from '../training/batch.ts';
import { cellsOf } from '../training/sampler.ts';
import type { FineTuning } from './fine-tune.ts';
import { fineTune, fineTuneEpochs, withTask } from './fine-tune.ts';
import type { Method, MethodContext } from './method.ts';

const KAMIRAN = 'Kamiran and Calders 2012 (doi 10.1007/s10115-011-0463-8)';

export const reweighting: Method = {
  name: 'reweighting',
  about: 'All weights are tuned on a loss that weighs samples so that group and label look independent.',
  source: KAMIRAN,
  expectedEpochs: (options) => fineTuneEpochs(options, 1),
  propose: async (context) => ({
    kind: 'candidates',
    candidates: await fineTune(context, [weighted(context, 0)]),
  }),
};

export const disparity: Method = {
  name: 'disparity',
  about: "All weights are tuned on robust's task and disparity loss.",
  source: 'docs/method.md#disparity-loss, without a mask',
  expectedEpochs: (options) => fineTuneEpochs(options, options.body.disparityWeights.length),
  propose: async (context) => {
    const { objective, options } = context;
    const tunings = options.body.disparityWeights.map((disparityWeight): FineTuning => {
      const weights = { taskWeight: options.body.taskWeight, disparityWeight };
      return {
        id: `disparity-d${disparityWeight}`,
        settings: { disparityWeight },
        makeLoss: () => (logits, batch) => lossTerms(logits, batch, { objective, weights }),
      };
    });
    return { kind: 'candidates', candidates: await fineTune(context, tunings) };
  },
};

export const reweightingDisparity: Method = {
  name: 'reweighting-disparity',
  about: 'All weights are tuned on the reweighted loss and the disparity loss together.',
  source: `${KAMIRAN}, with docs/method.md#disparity-loss`,
  expectedEpochs: (options) => fineTuneEpochs(options, options.body.disparityWeights.length),
  propose: async (context) => {
    const tunings = context.options.body.disparityWeights.map((weight) => weighted(context, weight));
    return { kind: 'candidates', candidates: await fineTune(context, tunings) };
  },
};

function weighted(context: MethodContext, disparityWeight: number): FineTuning {
  const weights = cellWeights(context.tune);
  return {
    id: disparityWeight === 0 ? 'reweighting' : `reweighting-disparity-d${disparityWeight}`,
    settings: disparityWeight === 0 ? {} : { disparityWeight },
    makeLoss: () =>
      withTask(context, { taskWeight: 1, disparityWeight }, (losses, batch) =>
        tf.mean(tf.mul(losses, tf.tensor1d(sampleWeights(batch, weights)))),
      ),
  };
}

/**
 * P(group) P(label) / P(group, label) over the set, at group · 2 + label: with them each group has the same share of
 * positives. 0 where no row is.
 */
export function cellWeights(set: TrainingSet): Float32Array {
  const cells = cellsOf(set);
  const total = (keep: (cell: (typeof cells)[number]) => boolean) =>
    cells.filter(keep).reduce((sum, { rows }) => sum + rows.length, 0);
  return Float32Array.from(cells, ({ group, label, rows }) => {
    if (rows.length === 0) return 0;
    const ofGroup = total((cell) => cell.group === group);
    const ofLabel = total((cell) => cell.label === label);
    return (ofGroup * ofLabel) / (set.rows.length * rows.length);
  });
}

function sampleWeights({ groups, labels }: Batch, weights: Float32Array): Float32Array {
  return Float32Array.from(groups, (group, row) => weights[group * 2 + labels[row]!]!);
}
