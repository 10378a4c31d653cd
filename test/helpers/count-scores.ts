import type { ScoreCounts } from '../../core/fairness/statistics/delong.ts';

/**
 * Counts at the distinct scores of two samples, by one merge.
 *
 * @param positives  [m] ascending, finite
 * @param negatives  [n] ascending, finite
 */
export function countScores(positives: Float64Array, negatives: Float64Array): ScoreCounts {
  const counts = [
    new Float64Array(positives.length + negatives.length),
    new Float64Array(positives.length + negatives.length),
  ] as const;
  let [positive, negative, block] = [0, 0, 0];
  for (; positive < positives.length || negative < negatives.length; block += 1) {
    const score = Math.min(
      positives[positive] ?? Number.POSITIVE_INFINITY,
      negatives[negative] ?? Number.POSITIVE_INFINITY,
    );
    const [firstPositive, firstNegative] = [positive, negative];
    while (positives[positive] === score) positive += 1;
    while (negatives[negative] === score) negative += 1;
    counts[0][block] = positive - firstPositive;
    counts[1][block] = negative - firstNegative;
  }
  return { positives: counts[0].subarray(0, block), negatives: counts[1].subarray(0, block) };
}
