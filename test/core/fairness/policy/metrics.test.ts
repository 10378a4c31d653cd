import { describe, expect, it } from 'vitest';
import {
  figuresOf,
  isBounded,
  isMoreBetter,
  POLICY_METRICS,
} from '../../../../core/fairness/policy/metrics.ts';
import { auditOf, featureOf, groupOf } from '../../../helpers/report-audits.ts';

const even = groupOf('f', [25, 5, 45, 25], 0.9);
const worse = groupOf('m', [10, 5, 45, 40], 0.7);
const report = auditOf([featureOf('sex', [even, worse]), featureOf('race', [even, even])], { auc: 0.8 });

describe('figuresOf', () => {
  it('has one figure for each feature, or for the one that is named', () => {
    const gaps = figuresOf(report, 'equalOpportunityDifference');
    expect(gaps.map(({ sensitiveFeature }) => sensitiveFeature)).toEqual(['sex', 'race']);
    expect(gaps[0]!.value).toBeCloseTo(0.5 - 0.2, 12);
    expect(figuresOf(report, 'equalOpportunityDifference', 'race').map(({ value }) => value)).toEqual([0]);
  });

  it.each([
    ['worstGroupAuc', 0.7],
    ['worstGroupTruePositiveRate', 0.2],
    ['worstGroupAccuracy', 55 / 100],
    ['worstGroupBalancedAccuracy', (0.2 + 0.9) / 2],
  ] as const)('%s is that of the worst group', (metric, value) => {
    expect(figuresOf(report, metric, 'sex')[0]!.value).toBeCloseTo(value, 12);
  });

  it('takes the whole set once, whatever features there are', () => {
    expect(figuresOf(report, 'overallAuc')).toMatchObject([{ sensitiveFeature: null, value: 0.8 }]);
  });
});

describe('direction of a metric', () => {
  it.each(POLICY_METRICS)('%s is a ratio or a quality, or a gap', (metric) => {
    expect(isMoreBetter(metric)).toBe(/Ratio$|^worstGroup|^overall/.test(metric));
  });

  it('has no upper end for odds', () => {
    expect(POLICY_METRICS.filter((metric) => !isBounded(metric))).toEqual(['treatmentEqualityDifference']);
  });
});
