import { MISSING_GROUP } from '../../core/data/types.ts';
import { audit } from '../../core/fairness/audit.ts';
import type { SelectFigures } from '../../core/jobs/run-record.ts';
import type { DisparityMetric } from '../../core/jobs/schema.ts';
import type { BatchTruth, TrainingSet } from '../training/batch.ts';
import { groupingsOf, regroup, truthOf } from '../training/batch.ts';
import type { OperatingPointInput } from './operating-point.ts';
import type { TargetGroups } from './selection.ts';
import { selectFigures } from './selection.ts';

/**
 * Audit of the select part, with the groups of each of its groupings. Rows that a grouping leaves out are in its audit as
 * a group of their own, and in none of its targets.
 */
export function auditSelect(
  set: TrainingSet,
  { logits, cut, metric }: { logits: Float32Array; cut: number; metric: DisparityMetric },
): { readonly targets: readonly TargetGroups[]; readonly figures: SelectFigures } {
  const { labels, groups } = truthOf(set, set.rows);
  const groupings = groupingsOf(set);
  const report = audit({
    labels,
    decisions: { scores: logits, threshold: cut },
    sensitiveFeatures: groupings.map((grouping) => ({
      name: grouping.name,
      groupNames: [...grouping.groupNames, MISSING_GROUP],
      groups: regroup(groups, grouping).map((group) => (group < 0 ? grouping.groupNames.length : group)),
    })),
    replicates: 0,
  });
  const targets = groupings.map(({ name, groupNames }, place) => ({
    sensitiveFeature: name,
    groups: report.features[place]!.groups.slice(0, groupNames.length),
  }));
  return { targets, figures: selectFigures(report, targets, metric) };
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
