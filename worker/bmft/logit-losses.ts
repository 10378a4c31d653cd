import type { BatchTruth } from '../training/batch.ts';
import type { LossValues } from '../training/gradients.ts';
import type { DisparityLossOptions, Members, Truth } from './losses.ts';
import { cellPairsOf, taskWeightsOf, truthsOf } from './losses.ts';
import type { LossWeights, Objective } from './objective.ts';

export interface LogitLosses extends LossValues {
  /** Of `loss` by each logit [N], or [N · K] of K classes. */
  readonly gradient: Float64Array;
}

/**
 * The losses of losses.ts with their gradients by the logits, in float64 and in closed form. A head solver asks for
 * them hundreds of times for a few numbers each, which on a tape takes two hundred kernels.
 *
 * @returns the losses of logits [N]
 * @throws EmptyGroupError when no term of the disparity has the support it needs (form `absolute`)
 */
export function prepareLogitLosses(
  truth: BatchTruth,
  { objective, weights }: { objective: Objective; weights: LossWeights },
): (logits: Float64Array) => LogitLosses {
  const { groupCount, groupings, metric, disparity } = objective;
  const sampleWeights = taskWeightsOf(truth, objective.classWeights);
  const disparityOf = prepareDisparity({ ...truth, groupCount, groupings }, { metric, ...disparity });
  return (logits) => {
    const scores = logits.map((logit) => 1 / (1 + Math.exp(-logit)));
    const { value: disparityLoss, gradient } = disparityOf(logits, scores);
    let taskLoss = 0;
    for (let row = 0; row < logits.length; row += 1) {
      const weight = sampleWeights[row]!;
      taskLoss += weight * (softplus(logits[row]!) - truth.labels[row]! * logits[row]!);
      gradient[row] =
        weights.taskWeight * weight * (scores[row]! - truth.labels[row]!) +
        weights.disparityWeight * gradient[row]!;
    }
    const loss = weights.taskWeight * taskLoss + weights.disparityWeight * disparityLoss;
    return { loss, taskLoss, disparityLoss, gradient };
  };
}

/** log(1 + exp(x)), without the overflow */
const softplus = (x: number): number => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));

/** A value, and its derivatives by what it was made of. */
interface Reduced {
  readonly value: number;
  readonly slopes: readonly number[];
}

/** Two cells as the rows of their members. */
type RowPair = readonly [Int32Array, Int32Array];

/** surrogate [N] → the disparity, with its gradient by the surrogate [N] */
export type SurrogateLosses = (surrogate: Float64Array) => {
  readonly value: number;
  readonly gradient: Float64Array;
};

/** The mean over groupings. */
function prepareDisparity(truth: Truth, options: DisparityLossOptions) {
  const disparityOf = averageLosses(truthsOf(truth).map((own) => prepareGroupingLoss(own, options)));
  const isScore = options.surrogate === 'score';
  return (logits: Float64Array, scores: Float64Array) => {
    const { value, gradient } = disparityOf(isScore ? scores : logits);
    return {
      value,
      gradient: isScore ? gradient.map((slope, row) => slope * scores[row]! * (1 - scores[row]!)) : gradient,
    };
  };
}

function averageLosses([first, ...others]: readonly SurrogateLosses[]): SurrogateLosses {
  if (others.length === 0) return first!;
  return (surrogate) => {
    const all = [first!, ...others].map((disparityOf) => disparityOf(surrogate));
    const gradient = surrogate.map(
      (_, row) => all.reduce((sum, own) => sum + own.gradient[row]!, 0) / all.length,
    );
    return { value: mean(all.map(({ value }) => value)), gradient };
  };
}

/**
 * Of one grouping.
 *
 * @throws EmptyGroupError when no term of the disparity has the support it needs (form `absolute`)
 */
export function prepareGroupingLoss(truth: Truth, options: DisparityLossOptions): SurrogateLosses {
  const byLabel = cellPairsOf(truth, options).map((pairs) =>
    pairs.map(([first, second]): RowPair => [rowsOf(first), rowsOf(second)]),
  );
  const pairs = byLabel.flat();
  return (surrogate) => {
    const gapsByLabel = byLabel.map((ofLabel) => ofLabel.map((pair) => gapOf(surrogate, pair)));
    const { value, slopes } = reduce(gapsByLabel, options);
    const gradient = new Float64Array(surrogate.length);
    for (const [place, [first, second]] of pairs.entries()) {
      spread(gradient, first, slopes[place]!);
      spread(gradient, second, -slopes[place]!);
    }
    return { value, gradient };
  };
}

function rowsOf({ indicator }: Members): Int32Array {
  return Int32Array.from(indicator.keys()).filter((row) => indicator[row] === 1);
}

function gapOf(surrogate: Float64Array, [first, second]: RowPair): number {
  return meanOf(surrogate, first) - meanOf(surrogate, second);
}

/** That of an empty cell counts as 0. */
function meanOf(surrogate: Float64Array, rows: Int32Array): number {
  let sum = 0;
  for (const row of rows) sum += surrogate[row]!;
  return sum / Math.max(rows.length, 1);
}

/** The gradient of a mean by its members, times `slope`. */
function spread(gradient: Float64Array, rows: Int32Array, slope: number): void {
  for (const row of rows) gradient[row]! += slope / rows.length;
}

/** All gaps to the disparity, with its derivative by each. */
function reduce(gapsByLabel: readonly (readonly number[])[], options: DisparityLossOptions): Reduced {
  if (options.form === 'signed') {
    const gaps = gapsByLabel.flat();
    const { value, slopes } = smoothAbsolute(mean(gaps), options);
    return { value, slopes: gaps.map(() => slopes[0]! / gaps.length) };
  }
  const terms = gapsByLabel.map((gaps) => {
    const absolute = gaps.map((gap) => smoothAbsolute(gap, options));
    const { value, slopes } = reduceGaps(
      absolute.map((term) => term.value),
      options,
    );
    return {
      value,
      slopes: slopes.map((slope, place) => (slope * absolute[place]!.slopes[0]!) / gapsByLabel.length),
    };
  });
  return { value: mean(terms.map(({ value }) => value)), slopes: terms.flatMap(({ slopes }) => slopes) };
}

function smoothAbsolute(gap: number, { smoothing }: DisparityLossOptions): Reduced {
  if (smoothing === 0) return { value: Math.abs(gap), slopes: [Math.sign(gap)] };
  const value = Math.sqrt(gap * gap + smoothing);
  return { value, slopes: [gap / value] };
}

function reduceGaps(gaps: readonly number[], { reduction }: DisparityLossOptions): Reduced {
  if (gaps.length === 1) return { value: gaps[0]!, slopes: [1] };
  const largest = Math.max(...gaps);
  switch (reduction) {
    case 'max': {
      const count = gaps.filter((gap) => gap === largest).length;
      return { value: largest, slopes: gaps.map((gap) => (gap === largest ? 1 / count : 0)) };
    }
    case 'mean':
      return { value: mean(gaps), slopes: gaps.map(() => 1 / gaps.length) };
    case 'logSumExp': {
      const powers = gaps.map((gap) => Math.exp(gap - largest));
      const total = powers.reduce((sum, power) => sum + power, 0);
      return { value: largest + Math.log(total), slopes: powers.map((power) => power / total) };
    }
    default:
      return reduction satisfies never;
  }
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
