import { z } from 'zod';
import type { AuditReport } from '../fairness/types.ts';
import { DISPARITY_NAMES } from '../fairness/types.ts';

/** Gaps of which less is better; of a ratio more is, so it has no largest allowed value. */
export const LIMITED_METRICS = DISPARITY_NAMES.filter((name) => !name.endsWith('Ratio'));

export const limitSchema = z.strictObject({
  metric: z.enum(LIMITED_METRICS),
  /** Largest value that is still accepted. */
  max: z.number().min(0).max(1),
});
export type Limit = z.output<typeof limitSchema>;

export const VERDICTS = ['pass', 'fail', 'inconclusive'] as const;
export type Verdict = (typeof VERDICTS)[number];

/** One limit against one sensitive feature. */
export const findingSchema = z.strictObject({
  sensitiveFeature: z.string(),
  metric: z.enum(LIMITED_METRICS),
  max: z.number(),
  value: z.number().nullable(),
  verdict: z.enum(VERDICTS),
});
export type Finding = z.output<typeof findingSchema>;

/** Every limit against every sensitive feature. A disparity that is not defined passes nothing: it is inconclusive. */
export function checkLimits({ features }: AuditReport, limits: readonly Limit[]): Finding[] {
  return features.flatMap(({ sensitiveFeature, disparities }) =>
    limits.map(({ metric, max }) => {
      const { value } = disparities[metric];
      return { sensitiveFeature, metric, max, value, verdict: verdictOf(value, max) };
    }),
  );
}

function verdictOf(value: number | null, max: number): Verdict {
  if (value === null) return 'inconclusive';
  return value <= max ? 'pass' : 'fail';
}

/** One failure fails, one open question leaves open; null when there was nothing to check. */
export function overallVerdict(findings: readonly Finding[]): Verdict | null {
  const has = (verdict: Verdict) => findings.some((finding) => finding.verdict === verdict);
  if (has('fail')) return 'fail';
  if (has('inconclusive')) return 'inconclusive';
  return findings.length === 0 ? null : 'pass';
}
