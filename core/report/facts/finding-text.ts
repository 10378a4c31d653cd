import type { Finding } from '../../fairness/policy/gate.ts';
import type { PolicyMetric } from '../../fairness/policy/metrics.ts';
import type { DisparityName } from '../../fairness/types.ts';
import { DISPARITY_LABELS } from '../text/labels.ts';

const QUALITY_LABELS: Readonly<Record<Exclude<PolicyMetric, DisparityName>, string>> = {
  worstGroupAuc: 'AUC of the worst group',
  worstGroupAccuracy: 'Accuracy of the worst group',
  worstGroupBalancedAccuracy: 'Balanced accuracy of the worst group',
  worstGroupTruePositiveRate: 'True positive rate of the worst group',
  overallAuc: 'AUC',
  overallAccuracy: 'Accuracy',
  overallBalancedAccuracy: 'Balanced accuracy',
};

/** What a metric of a policy is called, as in the tables of reports. */
export function metricLabel(metric: PolicyMetric): string {
  return metric in DISPARITY_LABELS
    ? DISPARITY_LABELS[metric as DisparityName]
    : QUALITY_LABELS[metric as keyof typeof QUALITY_LABELS];
}

const VERDICT_WORDS = { pass: 'kept', fail: 'broken', inconclusive: 'inconclusive' } as const;

const figure = (value: number): string => String(Number(value.toPrecision(4)));

/** A finding as a sentence: what was measured, the limit, and whether it was kept. */
export function findingText(finding: Finding): string {
  const { metric, sensitiveFeature, value, interval, on, limit, baseline, verdict, reason, severity } =
    finding;
  const subject = `${metricLabel(metric)}${sensitiveFeature === null ? '' : ` by ${sensitiveFeature}`}`;
  const found = value === null ? 'not defined' : figure(value);
  const range = on === 'interval' && interval ? ` (${figure(interval.low)} to ${figure(interval.high)})` : '';
  const rule = {
    max: `at most ${figure(limit.value)}`,
    min: `at least ${figure(limit.value)}`,
    maxWorsening: `${baseline === null ? '' : `${figure(baseline)} before, `}at most ${figure(limit.value)} worse`,
  }[limit.kind];
  const isMinor = severity === 'warning' && verdict === 'fail';
  const why = reason === null ? '' : `, ${reason}${neededText(finding)}`;
  return `${subject} ${found}${range}, ${rule}: ${VERDICT_WORDS[verdict]}${why}${isMinor ? ' (warning)' : ''}`;
}

/** Of whom how many more would decide it. */
function neededText({ needed }: Pick<Finding, 'needed'>): string {
  if (needed === null || needed.length === 0) return '';
  const rows = needed.map(({ group, more, of }) => `${more} more ${of} of "${group}"`);
  return `; some ${rows.join(', ')} would decide it`;
}
