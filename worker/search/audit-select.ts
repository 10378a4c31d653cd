import { MISSING_GROUP } from '../../core/data/types.ts';
import { audit } from '../../core/fairness/audit.ts';
import { auditClasses } from '../../core/fairness/class-audit.ts';
import type { Interval, SensitiveFeature } from '../../core/fairness/types.ts';
import type { SelectFigures } from '../../core/jobs/run-record.ts';
import type { DisparityMetric } from '../../core/jobs/schema.ts';
import { softmaxOf } from '../bmft/class-logit-losses.ts';
import type { BatchTruth, Grouping, TrainingSet } from '../training/batch.ts';
import { groupingsOf, regroup, truthOf } from '../training/batch.ts';
import type { OperatingPointInput } from './operating-point.ts';
import type { TargetGroups } from './selection.ts';
import { DIFFERENCE_OF, selectFigures, targetIn, widestOf } from './selection.ts';

/**
 * Audit of the select part, with the groups of each of its groupings. Rows that a grouping leaves out are in its audit as
 * a group of their own, and in none of its targets.
 *
 * @param about.cut  on the logit; of several classes that of the highest score is predicted, without one
 */
export function auditSelect(
  set: TrainingSet,
  { logits, cut, metric }: { logits: Float32Array; cut: number; metric: DisparityMetric },
): { readonly targets: readonly TargetGroups[]; readonly figures: SelectFigures } {
  const { labels, groups } = truthOf(set, set.rows);
  const groupings = groupingsOf(set);
  const shared = {
    labels,
    sensitiveFeatures: groupings.map((grouping) => withMissing(grouping, regroup(groups, grouping))),
    replicates: 0,
  };
  const { classNames } = set;
  const report = classNames
    ? auditClasses({ ...shared, classNames, scores: softmaxOf(logits, classNames.length) })
    : audit({ ...shared, decisions: { scores: logits, threshold: cut } });
  const targets = groupings.map(({ name }) => targetIn(report, name, (group) => group !== MISSING_GROUP));
  const figures = selectFigures(report, targets, metric);
  const widest = report.features[widestOf(figures.byFeature ?? [figures])]!;
  // a gap with the rows that a grouping leaves out is none of its gaps
  const isWhole = widest.groups.every(({ group }) => group !== MISSING_GROUP);
  const intervals = {
    disparity: isWhole ? boundsOf(widest.disparities[DIFFERENCE_OF[metric]]) : null,
    auc: boundsOf(report.overall.auc),
  };
  return { targets, figures: { ...figures, intervals } };
}

/** @param groups  [N], -1 for a row that the grouping leaves out */
function withMissing({ name, groupNames }: Grouping, groups: Int32Array): SensitiveFeature {
  if (!groups.includes(-1)) return { name, groupNames, groups };
  return {
    name,
    groupNames: [...groupNames, MISSING_GROUP],
    groups: groups.map((group) => (group < 0 ? groupNames.length : group)),
  };
}

function boundsOf({ interval }: { readonly interval: Interval | null }) {
  return interval && { low: interval.low, high: interval.high };
}

/** @param least  true positive rates of the groups of all groupings, one grouping after the other */
export function railsOf(
  set: TrainingSet,
  { groups }: BatchTruth,
  least: readonly number[],
): OperatingPointInput['rails'] {
  const groupings = groupingsOf(set);
  return groupings.map((grouping, place) => {
    const start = groupings.slice(0, place).reduce((sum, { groupNames }) => sum + groupNames.length, 0);
    return {
      groups: regroup(groups, grouping),
      leastTruePositiveRates: least.slice(start, start + grouping.groupNames.length),
    };
  });
}
