import { NO_SCORES, ONE_GROUP, undefinedDisparity } from './figures.ts';
import type { CrossAuc, Disparity, GroupMetrics } from './types.ts';

/** Groups beyond which pairs of them are too many to list. */
export const MOST_CROSS_GROUPS = 20;

/** Largest |xAUC(a, b) - xAUC(b, a)| over pairs of groups: positives of one above negatives of the other. */
export function crossAucDisparity(groups: readonly GroupMetrics[], crossAuc: readonly CrossAuc[]): Disparity {
  if (groups[0]?.calibration === null) return undefinedDisparity(NO_SCORES);
  if (groups.length < 2) return undefinedDisparity(ONE_GROUP);
  if (crossAuc.length === 0) return undefinedDisparity(`more than ${MOST_CROSS_GROUPS} groups`);
  const gaps = crossAuc.flatMap(({ positives, negatives, auc }) => {
    if (positives > negatives) return [];
    const other = crossAuc.find((each) => each.positives === negatives && each.negatives === positives)!;
    return auc.value === null || other.auc.value === null ? [] : [Math.abs(auc.value - other.auc.value)];
  });
  const unsupported = groups.filter(({ positives, negatives }) => positives === 0 || negatives === 0);
  const amongSupported = gaps.length === 0 ? null : Math.max(...gaps);
  const reason = unsupported.map(
    ({ group, positives }) => `group "${group}" has no ${positives === 0 ? 'positive' : 'negative'} labels`,
  );
  return {
    ...undefinedDisparity(reason.join('; ')),
    amongSupported,
    unsupportedGroups: unsupported.map(({ group }) => group),
    ...(unsupported.length === 0 && { value: amongSupported }),
  };
}
