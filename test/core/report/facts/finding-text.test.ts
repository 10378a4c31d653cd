import { describe, expect, it } from 'vitest';
import type { Finding } from '../../../../core/fairness/policy/gate.ts';
import { POLICY_METRICS } from '../../../../core/fairness/policy/metrics.ts';
import { findingText, metricLabel } from '../../../../core/report/facts/finding-text.ts';

const BASE: Finding = {
  metric: 'equalizedOddsDifference',
  sensitiveFeature: 'sex',
  severity: 'error',
  on: 'estimate',
  limit: { kind: 'max', value: 0.1 },
  value: 0.123456,
  interval: { low: 0.05, high: 0.2 },
  baseline: null,
  verdict: 'fail',
  reason: null,
  needed: null,
};

describe('findingText', () => {
  it.each<[Partial<Finding>, string]>([
    [{}, 'Equalised odds difference by sex 0.1235, at most 0.1: broken'],
    [{ severity: 'warning' }, 'Equalised odds difference by sex 0.1235, at most 0.1: broken (warning)'],
    [
      { on: 'interval', verdict: 'inconclusive', reason: 'the interval has the limit inside' },
      'Equalised odds difference by sex 0.1235 (0.05 to 0.2), at most 0.1: inconclusive, the interval has the limit inside',
    ],
    [
      {
        verdict: 'inconclusive',
        reason: 'the limit is inside',
        needed: [{ group: 'f', more: 40, of: 'positives' }],
      },
      'Equalised odds difference by sex 0.1235, at most 0.1: inconclusive, the limit is inside; some 40 more positives of "f" would decide it',
    ],
    [
      { value: null, interval: null, verdict: 'inconclusive', reason: 'no positives' },
      'Equalised odds difference by sex not defined, at most 0.1: inconclusive, no positives',
    ],
    [
      {
        metric: 'overallAuc',
        sensitiveFeature: null,
        limit: { kind: 'min', value: 0.8 },
        value: 0.9,
        verdict: 'pass',
      },
      'AUC 0.9, at least 0.8: kept',
    ],
    [
      {
        metric: 'worstGroupAuc',
        limit: { kind: 'maxWorsening', value: 0.02 },
        value: 0.9,
        baseline: 0.91,
        verdict: 'pass',
      },
      'AUC of the worst group by sex 0.9, 0.91 before, at most 0.02 worse: kept',
    ],
  ])('%j', (changes, text) => {
    expect(findingText({ ...BASE, ...changes })).toBe(text);
  });
});

describe('metricLabel', () => {
  it('has words for every metric of a policy', () => {
    const labels = POLICY_METRICS.map(metricLabel);
    expect(labels.every((label) => label.length > 2)).toBe(true);
    expect(new Set(labels).size).toBe(POLICY_METRICS.length);
  });
});
