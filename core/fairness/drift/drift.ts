import { z } from 'zod';
import { figuresOf, POLICY_METRICS, type PolicyMetric } from '../policy/metrics.ts';
import { criticalValue } from '../statistics/distributions.ts';
import type { AuditReport } from '../types.ts';
import { changePoints } from './change-points.ts';
import { type DriftPoint, trendOf } from './trend.ts';

/** Points of a series that a report shows. */
export const SHOWN_POINTS = 24;

/** An audit of one subject, at the time for which it stands. */
export interface DatedAudit {
  readonly time: Date;
  readonly report: AuditReport;
}

/** One metric of one feature over time. */
const seriesSchema = z.strictObject({
  metric: z.enum(POLICY_METRICS),
  sensitiveFeature: z.string().nullable().describe('null for the whole set'),
  points: z
    .array(z.strictObject({ time: z.iso.datetime(), value: z.number().nullable() }))
    .describe('the last ones, in order of time; null where the metric is not defined'),
  trend: z
    .strictObject({
      slopePerDay: z.number().describe('Theil–Sen'),
      pValue: z.number().describe('Mann–Kendall, two-sided'),
    })
    .nullable()
    .describe('null with fewer than four values'),
  changes: z
    .array(
      z.strictObject({ time: z.iso.datetime(), before: z.number(), after: z.number(), pValue: z.number() }),
    )
    .describe('changes of level that sampling does not explain'),
});
export type DriftSeries = z.output<typeof seriesSchema>;

export const driftSchema = z.strictObject({
  audits: z.int().describe('that were compared'),
  series: z.array(seriesSchema),
});
export type Drift = z.output<typeof driftSchema>;

const METRICS = [
  'equalizedOddsDifference',
  'demographicParityDifference',
  'worstGroupAuc',
  'overallAuc',
] as const satisfies readonly PolicyMetric[];

/**
 * How the gaps and the quality of one subject moved over its audits.
 *
 * @param audits  of one subject, in any order; of two of one time the later given counts
 */
export function driftOf(audits: readonly DatedAudit[]): Drift {
  const byTime = new Map(audits.map((audit) => [audit.time.getTime(), audit]));
  const ordered = [...byTime.values()].sort((a, b) => a.time.getTime() - b.time.getTime());
  const features = ordered.at(-1)?.report.features.map(({ sensitiveFeature }) => sensitiveFeature) ?? [];
  const series = METRICS.flatMap((metric) =>
    metric === 'overallAuc'
      ? [seriesOf(ordered, metric, null)]
      : features.map((name) => seriesOf(ordered, metric, name)),
  );
  return { audits: ordered.length, series };
}

function seriesOf(audits: readonly DatedAudit[], metric: PolicyMetric, feature: string | null): DriftSeries {
  const figures = audits.map(({ time, report }) => {
    const figure = figuresOf(report, metric, feature ?? undefined)[0];
    const { interval = null, value = null } = figure ?? {};
    const standardError = interval && (interval.high - interval.low) / (2 * criticalValue(report.level));
    return { time, value, standardError };
  });
  const points = figures.flatMap(({ time, value, standardError }): DriftPoint[] =>
    value === null ? [] : [{ time: time.getTime(), value, standardError }],
  );
  return {
    metric,
    sensitiveFeature: feature,
    points: figures.slice(-SHOWN_POINTS).map(({ time, value }) => ({ time: time.toISOString(), value })),
    trend: trendOf(points),
    changes: changePoints(points).map(({ at, before, after, pValue }) => ({
      time: new Date(points[at]!.time).toISOString(),
      before,
      after,
      pValue,
    })),
  };
}
