import { ONE_GROUP, undefinedDisparity } from './figures.ts';
import { lackOfClass, tieBound } from './ranking.ts';
import { type ScoreColumn, tableOf } from './score-column.ts';
import { aucEstimator, aucOf } from './statistics/delong.ts';
import type { Estimator } from './statistics/mover.ts';
import type { CrossAuc, Disparity, GroupMetrics } from './types.ts';

/** Groups beyond which pairs of them are too many to list. */
const MOST_CROSS_GROUPS = 20;

export interface CrossAucInput {
  readonly groupNames: readonly string[];
  /** [group] → [of negatives, of positives]; null without scores */
  readonly columns: readonly (readonly [ScoreColumn, ScoreColumn])[] | null;
  /** null for values without intervals, as where rows come in clusters */
  readonly level: number | null;
  /** True where scores are middles of bins. */
  readonly isBinned: boolean;
}

/** An xAUC with its interval at any level; null where there is none. */
export interface MeasuredPair extends CrossAuc {
  readonly estimator: Estimator | null;
}

/** xAUC of every ordered pair of two groups; none without scores or with more than 20 groups. */
export function crossAucs({ groupNames, columns, level, isBinned }: CrossAucInput): MeasuredPair[] {
  if (columns === null || groupNames.length > MOST_CROSS_GROUPS) return [];
  return groupNames.flatMap((positives, first) =>
    groupNames.flatMap((negatives, second) => {
      if (first === second) return [];
      const pair = [columns[first]![1], columns[second]![0]] as const;
      return [{ positives, negatives, ...aucBetween(pair, { level, isBinned }) }];
    }),
  );
}

function aucBetween(
  [positives, negatives]: readonly [ScoreColumn, ScoreColumn],
  { level, isBinned }: Pick<CrossAucInput, 'level' | 'isBinned'>,
): Pick<MeasuredPair, 'auc' | 'estimator'> {
  const table = tableOf(positives, negatives);
  const estimate = aucOf(table);
  if (estimate === null) {
    const auc = { value: null, reason: lackOfClass(positives.values.length), interval: null };
    return { auc, estimator: null };
  }
  const estimator = level === null ? null : aucEstimator(estimate);
  const bounds = estimator?.(level!) ?? null;
  return {
    auc: {
      value: estimate.auc,
      interval: bounds && { low: bounds.low, high: bounds.high, method: 'delong' },
      ...(isBinned && { errorBound: tieBound(table) }),
    },
    estimator,
  };
}

/** Largest |xAUC(a, b) - xAUC(b, a)| over pairs of groups: positives of one above negatives of the other. */
export function crossAucDisparity(groups: readonly GroupMetrics[], crossAuc: readonly CrossAuc[]): Disparity {
  const [first] = groups;
  if (first?.calibration === null) return undefinedDisparity(first.brier.reason!);
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
