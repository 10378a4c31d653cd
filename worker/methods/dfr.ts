import type { LogisticInput, LogisticOptions } from '../../core/fairness/statistics/logistic.ts';
import { fitLogistic } from '../../core/fairness/statistics/logistic.ts';
import type { Standardization } from '../../core/fairness/statistics/standardization.ts';
import { extractFeatures } from '../../core/model/predict.ts';
import { foldHead, offsetsOf, standardize } from '../bmft/solve-head.ts';
import type { Random } from '../random.ts';
import { restoreSnapshot, takeSnapshot } from '../search/snapshot.ts';
import type { TrainingSet } from '../training/batch.ts';
import { cellsOf } from '../training/sampler.ts';
import type { Method } from './method.ts';

/** Balanced subsets whose solutions are averaged, as the paper's code has them on training data. */
const SUBSETS = 10;
/** Strengths of the paper's code, every second one. */
const STRENGTHS = [1, 0.3, 0.1, 0.03, 0.01];
const PENALTIES = ['l1', 'l2'] as const;

export const dfr: Method = {
  name: 'dfr',
  about:
    'The head is a logistic regression on features of the tune part, averaged over balanced subsets of it.',
  source: 'Deep feature reweighting, arXiv 2204.02937',
  expectedEpochs: () => 6,
  propose: async ({ model, tune, judge, random, signal }) => {
    const start = takeSnapshot(model);
    const features = await extractFeatures({ model, inputs: tune.inputs, rows: tune.rows }, { signal });
    const hasIntercept = model.head.bias !== null;
    const { standardized, ...scale } = standardize(features, hasIntercept);
    const known = {
      features: standardized,
      width: features.shape[1],
      labels: Int32Array.from(tune.rows, (row) => tune.labels[row]!),
      offsets: offsetsOf({ model, features }),
      hasIntercept,
    };
    features.dispose();
    const subsets = balancedSubsets(tune, random.fork('dfr'));
    const candidates = [];
    for (const penalty of PENALTIES) {
      for (const strength of STRENGTHS) {
        restoreSnapshot(model, start);
        foldHead(model, averageFit(known, subsets, { penalty, strength }), scale satisfies Standardization);
        const about = {
          kind: 'control',
          id: `dfr-${penalty}-c${strength}`,
          percentile: null,
          curve: [],
        } as const;
        candidates.push(await judge.asItStands({ ...about, settings: { penalty, strength } }));
      }
    }
    return { kind: 'candidates', candidates };
  },
};

/** Places among the set's rows; every (group, label) cell gives as many as the smallest has, without replacement. */
export function balancedSubsets(set: TrainingSet, random: Random): number[][] {
  const placeOf = new Map(set.rows.map((row, place) => [row, place]));
  const cells = cellsOf(set).filter(({ rows }) => rows.length > 0);
  const size = Math.min(...cells.map(({ rows }) => rows.length));
  return Array.from({ length: SUBSETS }, () =>
    cells.flatMap(({ rows }) =>
      random
        .shuffle(rows)
        .slice(0, size)
        .map((row) => placeOf.get(row)!),
    ),
  );
}

/** Mean of the solutions on the subsets. */
export function averageFit(
  input: LogisticInput,
  subsets: readonly (readonly number[])[],
  options: LogisticOptions,
): Float64Array {
  const fits = subsets.map((places) => fitLogistic(subsetOf(input, places), options));
  return fits[0]!.map((_, entry) => fits.reduce((sum, fit) => sum + fit[entry]!, 0) / fits.length);
}

function subsetOf(input: LogisticInput, places: readonly number[]): LogisticInput {
  const { width } = input;
  const features = new Float32Array(places.length * width);
  places.forEach((from, to) => {
    features.set(input.features.subarray(from * width, (from + 1) * width), to * width);
  });
  return {
    ...input,
    features,
    labels: Int32Array.from(places, (place) => input.labels[place]!),
    offsets: Float64Array.from(places, (place) => input.offsets[place]!),
  };
}
