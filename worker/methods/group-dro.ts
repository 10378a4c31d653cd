import * as tf from '@tensorflow/tfjs-core';
import type { Batch } from '../training/batch.ts';
import { cellsOf } from '../training/sampler.ts';
import { fineTune, fineTuneEpochs, withTask } from './fine-tune.ts';
import type { Method } from './method.ts';

/** η of the paper. */
const STEP_SIZE = 0.01;

export const groupDro: Method = {
  name: 'group-dro',
  about: 'All weights are tuned on the loss of the (group, label) cells, the worst ones weighing ever more.',
  source: 'Group distributionally robust optimisation, arXiv 1911.08731',
  expectedEpochs: (options) => fineTuneEpochs(options, 1),
  propose: async (context) => {
    const isPresent = cellsOf(context.tune).map(({ rows }) => rows.length > 0);
    const makeLoss = () => {
      let shares = isPresent.map((present) => (present ? 1 / isPresent.filter(Boolean).length : 0));
      return withTask(context, { taskWeight: 1, disparityWeight: 0 }, (losses, batch) => {
        const cellLosses = cellMembers(batch, shares.length).map(({ indicator, count }) =>
          tf.div(tf.sum(tf.mul(losses, indicator)), count),
        );
        const values = cellLosses.map((loss) => loss.dataSync()[0]!);
        shares = movedShares(shares, values, STEP_SIZE);
        return tf.addN(cellLosses.map((loss, cell) => tf.mul(loss, shares[cell]!))) as tf.Scalar;
      });
    };
    const candidates = await fineTune(context, [
      { id: 'group-dro', settings: { stepSize: STEP_SIZE }, makeLoss },
    ]);
    return { kind: 'candidates', candidates };
  },
};

/** q ← q exp(η L) / Σ q exp(η L) */
export function movedShares(
  shares: readonly number[],
  losses: readonly number[],
  stepSize: number,
): number[] {
  const grown = shares.map((share, cell) => share * Math.exp(stepSize * losses[cell]!));
  const total = grown.reduce((sum, share) => sum + share, 0);
  return grown.map((share) => share / total);
}

/** Of the cell group · 2 + label; one without members has a loss of 0, as in the paper's code. */
function cellMembers({ groups, labels }: Batch, cells: number) {
  return Array.from({ length: cells }, (_, cell) => {
    const indicator = Float32Array.from(groups, (group, row) => (group * 2 + labels[row]! === cell ? 1 : 0));
    return {
      indicator,
      count: Math.max(
        1,
        indicator.reduce((sum, entry) => sum + entry, 0),
      ),
    };
  });
}
