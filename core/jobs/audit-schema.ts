import { z } from 'zod';
import type { AuditReport, GroupMetrics } from '../fairness/types.ts';
import { DISPARITY_NAMES, RATE_NAMES } from '../fairness/types.ts';

const count = z.int().min(0);
const share = z.number().min(0).max(1).nullable();

const rateSchema = z.strictObject({
  value: share.describe('null, never 0, when support is 0'),
  numerator: count,
  support: count.describe('samples behind the rate'),
});

const statisticSchema = z.strictObject({
  value: z.number().nullable(),
  reason: z.string().exactOptional().describe('why there is no value'),
});

const groupSchema: z.ZodType<GroupMetrics> = z.strictObject({
  group: z.string(),
  support: count,
  positives: count,
  negatives: count,
  counts: z.strictObject({
    truePositives: count,
    falsePositives: count,
    trueNegatives: count,
    falseNegatives: count,
  }),
  rates: z.record(z.enum(RATE_NAMES), rateSchema),
  balancedAccuracy: statisticSchema,
  auc: statisticSchema,
});

const disparitySchema = z.strictObject({
  value: z.number().nullable().describe('over every group; null when one lacks support'),
  amongSupported: z.number().nullable(),
  unsupportedGroups: z.array(z.string()),
  between: z.tuple([z.string(), z.string()]).exactOptional(),
  reason: z.string().exactOptional(),
});

const worstGroupSchema = z.strictObject({
  metric: z.enum(['auc', 'accuracy', 'balancedAccuracy', 'truePositiveRate']),
  group: z.string().nullable(),
  value: z.number().nullable(),
  unsupportedGroups: z.array(z.string()),
});

/** What an audit finds, as `core/fairness` makes it and every `audit.json` holds it. */
export const auditReportSchema: z.ZodType<AuditReport> = z.strictObject({
  schemaVersion: z.literal(1),
  threshold: z.number().nullable(),
  overall: groupSchema,
  features: z.array(
    z.strictObject({
      sensitiveFeature: z.string(),
      groups: z.array(groupSchema),
      disparities: z.record(z.enum(DISPARITY_NAMES), disparitySchema),
      worstGroups: z.array(worstGroupSchema),
    }),
  ),
  warnings: z.array(z.string()),
});
