import { METRICS } from '../disparity.ts';
import { rowsToDecide } from '../statistics/power.ts';
import type { GroupMetrics, RateName } from '../types.ts';
import { RATE_NAMES } from '../types.ts';
import type { PolicyMetric } from './metrics.ts';

/** Rows of a group that are missing for a verdict. */
export interface NeededRows {
  readonly group: string;
  readonly more: number;
  readonly of: (typeof ROW_KINDS)[number];
}

export const ROW_KINDS = [
  'rows',
  'positives',
  'negatives',
  'rows predicted positive',
  'rows predicted negative',
] as const;

const ROWS_BEHIND: Readonly<Record<RateName, NeededRows['of']>> = {
  selectionRate: 'rows',
  truePositiveRate: 'positives',
  falsePositiveRate: 'negatives',
  trueNegativeRate: 'negatives',
  falseNegativeRate: 'positives',
  positivePredictiveValue: 'rows predicted positive',
  negativePredictiveValue: 'rows predicted negative',
  falseDiscoveryRate: 'rows predicted positive',
  falseOmissionRate: 'rows predicted negative',
  accuracy: 'rows',
  baseRate: 'rows',
};

/** The largest gap or the smallest ratio of a few rates; of other metrics nobody can say what decides them. */
const DECIDABLE = new Set<PolicyMetric>([
  'demographicParityDifference',
  'demographicParityRatio',
  'equalOpportunityDifference',
  'equalOpportunityRatio',
  'equalizedOddsDifference',
  'equalizedOddsRatio',
  'falsePositiveRateDifference',
  'predictiveParityDifference',
  'falseDiscoveryRateDifference',
  'falseOmissionRateDifference',
  'accuracyDifference',
  'baseRateDifference',
]);

const isRate = (name: string): name is RateName => RATE_NAMES.some((rate) => rate === name);

/**
 * The fewest rows, at the rates that were observed, after which an interval would no longer hold the limit.
 *
 * @param limit  on the metric: at most for a difference, at least for a ratio
 * @returns null for a metric of which that cannot be said, and where no number of rows would decide
 */
export function neededRows(
  metric: PolicyMetric,
  groups: readonly GroupMetrics[],
  { limit, level }: { readonly limit: number; readonly level: number },
): NeededRows[] | null {
  if (!DECIDABLE.has(metric)) return null;
  const rates = METRICS[metric as keyof typeof METRICS].figures.filter(isRate);
  const of = metric.endsWith('Ratio') ? 'ratio' : 'difference';
  const needed = rates.map((name) => {
    const found = rowsToDecide(
      groups.map((group) => group.rates[name]),
      { limit, of, level },
    );
    return (
      found?.map(({ group, more }) => ({ group: groups[group]!.group, more, of: ROWS_BEHIND[name] })) ?? null
    );
  });
  return needed.includes(null) ? null : (needed as NeededRows[][]).flat();
}
