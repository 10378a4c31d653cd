import type { FeatureAudit } from '../../fairness/types.ts';

/** Groups that at least one disparity leaves out, each once. */
export function unsupportedIn(disparities: FeatureAudit['disparities']): string[] {
  return [...new Set(Object.values(disparities).flatMap((each) => each.unsupportedGroups))];
}
