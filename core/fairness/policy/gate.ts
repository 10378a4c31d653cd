import { z } from 'zod';
import type { AuditReport, GroupMetrics } from '../types.ts';
import { type Figure, figuresOf, isMoreBetter, POLICY_METRICS } from './metrics.ts';
import { neededRows, ROW_KINDS } from './needed.ts';
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
  needed: z
    .array(z.strictObject({ group: z.string(), more: z.number(), of: z.enum(ROW_KINDS) }))
    .nullable()
    .describe('rows that would decide an inconclusive rule; null where that cannot be said'),
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

/** The audit with what a policy found in it; as it is without one. */
export function withGate(
  report: AuditReport,
  policy: Policy | undefined,
  baseline: AuditReport | null = null,
): AuditReport {
  return policy === undefined ? report : { ...report, gate: gate(report, policy, baseline) };
}

function verdictOf(findings: readonly Finding[]): Verdict {
  const binding = findings.filter(({ severity }) => severity === 'error');
  const has = (verdict: Verdict) => binding.some((finding) => finding.verdict === verdict);
  if (has('fail')) return 'fail';
  return has('inconclusive') ? 'inconclusive' : 'pass';
}

function findingsOf(rule: Rule, report: AuditReport, baseline: AuditReport | null): Finding[] {
  const figures = figuresOf(report, rule.metric, rule.feature);
  if (figures.length === 0) return [open(rule, absent(rule), { reason: absent(rule).reason })];
  return figures.map((figure) => {
    if (figure.value === null) return open(rule, figure, { reason: figure.reason });
    const small = smallIn(rule, figure);
    if (small !== null) return open(rule, figure, small);
    if (rule.on === 'interval' && figure.interval === null)
      return open(rule, figure, { reason: 'there is no interval' });
    return hold(rule, figure, { report, baseline });
  });
}

function absent({ feature }: Rule): Figure {
  const reason =
    feature === undefined ? 'the audit has no sensitive feature' : `the audit has no feature "${feature}"`;
  return { sensitiveFeature: feature ?? null, value: null, interval: null, reason, groups: [] };
}

const SUPPORTS = [
  ['group', 'rows', 'rows', ({ support }: GroupMetrics) => support],
  ['positives', 'positive labels', 'positives', ({ positives }: GroupMetrics) => positives],
  ['negatives', 'negative labels', 'negatives', ({ negatives }: GroupMetrics) => negatives],
] as const;

/** The first support that is too small, with what every group lacks of it; null when all suffice. */
function smallIn({ minSupport = {} }: Rule, { groups }: Figure) {
  for (const [key, words, of, supportOf] of SUPPORTS) {
    const least = minSupport[key] ?? 0;
    const small = groups.filter((group) => supportOf(group) < least);
    if (small.length === 0) continue;
    return {
      reason: `group "${small[0]!.group}" has ${supportOf(small[0]!)} ${words}, the policy asks for ${least}`,
      needed: small.map((group) => ({ group: group.group, more: least - supportOf(group), of })),
    };
  }
  return null;
}

/** Differences of rates are rounded: 0.6 − 0.5 is not 0.1, and a limit of 0.1 means that it is. */
const ROUNDING = 1e-12;

interface Audits {
  readonly report: AuditReport;
  readonly baseline: AuditReport | null;
}

/** A figure against the rule's limit: by the estimate, or by both ends of the interval. */
function hold(rule: Rule, figure: Figure, { report, baseline }: Audits): Finding {
  const { metric, max, min, maxWorsening, on } = rule;
  const before = maxWorsening === undefined ? null : valueBefore(baseline, metric, figure);
  if (maxWorsening !== undefined && before === null) {
    const reason = baseline === null ? 'no baseline was given' : 'the baseline has no such figure';
    return open(rule, figure, { reason });
  }
  const sign = isMoreBetter(metric) ? -1 : 1;
  const limit = max ?? min ?? before! + sign * maxWorsening!;
  const values = on === 'estimate' ? [figure.value!] : [figure.interval!.low, figure.interval!.high];
  const within = values.filter((value) => sign * (value - limit) <= ROUNDING).length;
  if (within === values.length) return finding(rule, figure, { verdict: 'pass', baseline: before });
  if (within === 0) return finding(rule, figure, { verdict: 'fail', baseline: before });
  const { level, isWeighted } = report;
  const needed = isWeighted ? null : neededRows(metric, figure.groups, { limit, level });
  return open(rule, figure, { reason: 'the interval has the limit inside', baseline: before, needed });
}

function valueBefore(baseline: AuditReport | null, metric: Rule['metric'], { sensitiveFeature }: Figure) {
  if (baseline === null) return null;
  return figuresOf(baseline, metric, sensitiveFeature ?? undefined)[0]?.value ?? null;
}

interface Outcome
  extends Pick<Finding, 'verdict'>,
    Partial<Pick<Finding, 'baseline' | 'reason' | 'needed'>> {}

/** An inconclusive finding. */
function open(rule: Rule, figure: Figure, why: Omit<Outcome, 'verdict'>): Finding {
  return finding(rule, figure, { verdict: 'inconclusive', ...why });
}

function finding(rule: Rule, figure: Figure, outcome: Outcome): Finding {
  const { metric, severity, on } = rule;
  const kind = rule.max !== undefined ? 'max' : rule.min !== undefined ? 'min' : 'maxWorsening';
  const { sensitiveFeature, value, interval } = figure;
  return {
    metric,
    sensitiveFeature,
    severity,
    on,
    limit: { kind, value: rule[kind]! },
    value,
    interval: interval && { low: interval.low, high: interval.high },
    baseline: null,
    reason: null,
    needed: null,
    ...outcome,
  };
}
