import { describe, expect, it } from 'vitest';
import { auditReportSchema } from '../../../core/jobs/audit-schema.ts';
import { storedAuditSchema } from '../../../core/jobs/stored-audit.ts';

const rate = (numerator: number, support: number) => ({ value: numerator / support, numerator, support });

/** As the first version wrote it, with three of five selected and all of them rightly. */
const group = (name: string) => ({
  group: name,
  support: 5,
  positives: 4,
  negatives: 1,
  counts: { truePositives: 3, falsePositives: 0, trueNegatives: 1, falseNegatives: 1 },
  rates: {
    selectionRate: rate(3, 5),
    truePositiveRate: rate(3, 4),
    falsePositiveRate: rate(0, 1),
    trueNegativeRate: rate(1, 1),
    falseNegativeRate: rate(1, 4),
    positivePredictiveValue: rate(3, 3),
    negativePredictiveValue: rate(1, 2),
    falseDiscoveryRate: rate(0, 3),
    falseOmissionRate: rate(1, 2),
    accuracy: rate(4, 5),
  },
  balancedAccuracy: { value: 7 / 8 },
  auc: { value: null, reason: 'the table holds predictions, no scores' },
});
const gap = { value: 0, amongSupported: 0, unsupportedGroups: [] };
const FIRST = {
  schemaVersion: 1,
  threshold: null,
  overall: group('(all)'),
  features: [
    {
      sensitiveFeature: 'sex',
      groups: [group('f'), group('m')],
      disparities: {
        demographicParityDifference: { ...gap, value: 0.25 },
        demographicParityRatio: gap,
        equalOpportunityDifference: gap,
        equalOpportunityRatio: gap,
        equalizedOddsDifference: { value: null, amongSupported: 0, unsupportedGroups: ['x'], reason: 'none' },
        equalizedOddsRatio: gap,
        equalizedOddsMeanDifference: gap,
        bmftEqualizedOdds: gap,
      },
      worstGroups: [{ metric: 'auc', group: null, value: null, unsupportedGroups: ['f', 'm'] }],
    },
  ],
  warnings: ['small'],
};

const NOT_MEASURED = 'not measured by the version that made this audit';

describe('storedAuditSchema', () => {
  it('reads an audit of the first version, with what that did not measure as null', () => {
    const report = storedAuditSchema.parse(FIRST);
    expect(report).toMatchObject({ schemaVersion: 2, replicates: 0, ranks: null, warnings: ['small'] });
    expect(auditReportSchema.parse(report)).toEqual(report);
    const { disparities, groups } = report.features[0]!;
    expect(disparities.demographicParityDifference).toMatchObject({ value: 0.25, interval: null });
    expect(disparities.equalizedOddsDifference).toMatchObject({ value: null, reason: 'none' });
    expect(disparities.brierDifference).toMatchObject({ value: null, reason: NOT_MEASURED });
    expect(groups[0]!.rates.baseRate.value).toBe(4 / 5);
    expect(groups[0]!.brier).toMatchObject({
      value: null,
      reason: NOT_MEASURED,
    });
  });

  it('reads an audit of today as it is and refuses anything else', () => {
    const today = storedAuditSchema.parse(FIRST);
    expect(storedAuditSchema.parse(today)).toEqual(today);
    expect(storedAuditSchema.safeParse({ ...FIRST, overall: {} }).success).toBe(false);
    expect(storedAuditSchema.safeParse({ schemaVersion: 1 }).success).toBe(false);
  });
});
