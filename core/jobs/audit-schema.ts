import { z } from 'zod';
import type { InputFacts } from '../fairness/input-facts.ts';
import { gateResultSchema } from '../fairness/policy/gate.ts';
import type { AuditReport, FeatureAudit, GroupMetrics } from '../fairness/types.ts';
import { DISPARITY_NAMES, INTERVAL_METHODS, RATE_NAMES, TEST_NAMES } from '../fairness/types.ts';

const count = z.int().min(0);
const share = z.number().min(0).max(1);

const intervalSchema = z
  .strictObject({ low: z.number(), high: z.number(), method: z.enum(INTERVAL_METHODS) })
  .nullable();

const rateSchema = z.strictObject({
  value: share.nullable().describe('null, never 0, when support is 0'),
  numerator: count,
  support: count.describe('rows behind the rate'),
  interval: intervalSchema,
  weighted: z
    .strictObject({ numerator: z.number().min(0), support: z.number().min(0) })
    .exactOptional()
    .describe('sums of weights, where rows have weights'),
});

const statistic = {
  value: z.number().nullable(),
  reason: z.string().exactOptional().describe('why there is no value'),
  interval: intervalSchema,
  errorBound: z.number().min(0).exactOptional().describe('where ranks come from a histogram'),
};
const statisticSchema = z.strictObject(statistic);

const testSchema = z
  .strictObject({
    name: z.enum(TEST_NAMES),
    pValue: share,
    adjustedPValue: share.describe('by the method of Holm over all tests of the report'),
  })
  .nullable();
const smallestDetectable = z.number().min(0).nullable();

const countsSchema = z.strictObject({
  truePositives: count,
  falsePositives: count,
  trueNegatives: count,
  falseNegatives: count,
});

const calibrationSchema = z.strictObject({
  error: statisticSchema,
  slope: statisticSchema,
  intercept: statisticSchema,
  bins: z.array(
    z.strictObject({ meanScore: share, positives: z.number().min(0), support: z.number().min(0) }),
  ),
});

const groupSchema: z.ZodType<GroupMetrics> = z.strictObject({
  group: z.string(),
  support: count,
  positives: count,
  negatives: count,
  isSmall: z.boolean(),
  counts: countsSchema,
  rates: z.record(z.enum(RATE_NAMES), rateSchema),
  balancedAccuracy: statisticSchema,
  auc: statisticSchema,
  brier: statisticSchema,
  specificityAtSensitivity: z.strictObject({ ...statistic, sensitivity: share }),
  calibration: calibrationSchema.nullable(),
  sweep: z.strictObject({ truePositives: z.array(count), falsePositives: z.array(count) }).nullable(),
});

const disparitySchema = z.strictObject({
  value: z.number().nullable().describe('over every group; null when one lacks support'),
  amongSupported: z.number().nullable(),
  unsupportedGroups: z.array(z.string()),
  between: z.tuple([z.string(), z.string()]).exactOptional(),
  reason: z.string().exactOptional(),
  interval: intervalSchema,
  test: testSchema,
  smallestDetectable,
});

const comparisonSchema = z.strictObject({
  group: z.string(),
  rate: z.enum([...RATE_NAMES, 'auc']),
  difference: z.strictObject({ ...statistic, test: testSchema, smallestDetectable }),
  ratio: statisticSchema,
});

const worstGroupSchema = z.strictObject({
  metric: z.enum(['auc', 'accuracy', 'balancedAccuracy', 'truePositiveRate']),
  group: z.string().nullable(),
  value: z.number().nullable(),
  unsupportedGroups: z.array(z.string()),
});

const featureSchema: z.ZodType<FeatureAudit> = z.strictObject({
  sensitiveFeature: z.string(),
  attributes: z.array(z.string()).min(1),
  reference: z.strictObject({ group: z.string(), rule: z.enum(['named', 'largest', 'best']) }).nullable(),
  groups: z.array(groupSchema),
  disparities: z.record(z.enum(DISPARITY_NAMES), disparitySchema),
  comparisons: z.array(comparisonSchema),
  crossAuc: z.array(z.strictObject({ positives: z.string(), negatives: z.string(), auc: statisticSchema })),
  worstGroups: z.array(worstGroupSchema),
  strata: z.array(z.strictObject({ stratum: z.string(), counts: z.array(countsSchema) })),
  merged: z.array(z.string()),
});

const inputSchema: z.ZodType<InputFacts> = z.strictObject({
  rows: count.describe('of the table'),
  audited: count.describe('of the split that was asked for'),
  missing: z.array(z.strictObject({ sensitiveFeature: z.string(), rows: count })),
  bins: z.array(
    z.strictObject({
      sensitiveFeature: z.string(),
      rule: z.enum(['edges', 'quantiles']),
      edges: z.array(z.number()),
      isExact: z.boolean(),
    }),
  ),
  join: z
    .strictObject({
      id: z.string(),
      matched: count,
      unmatched: count,
      duplicate: count,
      conflicting: count,
      unused: count,
    })
    .exactOptional(),
});

/** What an audit finds, as `core/fairness` makes it and every `audit.json` holds it. */
export const auditReportSchema: z.ZodType<AuditReport> = z.strictObject({
  schemaVersion: z.literal(2),
  threshold: z.number().nullable(),
  level: z.number().gt(0).lt(1).describe('of every interval'),
  replicates: count.describe('draws of every bootstrap'),
  seed: z.number(),
  minSupport: z.strictObject({
    group: count,
    positives: count,
    negatives: count,
    action: z.enum(['mark', 'merge', 'refuse']),
  }),
  ranks: z.enum(['exact', 'histogram']).nullable(),
  isWeighted: z.boolean(),
  clusters: count.nullable(),
  thresholds: z.array(z.number()),
  overall: groupSchema,
  features: z.array(featureSchema),
  classes: z
    .array(z.strictObject({ label: z.string(), overall: groupSchema, features: z.array(featureSchema) }))
    .exactOptional(),
  input: inputSchema.exactOptional(),
  gate: gateResultSchema.exactOptional().describe('what the policy found, where one was given'),
  warnings: z.array(z.string()),
});
