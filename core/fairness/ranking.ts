import type { Statistic } from './types.ts';

/**
 * Area under the ROC curve by mid-ranks: the chance that a positive scores above a negative, ties half.
 *
 *   AUC = (R+ - n+(n+ + 1)/2) / (n+ n-),   R+ = sum of the positives' mid-ranks
 *
 * @param scores  [N] finite
 * @param labels  [N] 0 or 1
 * @returns null with the reason when a class is absent
 */
export function areaUnderRocCurve(scores: ArrayLike<number>, labels: ArrayLike<number>): Statistic {
  const order = Array.from({ length: scores.length }, (_, index) => index).sort(
    (a, b) => scores[a]! - scores[b]!,
  );
  let positives = 0;
  let positiveRankSum = 0;
  for (let start = 0; start < order.length; ) {
    let end = start;
    let positivesInTie = 0;
    while (end < order.length && scores[order[end]!] === scores[order[start]!]) {
      positivesInTie += labels[order[end]!]!;
      end += 1;
    }
    positives += positivesInTie;
    positiveRankSum += positivesInTie * ((start + 1 + end) / 2); // mid-rank of places start+1 … end
    start = end;
  }
  const negatives = order.length - positives;
  if (positives === 0 || negatives === 0) {
    return { value: null, reason: `no ${positives === 0 ? 'positive' : 'negative'} labels`, interval: null };
  }
  return {
    value: (positiveRankSum - (positives * (positives + 1)) / 2) / (positives * negatives),
    interval: null,
  };
}
