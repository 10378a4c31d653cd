import { conditionalDisparity } from './conditional.ts';
import { crossAucDisparity } from './cross-auc.ts';
import { type Figure, figureOf, lackOf, ONE_GROUP, SCORE_FIGURES, undefinedDisparity } from './figures.ts';
import type { Disparity, DisparityName, FeatureAudit, GroupMetrics } from './types.ts';
import { DISPARITY_NAMES } from './types.ts';

/** [figure][group], every entry defined. */
type FigureTable = readonly (readonly number[])[];

export interface DisparityMetric {
  readonly figures: readonly Figure[];
  /**
   * Null when undefined although every group has support; the reason is `undefinedReason`.
   * `reference` is a place among the groups.
   */
  readonly reduce: (table: FigureTable, reference: number) => number | null;
  readonly undefinedReason?: string;
  /** Set when the metric means something for this number of groups only. */
  readonly exactGroups?: number;
}

const spread = (values: readonly number[]): number => Math.max(...values) - Math.min(...values);
const quotient = (values: readonly number[]): number | null =>
  Math.max(...values) === 0 ? null : Math.min(...values) / Math.max(...values);
const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;
const smallest = (values: readonly number[]): number => Math.min(...values);

/** Joins the ratios of several rates; null as soon as one is 0/0. */
const ratios =
  (join: (values: readonly number[]) => number) =>
  (table: FigureTable): number | null => {
    const quotients = table.map(quotient);
    return quotients.some((value) => value === null) ? null : join(quotients as number[]);
  };

const ODDS: readonly Figure[] = ['truePositiveRate', 'falsePositiveRate'];
const ALL_ZERO = 'the highest rate among the groups is 0, so a ratio is 0/0';

const spreadOf = (figure: Figure): DisparityMetric => ({
  figures: [figure],
  reduce: ([values]) => spread(values!),
});
const ratioOf = (figure: Figure): DisparityMetric => ({
  figures: [figure],
  reduce: ratios(smallest),
  undefinedReason: ALL_ZERO,
});

/** Disparities of pairs of groups and of strata, each in a file of its own. */
type PartsName = 'xAucDifference' | 'conditionalDemographicDisparity';

/**
 * Definitions as in fairlearn's functions of the same names, where it has one, except `bmftEqualizedOdds`:
 *
 *   0.5 · |(FPR_0 - FPR_1) + (TPR_0 - TPR_1)|
 *
 * which is the signed form that the BMFT paper's code reports; opposite gaps cancel in it.
 *
 * @see docs/metrics.md
 */
export const METRICS: Readonly<Record<Exclude<DisparityName, PartsName>, DisparityMetric>> = {
  demographicParityDifference: spreadOf('selectionRate'),
  demographicParityRatio: ratioOf('selectionRate'),
  disparateImpactRatio: {
    figures: ['selectionRate'],
    reduce: ([rate], reference) =>
      (rate![reference] ?? 0) === 0
        ? null
        : smallest(rate!.filter((_, place) => place !== reference)) / rate![reference]!,
    undefinedReason: 'no reference group with a selection rate above 0',
  },
  equalOpportunityDifference: spreadOf('truePositiveRate'),
  equalOpportunityRatio: ratioOf('truePositiveRate'),
  equalizedOddsDifference: { figures: ODDS, reduce: (table) => Math.max(...table.map(spread)) },
  equalizedOddsRatio: { figures: ODDS, reduce: ratios(smallest), undefinedReason: ALL_ZERO },
  equalizedOddsMeanDifference: { figures: ODDS, reduce: (table) => mean(table.map(spread)) },
  equalizedOddsMeanRatio: { figures: ODDS, reduce: ratios(mean), undefinedReason: ALL_ZERO },
  bmftEqualizedOdds: {
    figures: ODDS,
    reduce: (table) => Math.abs(mean(table.map(([first, second]) => first! - second!))),
    exactGroups: 2,
  },
  falsePositiveRateDifference: spreadOf('falsePositiveRate'),
  predictiveParityDifference: spreadOf('positivePredictiveValue'),
  falseDiscoveryRateDifference: spreadOf('falseDiscoveryRate'),
  falseOmissionRateDifference: spreadOf('falseOmissionRate'),
  accuracyDifference: spreadOf('accuracy'),
  balancedAccuracyDifference: spreadOf('balancedAccuracy'),
  treatmentEqualityDifference: spreadOf('missRatio'),
  aucDifference: spreadOf('auc'),
  specificityAtSensitivityDifference: spreadOf('specificityAtSensitivity'),
  calibrationErrorDifference: spreadOf('calibrationError'),
  brierDifference: spreadOf('brier'),
  baseRateDifference: spreadOf('baseRate'),
  classImbalance: {
    figures: ['support'],
    reduce: ([support]) => {
      const sum = Math.max(...support!) + Math.min(...support!);
      return sum === 0 ? null : spread(support!) / sum;
    },
    undefinedReason: 'no samples',
  },
};

/** The reference group, and what disparities rest on besides the figures of single groups. */
export type DisparityContext = Partial<Pick<FeatureAudit, 'reference' | 'crossAuc' | 'strata'>>;

/**
 * One disparity over the groups of a feature.
 *
 * @returns `value` null as soon as one group lacks support for a figure it needs; see `Disparity`
 */
export function disparity(
  name: DisparityName,
  groups: readonly GroupMetrics[],
  context: DisparityContext = {},
): Disparity {
  if (name === 'xAucDifference') return crossAucDisparity(groups, context.crossAuc ?? []);
  if (name === 'conditionalDemographicDisparity') return conditionalDisparity(groups, context.strata ?? []);
  return disparityOf(METRICS[name], groups, context);
}

export function disparities(
  groups: readonly GroupMetrics[],
  context: DisparityContext = {},
): Record<DisparityName, Disparity> {
  const entries = DISPARITY_NAMES.map((name) => [name, disparity(name, groups, context)]);
  return Object.fromEntries(entries) as Record<DisparityName, Disparity>;
}

function disparityOf(
  metric: DisparityMetric,
  groups: readonly GroupMetrics[],
  { reference }: DisparityContext,
): Disparity {
  const [first] = groups;
  if (first?.calibration === null && metric.figures.some((figure) => SCORE_FIGURES.includes(figure))) {
    return undefinedDisparity(first.brier.reason!);
  }
  const supported = groups.filter((group) =>
    metric.figures.every((figure) => figureOf(group, figure) !== null),
  );
  const unsupportedGroups = groups.filter((group) => !supported.includes(group)).map((group) => group.group);
  const amongSupported = reduceOver(metric, supported, reference?.group ?? null);
  const value = unsupportedGroups.length === 0 ? amongSupported : null;
  const between = metric.figures.length === 1 ? extremes(supported, metric.figures[0]!) : null;
  return {
    value,
    amongSupported,
    unsupportedGroups,
    ...(between && { between }),
    ...(value === null && { reason: whyUndefined(metric, groups, supported) }),
    interval: null,
    test: null,
    smallestDetectable: null,
  };
}

function reduceOver(
  metric: DisparityMetric,
  groups: readonly GroupMetrics[],
  reference: string | null,
): number | null {
  if (groups.length < 2 || (metric.exactGroups ?? groups.length) !== groups.length) return null;
  const table = metric.figures.map((figure) => groups.map((group) => figureOf(group, figure)!));
  return metric.reduce(
    table,
    groups.findIndex(({ group }) => group === reference),
  );
}

function extremes(groups: readonly GroupMetrics[], figure: Figure): [string, string] | null {
  if (groups.length < 2) return null;
  const ordered = [...groups].sort((a, b) => figureOf(a, figure)! - figureOf(b, figure)!);
  return [ordered[0]!.group, ordered.at(-1)!.group];
}

function whyUndefined(
  metric: DisparityMetric,
  groups: readonly GroupMetrics[],
  supported: readonly GroupMetrics[],
): string {
  const missing = groups.filter((group) => !supported.includes(group));
  if (missing.length > 0) return missing.map((group) => lacksOf(metric, group)).join('; ');
  if (groups.length < 2) return ONE_GROUP;
  if (metric.exactGroups !== undefined && metric.exactGroups !== groups.length) {
    return `defined for ${metric.exactGroups} groups only, received ${groups.length}`;
  }
  return metric.undefinedReason!; // every metric that may be null although all groups have support has one
}

function lacksOf({ figures }: DisparityMetric, group: GroupMetrics): string {
  const lacks = figures.filter((figure) => figureOf(group, figure) === null);
  return lacks.map((figure) => lackOf(group, figure)).join(' and ');
}
