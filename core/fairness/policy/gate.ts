import { z } from 'zod';
import type { AuditReport, GroupMetrics } from '../types.ts';
import { type Figure, figuresOf, isMoreBetter, POLICY_METRICS } from './metrics.ts';
import type { Policy, Rule } from './schema.ts';

export const VERDICTS = ['pass', 'fail', 'inconclusive'] as const;
export type Verdict = (typeof VERDICTS)[number];

/** One rule against one figure. */
export const findingSchema = z.strictObject({
  metric: z.enum(POLICY_METRICS),
  sensitiveFeature: z.string().nullable().describe('null for the whole set'),
  severity: z.enum(['error', 'warning']),
  on: z.enum(['estimate', 'interval']),
  limit: z.strictObject({ kind: z.enum(['max', 'min', 'maxWorsening']), value: z.number() }),
  value: z.number().nullable(),
  interval: z.strictObject({ low: z.number(), high: z.number() }).nullable(),
  baseline: z.number().nullable().describe('value of the baseline, for maxWorsening'),
  verdict: z.enum(VERDICTS),
  reason: z.string().nullable().describe('why it is inconclusive'),
});
export type Finding = z.output<typeof findingSchema>;

export const gateResultSchema = z.strictObject({
  policy: z.string(),
  verdict: z.enum(VERDICTS),
  findings: z.array(findingSchema),
});
export type GateResult = z.output<typeof gateResultSchema>;

/**
 * Holds an audit against a policy: for the command line, for scheduled audits and for the API alike.
 *
 * A figure that is not defined, a feature that the audit lacks, too little support, or a baseline that has no such
 * figure passes nothing: the rule is inconclusive, with the reason. A policy passes when every rule of severity
 * error passes.
 *
 * @param baseline  an earlier audit, for rules with maxWorsening
 */
export function gate(report: AuditReport, policy: Policy, baseline: AuditReport | null = null): GateResult {
  const findings = policy.rules.flatMap((rule) => findingsOf(rule, report, baseline));
  return { policy: policy.name, verdict: verdictOf(findings), findings };
}

function verdictOf(findings: readonly Finding[]): Verdict {
  const binding = findings.filter(({ severity }) => severity === 'error');
  const has = (verdict: Verdict) => binding.some((finding) => finding.verdict === verdict);
  if (has('fail')) return 'fail';
  return has('inconclusive') ? 'inconclusive' : 'pass';
}

function findingsOf(rule: Rule, report: AuditReport, baseline: AuditReport | null): Finding[] {
  const figures = figuresOf(report, rule.metric, rule.feature);
  if (figures.length === 0) return [finding(rule, absent(rule), { verdict: 'inconclusive' })];
  return figures.map((figure) => {
    const lack = lackOf(rule, figure);
    if (lack !== null) return finding(rule, { ...figure, reason: lack }, { verdict: 'inconclusive' });
    return rule.maxWorsening === undefined ? check(rule, figure) : compare(rule, figure, baseline);
  });
}

function absent({ feature }: Rule): Figure {
  const reason =
    feature === undefined ? 'the audit has no sensitive feature' : `the audit has no feature "${feature}"`;
  return { sensitiveFeature: feature ?? null, value: null, interval: null, reason, groups: [] };
}

/** Why a figure cannot be held against anything; null when it can. */
function lackOf({ on, minSupport = {} }: Rule, { value, interval, reason, groups }: Figure): string | null {
  if (value === null) return reason ?? 'undefined';
  const supports = [
    ['group', 'rows', ({ support }: GroupMetrics) => support],
    ['positives', 'positive labels', ({ positives }: GroupMetrics) => positives],
    ['negatives', 'negative labels', ({ negatives }: GroupMetrics) => negatives],
  ] as const;
  for (const [key, words, supportOf] of supports) {
    const least = minSupport[key];
    const small = least === undefined ? undefined : groups.find((group) => supportOf(group) < least);
    if (small !== undefined) {
      return `group "${small.group}" has ${supportOf(small)} ${words}, the policy asks for ${least}`;
    }
  }
  return on === 'interval' && interval === null ? 'there is no interval' : null;
}

/** Differences of rates are rounded: 0.6 − 0.5 is not 0.1, and a limit of 0.1 means that it is. */
const ROUNDING = 1e-12;

function check(rule: Rule, figure: Figure): Finding {
  const { max, min } = rule;
  const isWithin = (value: number) =>
    max === undefined ? value >= min! - ROUNDING : value <= max + ROUNDING;
  return settle(rule, figure, { isWithin });
}

/** By the estimate, or by both ends of the interval. */
function settle(
  rule: Rule,
  figure: Figure,
  { isWithin, baseline }: { isWithin: (value: number) => boolean; baseline?: number },
): Finding {
  const about = baseline === undefined ? {} : { baseline };
  const values = rule.on === 'estimate' ? [figure.value!] : [figure.interval!.low, figure.interval!.high];
  const within = values.filter(isWithin).length;
  if (within === values.length) return finding(rule, figure, { verdict: 'pass', ...about });
  if (within === 0) return finding(rule, figure, { verdict: 'fail', ...about });
  const reason = 'the interval has the limit inside';
  return finding(rule, { ...figure, reason }, { verdict: 'inconclusive', ...about });
}

function compare(rule: Rule, figure: Figure, baseline: AuditReport | null): Finding {
  const earlier =
    baseline === null ? [] : figuresOf(baseline, rule.metric, figure.sensitiveFeature ?? undefined);
  const before = earlier[0]?.value ?? null;
  if (before === null) {
    const reason = baseline === null ? 'no baseline was given' : 'the baseline has no such figure';
    return finding(rule, { ...figure, reason }, { verdict: 'inconclusive' });
  }
  const sign = isMoreBetter(rule.metric) ? -1 : 1;
  const isWithin = (value: number) => sign * (value - before) <= rule.maxWorsening! + ROUNDING;
  return settle(rule, figure, { isWithin, baseline: before });
}

interface Outcome {
  readonly verdict: Verdict;
  readonly baseline?: number;
}

function finding(rule: Rule, figure: Figure, { verdict, baseline }: Outcome): Finding {
  const { metric, severity, on } = rule;
  const kind = rule.max !== undefined ? 'max' : rule.min !== undefined ? 'min' : 'maxWorsening';
  const { sensitiveFeature, value, interval, reason } = figure;
  return {
    metric,
    sensitiveFeature,
    severity,
    on,
    limit: { kind, value: rule[kind]! },
    value,
    interval: interval && { low: interval.low, high: interval.high },
    baseline: baseline ?? null,
    verdict,
    reason: verdict === 'inconclusive' ? reason : null,
  };
}
