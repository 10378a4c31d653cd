import type { ScoreTable } from './score-column.ts';
import type { Bounds } from './statistics/mover.ts';
import { gamma, type Uniform } from './statistics/sampling.ts';

/** Why a figure of ranks is not defined. */
export function lackOfClass(positives: number): string {
  return `no ${positives === 0 ? 'positive' : 'negative'} labels`;
}

/** How far the AUC may be off where scores of one bin count as tied: half the share of pairs within bins. */
export function tieBound({ positives, negatives }: ScoreTable): number {
  let [tied, m, n] = [0, 0, 0];
  for (let at = 0; at < positives.length; at += 1) {
    tied += positives[at]! * negatives[at]!;
    m += positives[at]!;
    n += negatives[at]!;
  }
  return m * n === 0 ? 0 : tied / (2 * m * n);
}

/** Shares of positives and of negatives at or above each distinct score, ascending scores. */
interface RocCurve {
  readonly sensitivity: Float64Array;
  readonly falsePositiveRate: Float64Array;
}

function rocOf({ scores, positives, negatives }: ScoreTable): RocCurve {
  const above = (weights: Float64Array) => {
    const sums = new Float64Array(weights.length);
    let sum = 0;
    for (let at = scores.length - 1; at >= 0; at -= 1) {
      sum += weights[at]!;
      sums[at] = sum;
    }
    return sums.map((each) => each / sum);
  };
  return { sensitivity: above(positives), falsePositiveRate: above(negatives) };
}

/** Specificity at the highest threshold whose sensitivity is at least `sensitivity`. */
function specificityAt({ sensitivity, falsePositiveRate }: RocCurve, wanted: number): number {
  let low = 0;
  let high = sensitivity.length;
  while (low + 1 < high) {
    const middle = (low + high) >>> 1;
    if (sensitivity[middle]! >= wanted) low = middle;
    else high = middle;
  }
  return 1 - falsePositiveRate[low]!;
}

export interface SpecificityInput {
  readonly table: ScoreTable;
  /** In (0, 1]. */
  readonly sensitivity: number;
  /** Effective rows of each class. */
  readonly positives: number;
  readonly negatives: number;
  readonly replicates: number;
  readonly uniform: Uniform;
}

export interface DrawnFigure {
  readonly value: number;
  /** [replicates] ascending */
  readonly draws: Float64Array;
}

/**
 * Specificity at fixed sensitivity s. Each draw takes the share of these m positives that the cut of sensitivity s in
 * the population may have above it, Beta(s(m + 1), (1 - s)(m + 1)), whose mean is s, and then the specificity there, a
 * Beta draw of its negatives with Jeffreys' prior.
 */
export function specificityAtSensitivity(input: SpecificityInput): DrawnFigure {
  const { table, sensitivity, positives, negatives, replicates, uniform } = input;
  const curve = rocOf(table);
  const above = Math.min(sensitivity * (positives + 1), positives);
  const draws = Float64Array.from({ length: replicates }, () => {
    const wanted = beta(above, positives + 1 - above, uniform);
    const selected = (1 - specificityAt(curve, wanted)) * negatives;
    return beta(negatives - selected + 0.5, selected + 0.5, uniform);
  });
  return { value: specificityAt(curve, sensitivity * (1 - 1e-12)), draws: draws.sort() };
}

function beta(a: number, b: number, uniform: Uniform): number {
  const first = gamma(a, uniform);
  return first / (first + gamma(b, uniform));
}

/** Quantiles (1 ± level)/2 of ascending draws. */
export function middle(ascending: ArrayLike<number>, level: number): Bounds {
  const at = (share: number) => {
    const place = share * (ascending.length - 1);
    const below = Math.floor(place);
    const next = ascending[Math.min(below + 1, ascending.length - 1)]!;
    return ascending[below]! + (place - below) * (next - ascending[below]!);
  };
  return { low: at((1 - level) / 2), high: at((1 + level) / 2) };
}
