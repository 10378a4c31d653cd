import { z } from 'zod';
import { disparity } from '../fairness/disparity.ts';
import { rate } from '../fairness/rates.ts';
import type { AuditReport, Disparity, FeatureAudit, GroupMetrics, Statistic } from '../fairness/types.ts';
import { DISPARITY_NAMES, RATE_NAMES } from '../fairness/types.ts';
import { auditReportSchema } from './audit-schema.ts';

const NOT_MEASURED = 'not measured by the version that made this audit';
const UNMEASURED: Statistic = { value: null, reason: NOT_MEASURED, interval: null };
const UNTESTED = { interval: null, test: null, smallestDetectable: null };

const count = z.int().min(0);
const value = z.number().nullable();
const names = z.array(z.string());
const statisticSchema = z.strictObject({ value, reason: z.string().exactOptional() });

const groupSchema = z.strictObject({
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
  rates: z.record(
    z.enum(RATE_NAMES).exclude(['baseRate']),
    z.strictObject({ value, numerator: count, support: count }),
  ),
  balancedAccuracy: statisticSchema,
  auc: statisticSchema,
});

const disparitySchema = z.strictObject({
  value,
  amongSupported: value,
  unsupportedGroups: names,
  between: z.tuple([z.string(), z.string()]).exactOptional(),
  reason: z.string().exactOptional(),
});

/** Those that the first version knew. */
const FIRST_DISPARITIES = [
  'demographicParityDifference',
  'demographicParityRatio',
  'equalOpportunityDifference',
  'equalOpportunityRatio',
  'equalizedOddsDifference',
  'equalizedOddsRatio',
  'equalizedOddsMeanDifference',
  'bmftEqualizedOdds',
] as const;

const firstAuditSchema = z.strictObject({
  schemaVersion: z.literal(1),
  threshold: value,
  overall: groupSchema,
  features: z.array(
    z.strictObject({
      sensitiveFeature: z.string(),
      groups: z.array(groupSchema),
      disparities: z.record(z.enum(FIRST_DISPARITIES), disparitySchema),
      worstGroups: z.array(
        z.strictObject({
          metric: z.enum(['auc', 'accuracy', 'balancedAccuracy', 'truePositiveRate']),
          group: z.string().nullable(),
          value,
          unsupportedGroups: names,
        }),
      ),
    }),
  ),
  warnings: names,
});
type FirstAudit = z.output<typeof firstAuditSchema>;

/**
 * An audit as it was stored, perhaps by the first version: that one is read as an audit of today in which what it did
 * not measure is null, with the reason.
 */
export const storedAuditSchema = z.preprocess((stored) => {
  const first = firstAuditSchema.safeParse(stored);
  return first.success ? upgrade(first.data) : stored;
}, auditReportSchema);

function upgrade({ threshold, overall, features, warnings }: FirstAudit): AuditReport {
  return {
    schemaVersion: 2,
    threshold,
    level: 0.95,
    replicates: 0,
    seed: 0,
    minSupport: { group: 0, positives: 0, negatives: 0, action: 'mark' },
    ranks: overall.auc.value === null ? null : 'exact',
    isWeighted: false,
    clusters: null,
    thresholds: [],
    overall: groupOf(overall),
    features: features.map(featureOf),
    warnings,
  };
}

function groupOf({ rates, balancedAccuracy, auc, ...group }: FirstAudit['overall']): GroupMetrics {
  const held = Object.entries(rates).map(([name, held]) => [name, { ...held, interval: null }]);
  return {
    ...group,
    isSmall: false,
    rates: {
      ...(Object.fromEntries(held) as Omit<GroupMetrics['rates'], 'baseRate'>),
      baseRate: rate(group.positives, group.support),
    },
    balancedAccuracy: { ...balancedAccuracy, interval: null },
    auc: { ...auc, interval: null },
    brier: UNMEASURED,
    specificityAtSensitivity: { ...UNMEASURED, sensitivity: 0.9 },
    calibration: null,
    sweep: null,
  };
}

function featureOf(feature: FirstAudit['features'][number]): FeatureAudit {
  const groups = feature.groups.map(groupOf);
  return {
    sensitiveFeature: feature.sensitiveFeature,
    attributes: [feature.sensitiveFeature],
    reference: null,
    groups,
    disparities: disparitiesOf(feature.disparities, groups),
    comparisons: [],
    crossAuc: [],
    worstGroups: feature.worstGroups,
    strata: [],
    merged: [],
  };
}

/** What was stored stays as it was; a gap that follows from the stored counts is taken from them. */
function disparitiesOf(
  stored: FirstAudit['features'][number]['disparities'],
  groups: readonly GroupMetrics[],
): FeatureAudit['disparities'] {
  const entries = DISPARITY_NAMES.map((name): [string, Disparity] => {
    const held = name in stored ? stored[name as keyof typeof stored] : disparity(name, groups);
    return [name, { ...held, ...UNTESTED }];
  });
  return Object.fromEntries(entries) as FeatureAudit['disparities'];
}
