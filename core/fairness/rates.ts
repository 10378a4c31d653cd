import { effectiveSupport, type Proportion, wilson } from './statistics/rate-intervals.ts';
import type { ConfusionCounts, Interval, Rate, RateName, Statistic } from './types.ts';
import { RATE_NAMES } from './types.ts';

/** Cells of a confusion table in the order of a tally: label · 2 + prediction. */
const [TN, FP, FN, TP] = [0, 1, 2, 3];

/**
 * Every rate as sums over cells of the confusion table.
 *
 *   TPR = TP/(TP+FN)   FPR = FP/(FP+TN)   PPV = TP/(TP+FP)   NPV = TN/(TN+FN)   selection = (TP+FP)/N
 */
export const RATE_CELLS = {
  selectionRate: { numerator: [FP, TP], support: [TN, FP, FN, TP] },
  truePositiveRate: { numerator: [TP], support: [FN, TP] },
  falsePositiveRate: { numerator: [FP], support: [TN, FP] },
  trueNegativeRate: { numerator: [TN], support: [TN, FP] },
  falseNegativeRate: { numerator: [FN], support: [FN, TP] },
  positivePredictiveValue: { numerator: [TP], support: [FP, TP] },
  negativePredictiveValue: { numerator: [TN], support: [TN, FN] },
  falseDiscoveryRate: { numerator: [FP], support: [FP, TP] },
  falseOmissionRate: { numerator: [FN], support: [TN, FN] },
  accuracy: { numerator: [TN, TP], support: [TN, FP, FN, TP] },
  baseRate: { numerator: [FN, TP], support: [TN, FP, FN, TP] },
} satisfies Record<RateName, { numerator: readonly number[]; support: readonly number[] }>;

/** Numerator and support of a rate among the four cells of one group. */
export function rateOfCells(cells: ArrayLike<number>, name: RateName): Proportion {
  const { numerator, support } = RATE_CELLS[name];
  return { numerator: sumOf(cells, numerator), support: sumOf(cells, support) };
}

function sumOf(cells: ArrayLike<number>, places: readonly number[]): number {
  let sum = 0;
  for (const place of places) sum += cells[place]!;
  return sum;
}

/**
 * The one place where 0/0 is decided: a rate without support is null, never 0.
 *
 * @param support  samples behind the rate, >= 0
 */
export function rate(numerator: number, support: number): Rate {
  return { value: support === 0 ? null : numerator / support, numerator, support, interval: null };
}

/** Every rate of a confusion table, without intervals. */
export function ratesOf(counts: ConfusionCounts): Record<RateName, Rate> {
  return everyRate((name) => {
    const { numerator, support } = rateOfCells(cellsOf(counts), name);
    return rate(numerator, support);
  });
}

function cellsOf(counts: ConfusionCounts): readonly number[] {
  return [counts.trueNegatives, counts.falsePositives, counts.falseNegatives, counts.truePositives];
}

export function everyRate<T>(make: (name: RateName) => T): Record<RateName, T> {
  return Object.fromEntries(RATE_NAMES.map((name) => [name, make(name)])) as Record<RateName, T>;
}

/** The four cells of one group. */
export interface GroupCells {
  /** [4] rows */
  readonly rows: ArrayLike<number>;
  /** [4] sums of weights and of squared weights; null where every row weighs 1 */
  readonly weights: { readonly sums: ArrayLike<number>; readonly squares: ArrayLike<number> } | null;
  /** Effective rows behind each rate, where rows come in clusters. */
  readonly effective: Readonly<Record<RateName, number>> | null;
}

/** A rate, and the same as a proportion of effective rows: what its intervals and tests rest on. */
export interface MeasuredRate {
  readonly rate: Rate;
  readonly proportion: Proportion;
}

export function measureRate(cells: GroupCells, name: RateName, level: number): MeasuredRate {
  const { numerator, support } = rateOfCells(cells.rows, name);
  const weighted = cells.weights && rateOfCells(cells.weights.sums, name);
  const of = weighted ?? { numerator, support };
  const value = of.support === 0 ? null : of.numerator / of.support;
  const rows = effectiveOf(cells, name, support);
  const proportion = weighted || cells.effective ? { numerator: (value ?? 0) * rows, support: rows } : of;
  const bounds = wilson(proportion, level);
  const interval: Interval | null =
    value === null || bounds === null ? null : { ...bounds, method: 'wilson' };
  return { rate: { value, numerator, support, interval, ...(weighted && { weighted }) }, proportion };
}

function effectiveOf({ weights, effective }: GroupCells, name: RateName, support: number): number {
  const rows = weights
    ? effectiveSupport(rateOfCells(weights.sums, name).support, rateOfCells(weights.squares, name).support)
    : support;
  return effective ? Math.min(rows, effective[name]) : rows;
}

/** Rows that would vary as much as these clusters do, perhaps infinitely many; see `Clusters`. */
export function effectiveRows(
  { numerator, support }: Proportion,
  { squares, subjects }: { readonly squares: number; readonly subjects: number },
): number {
  if (numerator === 0 || numerator === support || subjects < 2) return subjects;
  const share = numerator / support;
  const variance = ((subjects / (subjects - 1)) * squares) / support ** 2;
  return (share * (1 - share)) / variance;
}

/** Mean of TPR and TNR; undefined when either class is absent. */
export function balancedAccuracy(rates: Readonly<Record<RateName, Rate>>): Statistic {
  const sensitivity = rates.truePositiveRate.value;
  const specificity = rates.trueNegativeRate.value;
  if (sensitivity === null || specificity === null) {
    return {
      value: null,
      reason: `no ${sensitivity === null ? 'positive' : 'negative'} labels`,
      interval: null,
    };
  }
  return { value: (sensitivity + specificity) / 2, interval: null };
}
