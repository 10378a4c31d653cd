import type {
  AuditReport,
  Disparity,
  DisparityName,
  FeatureAudit,
  GroupMetrics,
  Rate,
  RateName,
  Statistic,
  WorstGroup,
} from '../../core/fairness/types.ts';
import { DISPARITY_NAMES } from '../../core/fairness/types.ts';

/** [true positives, false positives, true negatives, false negatives] */
export type Confusion = readonly [number, number, number, number];

function rateOf(numerator: number, support: number): Rate {
  return { value: support === 0 ? null : numerator / support, numerator, support, interval: null };
}

const undefinedFor = (reason: string): Statistic => ({ value: null, reason, interval: null });

/** A gap that was measured without an interval or a test. */
export const UNTESTED = { interval: null, test: null, smallestDetectable: null } as const;

/** Figures of one group from its confusion counts; a second statement of the rates, for samples only. */
export function groupOf(group: string, [tp, fp, tn, fn]: Confusion, auc: number | null): GroupMetrics {
  const rates: Record<RateName, Rate> = {
    selectionRate: rateOf(tp + fp, tp + fp + tn + fn),
    truePositiveRate: rateOf(tp, tp + fn),
    falsePositiveRate: rateOf(fp, fp + tn),
    trueNegativeRate: rateOf(tn, fp + tn),
    falseNegativeRate: rateOf(fn, tp + fn),
    positivePredictiveValue: rateOf(tp, tp + fp),
    negativePredictiveValue: rateOf(tn, tn + fn),
    falseDiscoveryRate: rateOf(fp, tp + fp),
    falseOmissionRate: rateOf(fn, tn + fn),
    accuracy: rateOf(tp + tn, tp + fp + tn + fn),
    baseRate: rateOf(tp + fn, tp + fp + tn + fn),
  };
  const [tpr, tnr] = [rates.truePositiveRate.value, rates.trueNegativeRate.value];
  const oneClass = tp + fn === 0 ? 'no positives' : 'no negatives';
  return {
    group,
    support: tp + fp + tn + fn,
    positives: tp + fn,
    negatives: fp + tn,
    counts: { truePositives: tp, falsePositives: fp, trueNegatives: tn, falseNegatives: fn },
    rates,
    balancedAccuracy:
      tpr === null || tnr === null ? undefinedFor(oneClass) : { value: (tpr + tnr) / 2, interval: null },
    auc:
      tpr === null || tnr === null || auc === null ? undefinedFor(oneClass) : { value: auc, interval: null },
    isSmall: false,
    brier: undefinedFor('no scores'),
    specificityAtSensitivity: { ...undefinedFor('no scores'), sensitivity: 0.9 },
    calibration: null,
    sweep: null,
  };
}

type Gap = (values: readonly number[]) => number;
const difference: Gap = (values) => Math.max(...values) - Math.min(...values);
const ratio: Gap = (values) => Math.min(...values) / Math.max(...values);

/** Gap over several rates: `join` puts the gap of each rate together. */
function disparityOf(
  groups: readonly GroupMetrics[],
  names: readonly RateName[],
  { join, gap }: { join: Gap; gap: Gap },
): Disparity {
  const isSupported = (group: GroupMetrics) => names.every((name) => group.rates[name].support > 0);
  const supported = groups.filter(isSupported);
  const unsupportedGroups = groups.filter((group) => !isSupported(group)).map(({ group }) => group);
  const among =
    supported.length < 2
      ? null
      : join(names.map((name) => gap(supported.map((each) => each.rates[name].value!))));
  if (unsupportedGroups.length > 0) {
    return {
      ...UNTESTED,
      value: null,
      amongSupported: among,
      unsupportedGroups,
      reason: 'a group has no samples to divide by',
    };
  }
  const sorted = supported.toSorted((a, b) => a.rates[names[0]!].value! - b.rates[names[0]!].value!);
  const span = { between: [sorted[0]!.group, sorted.at(-1)!.group] as const };
  return {
    ...UNTESTED,
    value: among,
    amongSupported: among,
    unsupportedGroups,
    ...(names.length === 1 ? span : {}),
  };
}

function signedForm([first, second, ...rest]: readonly GroupMetrics[]): Disparity {
  const gap = (name: RateName) => first!.rates[name].value! - second!.rates[name].value!;
  const isDefined = rest.length === 0 && [first, second].every((group) => (group?.positives ?? 0) > 0);
  const value = isDefined ? Math.abs(gap('truePositiveRate') + gap('falsePositiveRate')) / 2 : null;
  const reason = isDefined ? {} : { reason: 'defined for two groups with support only' };
  return { ...UNTESTED, value, amongSupported: value, unsupportedGroups: [], ...reason };
}

const UNMEASURED: Disparity = {
  ...UNTESTED,
  value: null,
  amongSupported: null,
  unsupportedGroups: [],
  reason: 'not in this sample',
};

export function featureOf(sensitiveFeature: string, groups: readonly GroupMetrics[]): FeatureAudit {
  const odds = ['truePositiveRate', 'falsePositiveRate'] as const;
  const largest: Gap = (values) => Math.max(...values);
  const smallest: Gap = (values) => Math.min(...values);
  const mean: Gap = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const unmeasured = DISPARITY_NAMES.map((name) => [name, UNMEASURED]);
  const disparities: Record<DisparityName, Disparity> = {
    ...(Object.fromEntries(unmeasured) as Record<DisparityName, Disparity>),
    demographicParityDifference: disparityOf(groups, ['selectionRate'], { join: largest, gap: difference }),
    demographicParityRatio: disparityOf(groups, ['selectionRate'], { join: smallest, gap: ratio }),
    equalOpportunityDifference: disparityOf(groups, ['truePositiveRate'], { join: largest, gap: difference }),
    equalOpportunityRatio: disparityOf(groups, ['truePositiveRate'], { join: smallest, gap: ratio }),
    equalizedOddsDifference: disparityOf(groups, odds, { join: largest, gap: difference }),
    equalizedOddsRatio: disparityOf(groups, odds, { join: smallest, gap: ratio }),
    equalizedOddsMeanDifference: disparityOf(groups, odds, { join: mean, gap: difference }),
    bmftEqualizedOdds: signedForm(groups),
  };
  const read = {
    auc: (each: GroupMetrics) => each.auc.value,
    accuracy: (each: GroupMetrics) => each.rates.accuracy.value,
    balancedAccuracy: (each: GroupMetrics) => each.balancedAccuracy.value,
    truePositiveRate: (each: GroupMetrics) => each.rates.truePositiveRate.value,
  };
  const worstGroups = Object.entries(read).map(([metric, figureOf]): WorstGroup => {
    const supported = groups.filter((each) => figureOf(each) !== null);
    const worst = supported.toSorted((a, b) => figureOf(a)! - figureOf(b)!)[0];
    return {
      metric: metric as WorstGroup['metric'],
      group: worst?.group ?? null,
      value: worst === undefined ? null : figureOf(worst),
      unsupportedGroups: groups.filter((each) => figureOf(each) === null).map(({ group }) => group),
    };
  });
  return {
    sensitiveFeature,
    attributes: [sensitiveFeature],
    reference: { group: groups[0]!.group, rule: 'largest' },
    groups,
    disparities,
    comparisons: [],
    crossAuc: [],
    worstGroups,
    strata: [],
    merged: [],
  };
}

/** An audit whose overall counts are the sum over the groups of its first feature. */
export function auditOf(
  features: readonly FeatureAudit[],
  { auc = 0.72, ...overrides }: Partial<AuditReport> & { readonly auc?: number } = {},
): AuditReport {
  const sum = features[0]!.groups.reduce<Confusion>(
    ([tp, fp, tn, fn], { counts: c }) => [
      tp + c.truePositives,
      fp + c.falsePositives,
      tn + c.trueNegatives,
      fn + c.falseNegatives,
    ],
    [0, 0, 0, 0],
  );
  return {
    schemaVersion: 2,
    threshold: 0.5,
    level: 0.95,
    replicates: 2000,
    seed: 0,
    minSupport: { group: 30, positives: 30, negatives: 30, action: 'mark' },
    ranks: 'exact',
    isWeighted: false,
    clusters: null,
    thresholds: [],
    overall: groupOf('(all)', sum, auc),
    features,
    warnings: [],
    ...overrides,
  };
}
