import type { ClassAudit, FeatureAudit, GroupMetrics, MinSupport } from './types.ts';

/** Sentences on what limits the figures of a report. */
export function warningsOf(
  overall: GroupMetrics,
  features: readonly FeatureAudit[],
  minSupport: MinSupport,
): string[] {
  return [...labelWarnings(overall), ...features.flatMap((feature) => featureWarnings(feature, minSupport))];
}

/** Those of one class against the rest. */
export function classWarnings({ label, overall, features }: ClassAudit, minSupport: MinSupport): string[] {
  return warningsOf(overall, features, minSupport).map((warning) => `class "${label}": ${warning}`);
}

const MOST_NAMED = 5;

/** A group that is small in some classes is merged there only, and has no mean over classes. */
export function mergerWarnings(classes: readonly ClassAudit[]): string[] {
  return classes[0]!.features.flatMap(({ sensitiveFeature }, place) => {
    const merged = classes.flatMap(({ features }) => features[place]!.merged);
    const partly = [...new Set(merged)].filter(
      (group) => merged.filter((other) => other === group).length < classes.length,
    );
    if (partly.length === 0) return [];
    const named = partly.slice(0, MOST_NAMED).map((group) => `"${group}"`);
    const more = partly.length > MOST_NAMED ? ` and ${partly.length - MOST_NAMED} more` : '';
    return [
      `${sensitiveFeature}: merged in some classes and not in others, so without means over classes: ${named.join(', ')}${more}`,
    ];
  });
}

function labelWarnings(overall: GroupMetrics): string[] {
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
