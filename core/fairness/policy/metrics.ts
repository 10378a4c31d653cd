import type { AuditReport, Disparity, GroupMetrics, Interval, WorstGroup } from '../types.ts';
import { DISPARITY_NAMES } from '../types.ts';

const WORST = {
  worstGroupAuc: 'auc',
  worstGroupAccuracy: 'accuracy',
  worstGroupBalancedAccuracy: 'balancedAccuracy',
  worstGroupTruePositiveRate: 'truePositiveRate',
} as const satisfies Record<string, WorstGroup['metric']>;

const OVERALL = {
  overallAuc: ({ auc }: GroupMetrics) => auc,
  overallAccuracy: ({ rates }: GroupMetrics) => rates.accuracy,
  overallBalancedAccuracy: ({ balancedAccuracy }: GroupMetrics) => balancedAccuracy,
};

/** What a policy may set a limit on: disparities of a feature, its worst group, and the whole set. */
export const POLICY_METRICS = [
  ...DISPARITY_NAMES,
  ...(Object.keys(WORST) as (keyof typeof WORST)[]),
  ...(Object.keys(OVERALL) as (keyof typeof OVERALL)[]),
] as const;
export type PolicyMetric = (typeof POLICY_METRICS)[number];

/** Ratios and what a model does well; of all other metrics less is better. */
export function isMoreBetter(metric: PolicyMetric): boolean {
  return metric in WORST || metric in OVERALL || metric.endsWith('Ratio');
}

/** Gaps of odds (FN/FP) have no upper end; all others lie in [0, 1]. */
export function isBounded(metric: PolicyMetric): boolean {
  return metric !== 'treatmentEqualityDifference';
}

/** One number that a rule is about. */
export interface Figure {
  /** null for the whole set. */
  readonly sensitiveFeature: string | null;
  readonly value: number | null;
  readonly interval: Interval | null;
  /** Why there is no value. */
  readonly reason: string | null;
  /** Groups behind the number. */
  readonly groups: readonly GroupMetrics[];
}

/** The figures of a metric: of each feature, or of the one named; of the whole set for an overall metric. */
export function figuresOf(
  { overall, features }: Pick<AuditReport, 'overall' | 'features'>,
  metric: PolicyMetric,
  feature?: string,
): Figure[] {
  if (isOverall(metric)) {
    const { value, interval, reason } = withReason(OVERALL[metric](overall));
    return [{ sensitiveFeature: null, value, interval, reason, groups: [overall] }];
  }
  return features
    .filter(({ sensitiveFeature }) => feature === undefined || sensitiveFeature === feature)
    .map(({ sensitiveFeature, groups, disparities, worstGroups }) => ({
      sensitiveFeature,
      groups,
      ...(isWorst(metric)
        ? worstFigure(groups, worstGroups, WORST[metric])
        : ofDisparity(disparities[metric])),
    }));
}

const isOverall = (metric: PolicyMetric): metric is keyof typeof OVERALL => metric in OVERALL;
const isWorst = (metric: PolicyMetric): metric is keyof typeof WORST => metric in WORST;

type Measured = Pick<Figure, 'value' | 'interval' | 'reason'>;

function ofDisparity({ value, interval, reason }: Disparity): Measured {
  return { value, interval, reason: value === null ? (reason ?? 'undefined') : null };
}

/** The worst of all groups is known only when every group has the figure. */
function worstFigure(
  groups: readonly GroupMetrics[],
  worst: readonly WorstGroup[],
  metric: WorstGroup['metric'],
): Measured {
  const found = worst.find((each) => each.metric === metric)!;
  if (found.unsupportedGroups.length > 0) {
    const names = found.unsupportedGroups.map((name) => `"${name}"`).join(', ');
    return { value: null, interval: null, reason: `${metric} is not defined for ${names}` };
  }
  const group = groups.find((each) => each.group === found.group);
  if (group === undefined) return { value: null, interval: null, reason: 'there is no group' };
  return withReason(metric === 'auc' || metric === 'balancedAccuracy' ? group[metric] : group.rates[metric]);
}

function withReason(figure: Pick<Figure, 'value' | 'interval'> & { readonly reason?: string }): Measured {
  const { value, interval } = figure;
  return { value, interval, reason: value === null ? (figure.reason ?? 'no support') : null };
}
