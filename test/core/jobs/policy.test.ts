import { describe, expect, it } from 'vitest';
import { audit } from '../../../core/fairness/audit.ts';
import {
  checkLimits,
  type Finding,
  LIMITED_METRICS,
  limitSchema,
  overallVerdict,
} from '../../../core/jobs/policy.ts';
import { useWasm } from './wasm.ts';

useWasm();

/** TPR 1/2 against 1, FPR 1/2 against 0: the equalized odds difference is 1/2. */
const report = () =>
  audit({
    labels: Int32Array.of(1, 1, 0, 0, 1, 1, 0, 0),
    sensitiveFeatures: [
      { name: 'sex', groupNames: ['f', 'm'], groups: Int32Array.of(0, 0, 0, 0, 1, 1, 1, 1) },
    ],
    decisions: { predictions: Int32Array.of(1, 0, 1, 0, 1, 1, 0, 0) },
  });

describe('checkLimits', () => {
  it.each([
    [0.49, 'fail'],
    [0.5, 'pass'],
    [1, 'pass'],
  ] as const)('holds a gap of 1/2 against a limit of %d', (max, verdict) => {
    expect(checkLimits(report(), [{ metric: 'equalizedOddsDifference', max }])).toEqual([
      { sensitiveFeature: 'sex', metric: 'equalizedOddsDifference', max, value: 1 / 2, verdict },
    ]);
  });

  it('is inconclusive about a gap that is not defined', () => {
    const oneGroup = audit({
      labels: Int32Array.of(1, 0),
      sensitiveFeatures: [{ name: 'sex', groupNames: ['f', 'm'], groups: Int32Array.of(0, 1) }],
      decisions: { predictions: Int32Array.of(1, 0) },
    });
    const [finding] = checkLimits(oneGroup, [{ metric: 'equalOpportunityDifference', max: 1 }]);
    expect(finding).toMatchObject({ value: null, verdict: 'inconclusive' });
  });
});

describe('overallVerdict', () => {
  const found = (...verdicts: Finding['verdict'][]) => verdicts.map((verdict) => ({ verdict }) as Finding);

  it.each([
    [[], null],
    [['pass', 'pass'], 'pass'],
    [['pass', 'inconclusive'], 'inconclusive'],
    [['inconclusive', 'fail', 'pass'], 'fail'],
  ] as const)('of %j is %j', (verdicts, verdict) => {
    expect(overallVerdict(found(...verdicts))).toBe(verdict);
  });
});

describe('limitSchema', () => {
  it('has no limit for a ratio, of which more is better', () => {
    expect(LIMITED_METRICS).not.toContain('demographicParityRatio');
    expect(limitSchema.safeParse({ metric: 'demographicParityRatio', max: 0.8 }).success).toBe(false);
  });
});
