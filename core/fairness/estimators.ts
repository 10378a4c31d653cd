import { type Figure, figureOf, isRate } from './figures.ts';
import type { MeasuredGroup } from './measure.ts';
import { middle } from './ranking.ts';
import type { Moment } from './score-figures.ts';
import { criticalValue } from './statistics/distributions.ts';
import type { Estimator } from './statistics/mover.ts';
import { newcombe, type Proportion, rateEstimator, wilson } from './statistics/rate-intervals.ts';

/** A figure of a group with its interval at any level; null where it has no value or no interval. */
export function estimatorOf(group: MeasuredGroup, figure: Figure): Estimator | null {
  const value = figureOf(group.metrics, figure);
  if (value === null) return null;
  if (isRate(figure)) return rateEstimator(group.proportions[figure]);
  switch (figure) {
    case 'balancedAccuracy':
      return balancedAccuracyEstimator(value, group.proportions);
    case 'missRatio':
      return missRatioEstimator(value, missShare(group));
    case 'auc':
    case 'brier':
    case 'specificityAtSensitivity':
      return group.estimators[figure];
    default:
      return null;
  }
}

/** (1 + TPR - FPR) / 2, a difference of two independent rates. */
export function balancedAccuracyEstimator(
  value: number,
  proportions: MeasuredGroup['proportions'],
): Estimator {
  return (level) => {
    const bounds = newcombe(proportions.truePositiveRate, proportions.falsePositiveRate, level)!;
    return { value, low: (1 + bounds.low) / 2, high: (1 + bounds.high) / 2 };
  };
}

/** False negatives among errors, in effective rows: FN/FP are its odds. */
export function missShare({ cells }: MeasuredGroup): Proportion {
  return { numerator: cells[2]!, support: cells[1]! + cells[2]! };
}

/** Odds of the Wilson limits of the share of false negatives among errors. */
function missRatioEstimator(value: number, share: Proportion): Estimator {
  return (level) => {
    const { low, high } = wilson(share, level)!;
    return { value, low: low / (1 - low), high: high / (1 - high) };
  };
}

/** value ± z · √variance within [0, 1]. */
export function waldEstimator({ value, variance }: Moment): Estimator | null {
  if (variance === null) return null;
  return (level) => {
    const half = criticalValue(level) * Math.sqrt(variance);
    return { value, low: Math.max(0, value - half), high: Math.min(1, value + half) };
  };
}

/** The middle of ascending draws, stretched to hold the value. */
export function drawnEstimator(value: number, draws: Float64Array): Estimator | null {
  if (draws.length === 0) return null;
  return (level) => {
    const { low, high } = middle(draws, level);
    return { value, low: Math.min(low, value), high: Math.max(high, value) };
  };
}
