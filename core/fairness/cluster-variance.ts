import { type RowScores, storedRows } from './row-scores.ts';
import { placeOf, type ScoreTable } from './score-column.ts';
import type { Moment } from './score-figures.ts';
import type { AucEstimate } from './statistics/delong.ts';

export interface ClusteredGroup {
  readonly table: ScoreTable;
  readonly auc: AucEstimate | null;
  readonly brier: Moment | null;
}

export interface ClusteredVariance {
  readonly auc: number | null;
  readonly brier: number | null;
}

/**
 * Variances of AUC and Brier score of each group where rows come in clusters: what each row adds to the figure is
 * summed over its subject s first (Obuchowski, 1997, for the AUC).
 *
 *   V = S/(S-1) · Σ_s (Σ_{i in s} a_i)²,   a_i = (V10_i - AUC)/m, (V01_i - AUC)/n, ((score_i - label_i)² - B)/N
 */
export function clusteredVariances(
  store: RowScores,
  feature: number,
  { groupOf, groups }: { readonly groupOf: Int32Array; readonly groups: readonly ClusteredGroup[] },
): ClusteredVariance[] {
  const rows = storedRows(store);
  const subjects = rows.subjects!;
  const codes = rows.groups[feature]!;
  const rowsOf: number[][] = groups.map(() => []);
  codes.forEach((code, row) => {
    rowsOf[groupOf[code]!]!.push(row);
  });
  return groups.map((group, place) => {
    const influence = influenceOf(group);
    const sums = new Map<number, [number, number]>();
    for (const row of rowsOf[place]!) {
      const weight = rows.weights?.[row] ?? 1;
      const [auc, brier] = influence(rows.scores[row]!, rows.labels[row]!);
      const sum = sums.get(subjects[row]!) ?? [0, 0];
      sums.set(subjects[row]!, [sum[0] + weight * auc, sum[1] + weight * brier]);
    }
    const variance = (part: 0 | 1) => {
      if (sums.size < 2) return null;
      let squares = 0;
      for (const sum of sums.values()) squares += sum[part] ** 2;
      return (squares * sums.size) / (sums.size - 1);
    };
    return { auc: group.auc && variance(0), brier: group.brier && variance(1) };
  });
}

/** What a row of weight 1 adds to AUC and Brier score less their values. */
function influenceOf({
  table,
  auc,
  brier,
}: ClusteredGroup): (score: number, label: number) => [number, number] {
  const { scores, positives, negatives } = table;
  const length = scores.length;
  const [below, above] = [new Float64Array(length), new Float64Array(length)];
  const m = positives.reduce((sum, weight) => sum + weight, 0);
  const n = negatives.reduce((sum, weight) => sum + weight, 0);
  let [left, right] = [0, 0];
  for (let at = 0; at < length; at += 1) {
    below[at] = (left + negatives[at]! / 2) / n;
    above[at] = 1 - (right + positives[at]! / 2) / m;
    left += negatives[at]!;
    right += positives[at]!;
  }
  return (score, label) => {
    const place = placeOf(scores, score);
    const ranks = label === 1 ? (below[place]! - (auc?.auc ?? 0)) / m : (above[place]! - (auc?.auc ?? 0)) / n;
    return [auc ? ranks : 0, brier ? ((score - label) ** 2 - brier.value) / (m + n) : 0];
  };
}
