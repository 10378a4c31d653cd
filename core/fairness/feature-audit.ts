import type { Accumulator } from './accumulator.ts';
import { comparisonsOf } from './comparisons.ts';
import { crossAucs, type MeasuredPair } from './cross-auc.ts';
import { disparities } from './disparity.ts';
import { clusterDraws, type Evidence, testFeatures } from './evidence.ts';
import type { FeatureTable } from './feature-table.ts';
import { conditionalInterval, crossAucInterval, withUncertainty } from './gap-intervals.ts';
import { type MeasuredGroup, type MeasureOptions, measureGroups } from './measure.ts';
import { type ReferenceChoice, referenceOf } from './reference-group.ts';
import type {
  Disparity,
  DisparityName,
  FeatureAudit,
  GroupMetrics,
  ReferenceGroup,
  WorstGroup,
} from './types.ts';

export interface FeatureOptions extends Omit<MeasureOptions, 'thresholds'> {
  readonly reference: ReferenceChoice;
}

interface Measured {
  readonly table: FeatureTable;
  readonly groups: readonly MeasuredGroup[];
  readonly reference: ReferenceGroup | null;
}

export interface CountedTable {
  readonly accumulator: Accumulator;
  readonly table: FeatureTable;
  /** Of the sweeps. */
  readonly thresholds: readonly number[];
}

/** Every feature of a report; their tests are adjusted together. */
export function auditFeatures(counted: readonly CountedTable[], options: FeatureOptions): FeatureAudit[] {
  const measured = counted.map(({ accumulator, table, thresholds }): Measured => {
    const groups = measureGroups(accumulator, table, { ...options, thresholds });
    const metrics = groups.map((group) => group.metrics);
    return { table, groups, reference: referenceOf(table.sensitiveFeature, metrics, options.reference) };
  });
  const tests = testFeatures(
    measured.map(({ groups, reference }) => ({ groups, reference: placeOf(groups, reference) })),
    options,
  );
  return measured.map((feature, place) =>
    featureAudit(feature, {
      ...options,
      isBinned: counted[place]!.accumulator.histograms !== null,
      testOf: tests[place]!,
    }),
  );
}

function placeOf(groups: readonly MeasuredGroup[], reference: ReferenceGroup | null): number {
  return groups.findIndex(({ metrics }) => metrics.group === reference?.group);
}

interface AuditContext extends FeatureOptions {
  readonly isBinned: boolean;
  readonly testOf: Evidence['testOf'];
}

function featureAudit({ table, groups, reference }: Measured, context: AuditContext): FeatureAudit {
  const { clusters, groupNames, columns, strata } = table;
  const metrics = groups.map((group) => group.metrics);
  const pairs = crossAucs({
    groupNames,
    columns,
    level: clusters ? null : context.level,
    isBinned: context.isBinned,
  });
  const evidence: Evidence = {
    groups,
    reference: placeOf(groups, reference),
    level: context.level,
    draws: clusterDraws(clusters, context),
    testOf: context.testOf,
  };
  const crossAuc = pairs.map(({ positives, negatives, auc }) => ({ positives, negatives, auc }));
  const gaps = disparities(metrics, { reference, crossAuc, strata });
  const parts = { pairs, strata: clusters ? [] : strata };
  const entries = Object.entries(gaps).map(([name, gap]) => [
    name,
    uncertain(name as DisparityName, gap, { evidence, parts, context }),
  ]);
  return {
    sensitiveFeature: table.sensitiveFeature,
    attributes: table.attributes,
    reference,
    groups: metrics,
    disparities: Object.fromEntries(entries) as Record<DisparityName, Disparity>,
    comparisons: comparisonsOf(evidence),
    crossAuc,
    worstGroups: worstGroups(metrics),
    strata,
    merged: table.merged,
  };
}

interface Uncertain {
  readonly evidence: Evidence;
  readonly parts: { readonly pairs: readonly MeasuredPair[]; readonly strata: FeatureAudit['strata'] };
  readonly context: AuditContext;
}

function uncertain(name: DisparityName, gap: Disparity, { evidence, parts, context }: Uncertain): Disparity {
  if (gap.value === null) return gap;
  if (name === 'xAucDifference') return { ...gap, interval: crossAucInterval(parts.pairs, context.level) };
  if (name === 'conditionalDemographicDisparity') {
    return { ...gap, interval: conditionalInterval(parts.strata, context) };
  }
  return withUncertainty(name, gap, evidence);
}

/** The lowest figures of a feature, each with the group that has it. */
export function worstGroups(groups: readonly GroupMetrics[]): WorstGroup[] {
  return [
    worstGroup('auc', groups, (group) => group.auc.value),
    worstGroup('accuracy', groups, (group) => group.rates.accuracy.value),
    worstGroup('balancedAccuracy', groups, (group) => group.balancedAccuracy.value),
    worstGroup('truePositiveRate', groups, (group) => group.rates.truePositiveRate.value),
  ];
}

function worstGroup(
  metric: WorstGroup['metric'],
  groups: readonly GroupMetrics[],
  pick: (group: GroupMetrics) => number | null,
): WorstGroup {
  const supported = groups.filter((group) => pick(group) !== null);
  const worst = supported.toSorted((a, b) => pick(a)! - pick(b)!)[0];
  return {
    metric,
    group: worst?.group ?? null,
    value: worst ? pick(worst) : null,
    unsupportedGroups: groups.filter((group) => pick(group) === null).map((group) => group.group),
  };
}
