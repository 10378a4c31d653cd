import { balancedAccuracy, ratesOf } from '../rates.ts';
import type { ConfusionCounts, GroupMetrics } from '../types.ts';

const UNKNOWN = {
  value: null,
  reason: 'not known of groups that are pooled by their counts',
  interval: null,
};

/** Groups as one: counts are added, rates come from the sums; what needs scores is unknown. */
export function pooled(name: string, members: readonly Pick<GroupMetrics, 'counts'>[]): GroupMetrics {
  const counts = members.map((member) => member.counts).reduce(sumOf, NOBODY);
  const rates = ratesOf(counts);
  return {
    group: name,
    support: rates.selectionRate.support,
    positives: rates.truePositiveRate.support,
    negatives: rates.falsePositiveRate.support,
    isSmall: false,
    counts,
    rates,
    balancedAccuracy: balancedAccuracy(rates),
    auc: UNKNOWN,
    brier: UNKNOWN,
    specificityAtSensitivity: { ...UNKNOWN, sensitivity: 0.9 },
    calibration: null,
    sweep: null,
  };
}

/** The group in rows, whether its rows have weights or not. */
export const inRows = (group: GroupMetrics): GroupMetrics => pooled(group.group, [group]);

/** The group in sums of weights where its rows have weights, else in rows. */
export function inWeights(group: GroupMetrics): GroupMetrics {
  const { truePositiveRate, falsePositiveRate } = group.rates;
  if (truePositiveRate.weighted === undefined || falsePositiveRate.weighted === undefined)
    return inRows(group);
  const positives = truePositiveRate.weighted;
  const negatives = falsePositiveRate.weighted;
  const counts: ConfusionCounts = {
    truePositives: positives.numerator,
    falseNegatives: positives.support - positives.numerator,
    falsePositives: negatives.numerator,
    trueNegatives: negatives.support - negatives.numerator,
  };
  return pooled(group.group, [{ counts }]);
}

/** Groups that a library would meet in a table: those with rows. */
export const withRows = (groups: readonly GroupMetrics[]): readonly GroupMetrics[] =>
  groups.filter(({ support }) => support > 0);

const NOBODY: ConfusionCounts = { truePositives: 0, falsePositives: 0, trueNegatives: 0, falseNegatives: 0 };

const sumOf = (left: ConfusionCounts, right: ConfusionCounts): ConfusionCounts => ({
  truePositives: left.truePositives + right.truePositives,
  falsePositives: left.falsePositives + right.falsePositives,
  trueNegatives: left.trueNegatives + right.trueNegatives,
  falseNegatives: left.falseNegatives + right.falseNegatives,
});
