import { makeJudge } from '../search/judge.ts';
import { HEAD_ONLY } from '../search/share.ts';
import type { Method } from './method.ts';

/** Weights of the fairness term, from one that hardly counts to one that decides; ours, the paper tunes its own. */
const DISPARITY_WEIGHTS = [0.1, 0.3, 1, 3, 10, 30];

/**
 * Differs from the control `head-only` in the settings alone: no pull of the weights towards 0, and a grid that goes
 * on to where the fairness term decides.
 */
export const llft: Method = {
  name: 'llft',
  about: 'The last layer is solved anew with a fairness term of growing weight.',
  source: 'Last-layer fairness fine-tuning, arXiv 2304.03935',
  expectedEpochs: () => 3,
  propose: async (context) => {
    const { selection, head } = context.options;
    const settings = { ...head, ridge: 0, disparityWeights: DISPARITY_WEIGHTS };
    const judge = await makeJudge({ ...context, selection, head: settings });
    return { kind: 'candidates', candidates: await judge.withHeads({ ...HEAD_ONLY, id: 'llft' }) };
  },
};
