import * as tf from '@tensorflow/tfjs-core';
import type { SelectFigures } from '../../core/jobs/run-record.ts';
import type { Parameter } from '../../core/model/classifier.ts';
import { INFERENCE, weightsOf } from '../../core/model/classifier.ts';
import type { Importance } from '../bmft/importance.ts';
import { importancesOf } from '../bmft/importance.ts';
import { negativeLogLikelihoods } from '../bmft/losses.ts';
import { percentile } from '../bmft/mask.ts';
import { restoreSnapshot, takeSnapshot } from '../search/snapshot.ts';
import type { Method, MethodContext } from './method.ts';
import { ONE_FEATURE } from './method.ts';

/** Shares of the weights that are pruned, and how much the privileged group counts; ours, small networks break early. */
const SHARES = [0.002, 0.01, 0.05, 0.2];
const BETAS = [0.33, 0.67];
/** Samples of a group, each with a backward pass of its own. */
const MOST_SAMPLES = 200;

export const fairPrune: Method = {
  name: 'fairprune',
  about: 'Weights that matter to the group that is served better and not to the other are set to zero.',
  source: 'FairPrune, arXiv 2203.02110',
  expectedEpochs: () => 5,
  propose: async (context) => {
    const { model, judge, tune } = context;
    if (tune.groupings) return { kind: 'not-applicable', reason: ONE_FEATURE };
    const start = takeSnapshot(model);
    const parameters = weightsOf(model);
    const { worst, best } = servedGroups(judge.original);
    const [unprivileged, privileged] = [await curvatureOf(context, worst), await curvatureOf(context, best)];
    const candidates = [];
    for (const beta of BETAS) {
      const saliency = saliencies(parameters, { unprivileged, privileged, beta });
      for (const share of SHARES) {
        restoreSnapshot(model, start);
        prune(parameters, saliency, share);
        const settings = { share, beta };
        const about = { kind: 'control', percentile: null, curve: [], settings } as const;
        candidates.push(await judge.asItStands({ ...about, id: `fairprune-b${beta}-s${share}` }));
      }
    }
    return { kind: 'candidates', candidates };
  },
};

/** Groups with the lowest and the highest balanced accuracy on the select part. */
function servedGroups({ groups }: SelectFigures): { readonly worst: number; readonly best: number } {
  const accuracies = groups.map(
    ({ truePositiveRate, falsePositiveRate }) => (truePositiveRate! + 1 - falsePositiveRate!) / 2,
  );
  const order = [...accuracies.keys()].sort((a, b) => accuracies[a]! - accuracies[b]!);
  return { worst: order[0]!, best: order.at(-1)! };
}

/** Diagonal of the group's Hessian as the mean squared gradient of the log-loss of single samples. */
async function curvatureOf(context: MethodContext, group: number): Promise<Importance> {
  const { model, tune, random, signal } = context;
  const own = tune.rows.filter((row) => tune.groups[row] === group);
  const rows = random.fork(`fairprune/${group}`).shuffle(own).slice(0, MOST_SAMPLES);
  const { sample } = await importancesOf({
    set: tune,
    parameters: weightsOf(model),
    batches: rows.map((row) => [row]),
    lossesOf: (batch) => ({
      sample: tf.sum(negativeLogLikelihoods(model.logits(batch.inputs, INFERENCE), batch)) as tf.Scalar,
    }),
    signal,
  });
  return sample.all;
}

/** ½ θ² (H_unprivileged − β H_privileged), by parameter name */
export function saliencies(
  parameters: readonly Parameter[],
  {
    unprivileged,
    privileged,
    beta,
  }: { readonly unprivileged: Importance; readonly privileged: Importance; readonly beta: number },
): Importance {
  return new Map(
    parameters.map(({ name, variable }) => {
      const [low, high] = [unprivileged.get(name)!, privileged.get(name)!];
      const weights = variable.dataSync();
      return [
        name,
        Float64Array.from(
          weights,
          (weight, place) => (weight ** 2 / 2) * (low[place]! - beta * high[place]!),
        ),
      ];
    }),
  );
}

/** Sets the share of all weights with the smallest saliency to zero; those that matter to nobody stay. */
export function prune(parameters: readonly Parameter[], saliency: Importance, share: number): void {
  const all = Float64Array.from(parameters.flatMap(({ name }) => [...saliency.get(name)!]));
  const limit = percentile(all, 100 * share);
  for (const { name, variable, shape } of parameters) {
    const own = saliency.get(name)!;
    tf.tidy(() => {
      const kept = variable.dataSync().map((weight, place) => (own[place]! < limit ? 0 : weight));
      variable.assign(tf.tensor(kept, [...shape]));
    });
  }
}
