import { aucOf } from '../fairness/statistics/delong.ts';
import { twoSidedNormal } from '../fairness/statistics/distributions.ts';
import { firmVariance } from '../fairness/statistics/gap-tests.ts';

/** How far two samples of numbers lie apart. */
export interface Separation {
  /** Chance that a number of the second is above one of the first, ties half: 0.5 is no difference. */
  readonly auc: number;
  /** Of "0.5", two-sided, by DeLong's variance. */
  readonly pValue: number;
}

/**
 * Mann and Whitney's statistic over its largest value (the AUC) with the test of Brunner and Munzel in its normal form:
 * nothing is assumed of shape or spread.
 *
 * @returns null when a sample is empty
 */
export function separate(first: readonly number[], second: readonly number[]): Separation | null {
  const values = [...new Set([...first, ...second])].sort((a, b) => a - b);
  const placeOf = new Map(values.map((value, place) => [value, place]));
  const counted = (sample: readonly number[]) => {
    const counts = new Float64Array(values.length);
    for (const value of sample) counts[placeOf.get(value)!]! += 1;
    return counts;
  };
  const estimate = aucOf({ positives: counted(second), negatives: counted(first) });
  if (estimate === null) return null;
  const { auc } = estimate;
  return { auc, pValue: auc === 0.5 ? 1 : twoSidedNormal((auc - 0.5) / Math.sqrt(firmVariance(estimate))) };
}
