import { disparity } from './disparity.ts';
import type { AuditReport, DisparityName, Interval } from './types.ts';

/** A figure with its interval; null where it is not defined. */
interface Figure {
  readonly value: number | null;
  readonly interval: Pick<Interval, 'low' | 'high'> | null;
}

/** The few figures by which audited sets are set side by side. */
export interface SetFigures {
  readonly support: number;
  readonly disparity: Figure;
  readonly auc: Figure;
  /** Lowest true positive rate among the groups that have positives; null where none has. */
  readonly worstTruePositiveRate: { readonly group: string; readonly value: number } | null;
  /** Groups without positives or without negatives: nothing is known about the gap to them. */
  readonly emptyGroups: readonly string[];
}

interface Target {
  readonly sensitiveFeature: string;
  readonly metric: DisparityName;
  /** Name of the rows without a value, which are no group here. */
  readonly missingGroup: string;
}

/** Figures of one feature of an audit. The disparity has no interval where rows without a value are in the audit's. */
export function setFigures(
  audit: AuditReport,
  { sensitiveFeature, metric, missingGroup }: Target,
): SetFigures {
  const feature = audit.features.find((each) => each.sensitiveFeature === sensitiveFeature)!;
  const groups = feature.groups.filter(({ group }) => group !== missingGroup);
  const { value } = disparity(metric, groups);
  const isWhole = groups.length === feature.groups.length && value !== null;
  const rates = groups.flatMap(({ group, rates: { truePositiveRate } }) =>
    truePositiveRate.value === null ? [] : [{ group, value: truePositiveRate.value }],
  );
  return {
    support: audit.overall.support,
    disparity: { value, interval: isWhole ? boundsOf(feature.disparities[metric].interval) : null },
    auc: { value: audit.overall.auc.value, interval: boundsOf(audit.overall.auc.interval) },
    worstTruePositiveRate: rates.toSorted((a, b) => a.value - b.value)[0] ?? null,
    emptyGroups: groups
      .filter(({ positives, negatives }) => positives === 0 || negatives === 0)
      .map(({ group }) => group),
  };
}

function boundsOf(interval: Interval | null): Figure['interval'] {
  return interval && { low: interval.low, high: interval.high };
}
