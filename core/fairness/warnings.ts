import type { FeatureAudit, GroupMetrics, MinSupport } from './types.ts';

/** Sentences on what limits the figures of a report. */
export function warningsOf(
  overall: GroupMetrics,
  features: readonly FeatureAudit[],
  minSupport: MinSupport,
): string[] {
  return [...classWarnings(overall), ...features.flatMap((feature) => featureWarnings(feature, minSupport))];
}

function classWarnings(overall: GroupMetrics): string[] {
  if (overall.support === 0) return ['no samples: nothing could be measured'];
  if (overall.positives === 0) return ['no positive labels: true positive rates and AUC are not defined'];
  if (overall.negatives === 0) return ['no negative labels: false positive rates and AUC are not defined'];
  return [];
}

function featureWarnings(
  { sensitiveFeature, groups, merged }: FeatureAudit,
  minSupport: MinSupport,
): string[] {
  const mergers =
    merged.length === 0 ? [] : [`${sensitiveFeature}: ${merged.length} small groups were merged into one`];
  if (groups.length < 2) {
    return [...mergers, `${sensitiveFeature}: one group only, so no disparity is defined`];
  }
  const small = groups.flatMap(({ group, positives, negatives }) => {
    const labels = [
      { label: 'positive', support: positives, least: minSupport.positives },
      { label: 'negative', support: negatives, least: minSupport.negatives },
    ].filter(({ support, least }) => support === 0 || support < least);
    return labels.map(({ label, support }) =>
      support === 0
        ? `${sensitiveFeature} "${group}": no ${label} labels, so rates over them are not defined`
        : `${sensitiveFeature} "${group}": only ${support} ${label} ${support === 1 ? 'label' : 'labels'}, so rates over them are uncertain`,
    );
  });
  return [...mergers, ...small];
}
