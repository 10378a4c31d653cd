import { worstGroups } from './feature-audit.ts';
import { OTHER } from './grouping.ts';
import { everyRate } from './rates.ts';
import type {
  Calibration,
  ClassAudit,
  ConfusionCounts,
  Disparity,
  DisparityName,
  FeatureAudit,
  GroupMetrics,
  Rate,
  Statistic,
} from './types.ts';
import { DISPARITY_NAMES } from './types.ts';

/**
 * Macro means over classes, each against the rest. A figure is null as soon as one class lacks it. Numerators,
 * supports of rates and confusion counts are sums over classes; a mean has neither interval nor test.
 */
export function meanOfClasses(classes: readonly ClassAudit[]): {
  readonly overall: GroupMetrics;
  readonly features: readonly FeatureAudit[];
} {
  const features = classes[0]!.features.map((first, place) =>
    meanFeature(
      first,
      classes.map(({ label, features }) => ({ label, feature: features[place]! })),
    ),
  );
  return { overall: meanGroup(classes.map(({ label, overall }) => ({ label, group: overall }))), features };
}

interface ClassFeature {
  readonly label: string;
  readonly feature: FeatureAudit;
}

function meanFeature(first: FeatureAudit, each: readonly ClassFeature[]): FeatureAudit {
  const areMergedAlike = each.every(({ feature }) => feature.merged.join() === first.merged.join());
  const groups = first.groups.flatMap(({ group: name }) => {
    if (name === OTHER && !areMergedAlike) return []; // of other groups in each class
    const own = each.flatMap(({ label, feature }) =>
      feature.groups.filter(({ group }) => group === name).map((group) => ({ label, group })),
    );
    return own.length < each.length ? [] : [meanGroup(own)];
  });
  const disparities = DISPARITY_NAMES.map((name) => [name, meanDisparity(name, each)]);
  return {
    ...first,
    groups,
    disparities: Object.fromEntries(disparities) as Record<DisparityName, Disparity>,
    comparisons: [],
    crossAuc: [],
    worstGroups: worstGroups(groups),
    strata: [],
    merged: [...new Set(each.flatMap(({ feature }) => feature.merged))],
  };
}

function meanDisparity(name: DisparityName, each: readonly ClassFeature[]): Disparity {
  const gaps = each.map(({ label, feature }) => ({ label, gap: feature.disparities[name] }));
  const lacking = gaps.find(({ gap }) => gap.value === null);
  return {
    value: mean(gaps.map(({ gap }) => gap.value)),
    amongSupported: mean(gaps.map(({ gap }) => gap.amongSupported)),
    unsupportedGroups: [...new Set(gaps.flatMap(({ gap }) => gap.unsupportedGroups))],
    ...(lacking && { reason: `class "${lacking.label}": ${lacking.gap.reason}` }),
    interval: null,
    test: null,
    smallestDetectable: null,
  };
}

interface ClassGroup {
  readonly label: string;
  readonly group: GroupMetrics;
}

function meanGroup(each: readonly ClassGroup[]): GroupMetrics {
  const { group, support, specificityAtSensitivity } = each[0]!.group;
  const sum = (pick: (group: GroupMetrics) => number) =>
    each.reduce((total, one) => total + pick(one.group), 0);
  const statistic = (pick: (group: GroupMetrics) => Statistic) =>
    meanStatistic(each.map(({ label, group }) => ({ label, statistic: pick(group) })));
  const count = (name: keyof ConfusionCounts) => sum(({ counts }) => counts[name]);
  return {
    group,
    support,
    positives: sum(({ positives }) => positives),
    negatives: sum(({ negatives }) => negatives),
    isSmall: each.some((one) => one.group.isSmall),
    counts: {
      truePositives: count('truePositives'),
      falsePositives: count('falsePositives'),
      trueNegatives: count('trueNegatives'),
      falseNegatives: count('falseNegatives'),
    },
    rates: everyRate((name): Rate => {
      const rates = each.map((one) => one.group.rates[name]);
      return {
        value: mean(rates.map(({ value }) => value)),
        numerator: rates.reduce((total, { numerator }) => total + numerator, 0),
        support: rates.reduce((total, one) => total + one.support, 0),
        interval: null,
      };
    }),
    balancedAccuracy: statistic((one) => one.balancedAccuracy),
    auc: statistic((one) => one.auc),
    brier: statistic((one) => one.brier),
    specificityAtSensitivity: {
      ...statistic((one) => one.specificityAtSensitivity),
      sensitivity: specificityAtSensitivity.sensitivity,
    },
    calibration: meanCalibration(each),
    sweep: null,
  };
}

/** Bins of several classes are of different scores and have no mean. */
function meanCalibration(each: readonly ClassGroup[]): Calibration | null {
  const calibrations = each.flatMap(({ label, group }) =>
    group.calibration ? [{ label, calibration: group.calibration }] : [],
  );
  if (calibrations.length < each.length) return null;
  const statistic = (name: 'error' | 'slope' | 'intercept') =>
    meanStatistic(calibrations.map(({ label, calibration }) => ({ label, statistic: calibration[name] })));
  return {
    error: statistic('error'),
    slope: statistic('slope'),
    intercept: statistic('intercept'),
    bins: [],
  };
}

function meanStatistic(
  each: readonly { readonly label: string; readonly statistic: Statistic }[],
): Statistic {
  const lacking = each.find(({ statistic }) => statistic.value === null);
  return {
    value: mean(each.map(({ statistic }) => statistic.value)),
    ...(lacking && { reason: `class "${lacking.label}": ${lacking.statistic.reason}` }),
    interval: null,
  };
}

function mean(values: readonly (number | null)[]): number | null {
  let sum = 0;
  for (const value of values) {
    if (value === null) return null;
    sum += value;
  }
  return sum / values.length;
}
