import type { ConfusionCounts, Rate, RateName, Statistic } from './types.ts';

/**
 * The one place where 0/0 is decided: a rate without support is null, never 0.
 *
 * @param support  samples behind the rate, >= 0
 */
export function rate(numerator: number, support: number): Rate {
  return { value: support === 0 ? null : numerator / support, numerator, support, interval: null };
}

/**
 * Every rate of a confusion table.
 *
 *   TPR = TP/(TP+FN)   FPR = FP/(FP+TN)   PPV = TP/(TP+FP)   NPV = TN/(TN+FN)   selection = (TP+FP)/N
 */
export function ratesOf(counts: ConfusionCounts): Record<RateName, Rate> {
  const { truePositives: tp, falsePositives: fp, trueNegatives: tn, falseNegatives: fn } = counts;
  return {
    selectionRate: rate(tp + fp, tp + fp + tn + fn),
    truePositiveRate: rate(tp, tp + fn),
    falsePositiveRate: rate(fp, fp + tn),
    trueNegativeRate: rate(tn, fp + tn),
    falseNegativeRate: rate(fn, tp + fn),
    positivePredictiveValue: rate(tp, tp + fp),
    negativePredictiveValue: rate(tn, tn + fn),
    falseDiscoveryRate: rate(fp, tp + fp),
    falseOmissionRate: rate(fn, tn + fn),
    accuracy: rate(tp + tn, tp + fp + tn + fn),
    baseRate: rate(tp + fn, tp + fp + tn + fn),
  };
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
