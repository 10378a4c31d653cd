import type { Disparity, DisparityName, GroupMetrics, RateName } from './types.ts';

/** [rate][group], every entry defined. */
type RateTable = readonly (readonly number[])[];

interface DisparityMetric {
  readonly rates: readonly RateName[];
  /** Null when undefined although every group has support; the reason is `undefinedReason`. */
  readonly reduce: (table: RateTable) => number | null;
  readonly undefinedReason?: string;
  /** Set when the metric means something for this number of groups only. */
  readonly exactGroups?: number;
}

const spread = (values: readonly number[]): number => Math.max(...values) - Math.min(...values);
const quotient = (values: readonly number[]): number | null =>
  Math.max(...values) === 0 ? null : Math.min(...values) / Math.max(...values);
const lowestQuotient = (table: RateTable): number | null => {
  const quotients = table.map(quotient);
  return quotients.some((value) => value === null) ? null : Math.min(...(quotients as number[]));
};
const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

const ODDS: readonly RateName[] = ['truePositiveRate', 'falsePositiveRate'];
const ALL_ZERO = 'the highest rate among the groups is 0, so a ratio is 0/0';

/**
 * Definitions as in fairlearn's functions of the same names, except `bmftEqualizedOdds`:
 *
 *   0.5 · |(FPR_0 - FPR_1) + (TPR_0 - TPR_1)|
 *
 * which is the signed form that the BMFT paper's code reports; opposite gaps cancel in it.
 */
const METRICS = {
  demographicParityDifference: { rates: ['selectionRate'], reduce: ([rate]) => spread(rate!) },
  demographicParityRatio: {
    rates: ['selectionRate'],
    reduce: ([rate]) => quotient(rate!),
    undefinedReason: ALL_ZERO,
  },
  equalOpportunityDifference: { rates: ['truePositiveRate'], reduce: ([rate]) => spread(rate!) },
  equalOpportunityRatio: {
    rates: ['truePositiveRate'],
    reduce: ([rate]) => quotient(rate!),
    undefinedReason: ALL_ZERO,
  },
  equalizedOddsDifference: { rates: ODDS, reduce: (table) => Math.max(...table.map(spread)) },
  equalizedOddsRatio: { rates: ODDS, reduce: lowestQuotient, undefinedReason: ALL_ZERO },
  equalizedOddsMeanDifference: { rates: ODDS, reduce: (table) => mean(table.map(spread)) },
  bmftEqualizedOdds: {
    rates: ODDS,
    reduce: (table) => Math.abs(mean(table.map(([first, second]) => first! - second!))),
    exactGroups: 2,
  },
} satisfies Record<DisparityName, DisparityMetric>;

/**
 * One disparity over the groups of a feature.
 *
 * @returns `value` null as soon as one group lacks support for a rate it needs; see `Disparity`
 */
export function disparity(name: DisparityName, groups: readonly GroupMetrics[]): Disparity {
  const metric: DisparityMetric = METRICS[name];
  const supported = groups.filter((group) => metric.rates.every((rate) => group.rates[rate].value !== null));
  const unsupportedGroups = groups.filter((group) => !supported.includes(group)).map((group) => group.group);
  const amongSupported = reduceOver(metric, supported);
  const value = unsupportedGroups.length === 0 ? amongSupported : null;
  const between = metric.rates.length === 1 ? extremes(supported, metric.rates[0]!) : null;
  return {
    value,
    amongSupported,
    unsupportedGroups,
    ...(between && { between }),
    ...(value === null && { reason: whyUndefined(metric, groups, supported) }),
  };
}

export function disparities(groups: readonly GroupMetrics[]): Record<DisparityName, Disparity> {
  const entries = (Object.keys(METRICS) as DisparityName[]).map((name) => [name, disparity(name, groups)]);
  return Object.fromEntries(entries) as Record<DisparityName, Disparity>;
}

function reduceOver(metric: DisparityMetric, groups: readonly GroupMetrics[]): number | null {
  if (groups.length < 2 || (metric.exactGroups ?? groups.length) !== groups.length) return null;
  return metric.reduce(metric.rates.map((rate) => groups.map((group) => group.rates[rate].value!)));
}

function extremes(groups: readonly GroupMetrics[], name: RateName): [string, string] | null {
  if (groups.length < 2) return null;
  const ordered = [...groups].sort((a, b) => a.rates[name].value! - b.rates[name].value!);
  return [ordered[0]!.group, ordered.at(-1)!.group];
}

function whyUndefined(
  metric: DisparityMetric,
  groups: readonly GroupMetrics[],
  supported: readonly GroupMetrics[],
): string {
  const missing = groups.filter((group) => !supported.includes(group));
  if (missing.length > 0) return missing.map((group) => lackOf(metric, group)).join('; ');
  if (groups.length < 2) return 'one group only: a disparity needs two';
  if (metric.exactGroups !== undefined && metric.exactGroups !== groups.length) {
    return `defined for ${metric.exactGroups} groups only, received ${groups.length}`;
  }
  return metric.undefinedReason ?? 'undefined';
}

const SUPPORT_OF: Partial<Record<RateName, string>> = {
  truePositiveRate: 'positive labels',
  falsePositiveRate: 'negative labels',
  selectionRate: 'samples',
};

function lackOf(metric: DisparityMetric, group: GroupMetrics): string {
  const lacks = metric.rates.filter((rate) => group.rates[rate].value === null);
  const words = lacks.map((rate) => SUPPORT_OF[rate]).join(' and no ');
  return `group "${group.group}" has no ${words} (support 0 of ${group.support})`;
}
