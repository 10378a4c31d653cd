import * as tf from '@tensorflow/tfjs-core';
import { cellMean, membersOf } from '../bmft/losses.ts';
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
    const cells = cellsOf(context.tune);
    const isPresent = cells.map(({ rows }) => rows.length > 0);
    const makeLoss = () => {
      let shares = isPresent.map((present) => (present ? 1 / isPresent.filter(Boolean).length : 0));
      return withTask(context, { taskWeight: 1, disparityWeight: 0 }, (losses, batch) => {
        // one without members in a batch has a loss of 0, as in the paper's code
        const cellLosses = cells.map((cell) => cellMean(losses, membersOf(batch, cell)));
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
