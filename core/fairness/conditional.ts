import { ONE_GROUP, undefinedDisparity } from './figures.ts';
import type { ConfusionCounts, Disparity, GroupMetrics, StratumCounts } from './types.ts';

/**
 * Largest |CDD_g| over groups g, each against the rest, as SageMaker Clarify defines CDD:
 *
 *   DD_s = share of g among the rejected - share of g among the selected, of stratum s
 *   CDD = (1/N) Σ_s N_s · DD_s
 *
 * A stratum in which nobody, or everybody, is selected has no DD.
 */
export function conditionalDisparity(
  groups: readonly GroupMetrics[],
  strata: readonly StratumCounts[],
): Disparity {
  if (strata.length === 0) return undefinedDisparity('the rows have no strata');
  if (groups.length < 2) return undefinedDisparity(ONE_GROUP);
  const { values, undefinedStrata } = conditionalByGroup(strata.map(({ counts }) => counts.map(selectionOf)));
  const amongSupported = values && Math.max(...values.map(Math.abs));
  if (undefinedStrata === 0) {
    const { reason: _, ...none } = undefinedDisparity('');
    return { ...none, value: amongSupported, amongSupported };
  }
  return {
    ...undefinedDisparity(
      `${undefinedStrata} of ${strata.length} strata select nobody or everybody, so shares among them are 0/0`,
    ),
    amongSupported,
  };
}

/** Rows by prediction. */
interface Selection {
  readonly selected: number;
  readonly rejected: number;
}

export const selectionOf = (counts: ConfusionCounts): Selection => ({
  selected: counts.truePositives + counts.falsePositives,
  rejected: counts.trueNegatives + counts.falseNegatives,
});

/**
 * CDD of each group, with sign; null where no stratum has one.
 *
 * @param tables  [stratum][group]
 */
export function conditionalByGroup(tables: readonly (readonly Selection[])[]): {
  readonly values: number[] | null;
  readonly undefinedStrata: number;
} {
  const defined = tables.filter((groups) => sum(groups, 'selected') > 0 && sum(groups, 'rejected') > 0);
  const undefinedStrata = tables.length - defined.length;
  if (defined.length === 0) return { values: null, undefinedStrata };
  const sizes = defined.map((groups) => sum(groups, 'selected') + sum(groups, 'rejected'));
  const total = sizes.reduce((left, right) => left + right, 0);
  const values = defined[0]!.map((_, group) =>
    defined.reduce((disparity, groups, stratum) => {
      const rejected = groups[group]!.rejected / sum(groups, 'rejected');
      const selected = groups[group]!.selected / sum(groups, 'selected');
      return disparity + (sizes[stratum]! / total) * (rejected - selected);
    }, 0),
  );
  return { values, undefinedStrata };
}

const sum = (groups: readonly Selection[], part: keyof Selection): number =>
  groups.reduce((total, group) => total + group[part], 0);
