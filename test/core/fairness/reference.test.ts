import { beforeAll, describe, expect, test } from 'vitest';
import { audit } from '../../../core/fairness/audit.ts';
import { chiSquareSurvival, twoSidedNormal } from '../../../core/fairness/statistics/distributions.ts';
import type { AuditReport, Rate, RateName } from '../../../core/fairness/types.ts';
import { startBackend } from '../../../worker/backend.ts';
import { featureOf, referenceTables } from '../../helpers/metric-tables.ts';

const RATE_OF: Readonly<Record<string, RateName>> = {
  selection_rate: 'selectionRate',
  tpr: 'truePositiveRate',
  fpr: 'falsePositiveRate',
  tnr: 'trueNegativeRate',
  fnr: 'falseNegativeRate',
  ppv: 'positivePredictiveValue',
  npv: 'negativePredictiveValue',
  fdr: 'falseDiscoveryRate',
  for: 'falseOmissionRate',
  accuracy: 'accuracy',
  base_rate: 'baseRate',
};

const DISPARITY_OF = {
  demographic_parity_difference: 'demographicParityDifference',
  demographic_parity_ratio: 'demographicParityRatio',
  equal_opportunity_difference: 'equalOpportunityDifference',
  equal_opportunity_ratio: 'equalOpportunityRatio',
  equalized_odds_difference_worst_case: 'equalizedOddsDifference',
  equalized_odds_ratio_worst_case: 'equalizedOddsRatio',
  equalized_odds_difference_mean: 'equalizedOddsMeanDifference',
  equalized_odds_ratio_mean: 'equalizedOddsMeanRatio',
} as const;

function auditTable(name: 'R1' | 'R2' | 'R3'): AuditReport {
  const { y_true, y_pred, group } = referenceTables[name].data;
  return audit({
    labels: Int32Array.from(y_true),
    sensitiveFeatures: [featureOf(group)],
    decisions: { predictions: Int32Array.from(y_pred) },
  });
}

function expectEnds(actual: readonly number[], expected: readonly number[]) {
  actual.forEach((end, place) => {
    expect(end).toBeCloseTo(expected[place]!, 9);
  });
}

function expectStatistic(actual: number | null, expected: number | null, what: string) {
  if (expected === null) expect(actual, what).toBeNull();
  else expect(actual, what).toBeCloseTo(expected, 12);
}

describe.each(['wasm', 'cpu'] as const)('worked tables on %s', (backend) => {
  beforeAll(async () => {
    await startBackend(backend);
  });

  test.each(['R1', 'R2', 'R3'] as const)('%s: counts and every rate of every group', (name) => {
    const { counts, rates, honest_rates } = referenceTables[name];
    for (const group of auditTable(name).features[0]!.groups) {
      const { TP, FP, FN, TN } = counts[group.group]!;
      expect(group.counts).toEqual({
        truePositives: TP,
        falsePositives: FP,
        falseNegatives: FN,
        trueNegatives: TN,
      });
      const expected = (rates ?? honest_rates)![group.group]!;
      for (const [key, rateName] of Object.entries(RATE_OF)) {
        expectStatistic(group.rates[rateName].value, expected[key]!, `${group.group} ${key}`);
      }
      expectStatistic(group.balancedAccuracy.value, expected.balanced_accuracy!, group.group);
    }
  });

  test.each(['R1', 'R2'] as const)('%s: disparities as fairlearn defines them', (name) => {
    const { disparities } = auditTable(name).features[0]!;
    expect(disparities.accuracyDifference.value).toBeCloseTo(
      referenceTables[name].fairlearn.accuracy_score_difference!,
      12,
    );
    for (const [key, disparityName] of Object.entries(DISPARITY_OF)) {
      expect(disparities[disparityName].value, key).toBeCloseTo(referenceTables[name].fairlearn[key]!, 12);
    }
  });

  test('R1: the signed form as the BMFT code reports it, and AUC by group', () => {
    const { data, score, bmft_and_medfair_priv_A } = referenceTables.R1;
    const report = audit({
      labels: Int32Array.from(data.y_true),
      sensitiveFeatures: [featureOf(data.group)],
      decisions: { scores: data.score!, threshold: 0.5 },
    });
    const { disparities, groups } = report.features[0]!;
    expect(disparities.bmftEqualizedOdds.value).toBeCloseTo(bmft_and_medfair_priv_A!.eodds!, 12);
    expect(report.overall.auc.value).toBeCloseTo(score!.auc_overall, 12);
    for (const { group, auc, brier } of groups) {
      expect(auc.value).toBeCloseTo(score!.auc[group]!, 12);
      expect(brier.value).toBeCloseTo(score!.brier[group]!, 12);
    }
    expect(disparities.aucDifference.value).toBeCloseTo(score!.auc_gap, 12);
    expect(disparities.xAucDifference.value).toBeCloseTo(score!.xauc_gap, 12);
    const [fromA, fromB] = report.features[0]!.crossAuc;
    expect(fromA!.auc.value).toBeCloseTo(score!.xauc_posA_negB, 12);
    expect(fromB!.auc.value).toBeCloseTo(score!.xauc_posB_negA, 12);
  });

  test('R1: intervals and tests as published', () => {
    const { stats } = referenceTables.R1;
    const { groups, comparisons, disparities } = auditTable('R1').features[0]!;
    for (const { group, rates } of groups) {
      const ends = ({ interval }: Rate) => [interval!.low, interval!.high];
      expectEnds(ends(rates.selectionRate), stats!.selection_wilson95[group]!);
      expectEnds(ends(rates.truePositiveRate), stats!.tpr_wilson95[group]!);
    }
    const { difference } = comparisons.find(({ rate }) => rate === 'selectionRate')!;
    expectEnds([-difference.interval!.high, -difference.interval!.low], stats!.dpd_newcombe95);
    const { interval, test: found } = disparities.demographicParityDifference;
    expectEnds([interval!.low, interval!.high], [0, stats!.dpd_newcombe95[1]!]);
    expect(found!.name).toBe('fisher-exact'); // 4.5 rows expected in a cell
    expect(found!.pValue).toBeCloseTo(stats!.fisher_two_sided, 9);
  });

  test("R1: DeLong's standard errors in the test of both AUCs, and in the gap that would have been seen", () => {
    const { data, score } = referenceTables.R1;
    const { disparities, comparisons } = audit({
      labels: Int32Array.from(data.y_true),
      sensitiveFeatures: [featureOf(data.group)],
      decisions: { scores: data.score!, threshold: 0.5 },
      replicates: 0,
    }).features[0]!;
    const error = Math.hypot(score!.auc_delong_se.A!, score!.auc_delong_se.B!);
    const { test: found, smallestDetectable } = disparities.aucDifference;
    expect(found!.name).toBe('delong');
    expect(found!.pValue).toBeCloseTo(twoSidedNormal(score!.auc_gap / error), 9);
    expect(smallestDetectable).toBeCloseTo((1.959964 + 0.841621) * error, 6); // quantiles of 0.975 and 0.8
    const compared = comparisons.find(({ rate }) => rate === 'auc')!;
    expect(compared.difference.smallestDetectable).toBeCloseTo(smallestDetectable!, 12);
  });

  test('R2 ten times over: chi-square of three groups', () => {
    const { data, chi2_selection_df2 } = referenceTables.R2;
    const repeated = <T>(values: readonly T[]) => Array.from({ length: 10 }, () => values).flat();
    const { disparities } = audit({
      labels: Int32Array.from(repeated(data.y_true)),
      sensitiveFeatures: [featureOf(repeated(data.group))],
      decisions: { predictions: Int32Array.from(repeated(data.y_pred)) },
      replicates: 1,
    }).features[0]!;
    const found = disparities.demographicParityDifference.test!;
    expect(found.name).toBe('chi-square');
    // chi-square grows tenfold; with two degrees of freedom P(χ² > x) = exp(-x/2)
    expect(Math.log(found.pValue)).toBeCloseTo((-10 * chi2_selection_df2!) / 2, 9);
  });

  test('R4: a gap that the strata explain is none within them, and 0 is in its interval', () => {
    const { data, clarify_CDDPL, clarify_DD_unconditional } = referenceTables.R4;
    const auditIn = (stratum: readonly string[]) => {
      const names = [...new Set(stratum)];
      return audit({
        labels: Int32Array.from(data.y_pred),
        sensitiveFeatures: [featureOf(data.group)],
        decisions: { predictions: Int32Array.from(data.y_pred) },
        strata: { names, codes: Int32Array.from(stratum, (name) => names.indexOf(name)) },
        replicates: 200,
      }).features[0]!.disparities.conditionalDemographicDisparity;
    };
    const within = auditIn(data.stratum);
    expect(within.value).toBeCloseTo(clarify_CDDPL, 12);
    expect(within.interval!.low).toBe(0);
    const pooled = auditIn(data.stratum.map(() => 'all'));
    expect(pooled.value).toBeCloseTo(clarify_DD_unconditional, 12);
    expect(pooled.interval!.high).toBeGreaterThan(clarify_DD_unconditional);
  });

  test('R1 a hundred times over: the two-proportion test', () => {
    const { y_true, y_pred, group } = referenceTables.R1.data;
    const repeated = <T>(values: readonly T[]) => Array.from({ length: 100 }, () => values).flat();
    const report = audit({
      labels: Int32Array.from(repeated(y_true)),
      sensitiveFeatures: [featureOf(repeated(group))],
      decisions: { predictions: Int32Array.from(repeated(y_pred)) },
      replicates: 0,
    });
    const found = report.features[0]!.disparities.demographicParityDifference.test!;
    expect(found.name).toBe('two-proportion');
    // z grows by √100; for one degree of freedom the p-value is that of chi-square at z²
    expect(found.pValue).toBeCloseTo(chiSquareSurvival(100 * referenceTables.R1.stats!.z ** 2, 1), 12);
  });

  test('R3: a group without positives makes its metrics null, where fairlearn says 0 or 1', () => {
    const { disparities, worstGroups } = auditTable('R3').features[0]!;
    const { equalOpportunityDifference, equalizedOddsDifference, demographicParityDifference } = disparities;
    expect(referenceTables.R3.fairlearn.equal_opportunity_difference).toBe(1);
    expect(equalOpportunityDifference).toMatchObject({
      value: null,
      amongSupported: 1 - 0.5,
      unsupportedGroups: ['C'],
      reason: 'group "C" has no positive labels (support 0 of 3)',
    });
    expect(equalizedOddsDifference.value).toBeNull();
    expect(equalizedOddsDifference.amongSupported).toBe(0.5);
    expect(demographicParityDifference.value).toBe(0.5 - 0.25);
    expect(worstGroups.find(({ metric }) => metric === 'truePositiveRate')).toMatchObject({
      group: 'A',
      value: 0.5,
      unsupportedGroups: ['C'],
    });
  });
});
