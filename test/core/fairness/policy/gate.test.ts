import { describe, expect, it } from 'vitest';
import { gate, withGate } from '../../../../core/fairness/policy/gate.ts';
import { policySchema } from '../../../../core/fairness/policy/schema.ts';
import type { AuditReport } from '../../../../core/fairness/types.ts';
import { auditOf, type Confusion, featureOf, groupOf } from '../../../helpers/report-audits.ts';

/** [tp, fp, tn, fn]: TPR 0.6 against 0.5, FPR 0.2 against 0.1, selection 40/100 against 30/100. */
const WIDE: readonly [string, Confusion][] = [
  ['f', [30, 10, 40, 20]],
  ['m', [25, 5, 45, 25]],
];

function reportOf(groups = WIDE, interval: readonly [number, number] | null = null): AuditReport {
  const metrics = groups.map(([name, counts]) => groupOf(name, counts, 0.8));
  const feature = featureOf('sex', metrics);
  const { equalizedOddsDifference } = feature.disparities;
  const withInterval = {
    ...equalizedOddsDifference,
    interval: interval && { low: interval[0], high: interval[1], method: 'bootstrap' as const },
  };
  const disparities = { ...feature.disparities, equalizedOddsDifference: withInterval };
  return { ...auditOf([feature]), features: [{ ...feature, disparities }] };
}

const policyOf = (...rules: object[]) => policySchema.parse({ name: 'ours', rules });
const ODDS = { metric: 'equalizedOddsDifference' };

const verdicts = (report: AuditReport, rules: object[], baseline: AuditReport | null = null) => {
  const { verdict, findings } = gate(report, policyOf(...rules), baseline);
  return [verdict, ...findings.map((finding) => finding.verdict)];
};

describe('gate', () => {
  it.each([
    [0.1, 'pass'], // 0.6 - 0.5 is 0.09999999999999998, 0.2 - 0.1 is 0.1
    [0.099, 'fail'],
    [0, 'fail'],
  ])('holds an odds gap of 0.1 against a largest value of %d: %s', (max, verdict) => {
    expect(verdicts(reportOf(), [{ ...ODDS, max }])).toEqual([verdict, verdict]);
  });

  it.each([
    [0.75, 'pass'], // 0.3 / 0.4
    [0.8, 'fail'],
  ])('holds a ratio of 3/4 against a smallest value of %d: %s', (min, verdict) => {
    expect(verdicts(reportOf(), [{ metric: 'demographicParityRatio', min }])).toEqual([verdict, verdict]);
  });

  it('says what it measured', () => {
    const { policy, findings } = gate(reportOf(), policyOf({ metric: 'demographicParityRatio', min: 0.8 }));
    expect(policy).toBe('ours');
    expect(findings[0]).toMatchObject({
      sensitiveFeature: 'sex',
      limit: { kind: 'min', value: 0.8 },
      value: expect.closeTo(0.75, 12),
      reason: null,
    });
  });

  it.each([
    [[0.02, 0.09], 'pass'],
    [[0.11, 0.3], 'fail'],
    [[0.05, 0.2], 'inconclusive'],
    [null, 'inconclusive'],
  ] as const)('on the interval %j against 0.1: %s', (interval, verdict) => {
    const found = verdicts(reportOf(WIDE, interval), [{ ...ODDS, max: 0.1, on: 'interval' }]);
    expect(found).toEqual([verdict, verdict]);
  });

  it('passes nothing that is not defined', () => {
    const empty = reportOf([...WIDE, ['x', [0, 0, 0, 0]]]);
    const { verdict, findings } = gate(
      empty,
      policyOf({ ...ODDS, max: 1 }, { metric: 'worstGroupAuc', min: 0 }),
    );
    expect(verdict).toBe('inconclusive');
    expect(findings.map((finding) => [finding.value, finding.verdict])).toEqual([
      [null, 'inconclusive'],
      [null, 'inconclusive'],
    ]);
    expect(findings[1]!.reason).toContain('"x"');
  });

  it.each([
    ['a feature that the audit lacks', { ...ODDS, max: 1, feature: 'race' }, '"race"'],
    ['too few positives', { ...ODDS, max: 1, minSupport: { positives: 51 } }, '50 positive labels'],
    ['a baseline that is not there', { ...ODDS, maxWorsening: 1 }, 'no baseline'],
  ])('is inconclusive about %s', (_, rule, reason) => {
    const { verdict, findings } = gate(reportOf(), policyOf(rule));
    expect(verdict).toBe('inconclusive');
    expect(findings[0]).toMatchObject({ verdict: 'inconclusive', reason: expect.stringContaining(reason) });
  });

  it('is inconclusive where nothing could be checked', () => {
    const { features: _, ...rest } = reportOf();
    expect(verdicts({ ...rest, features: [] }, [{ ...ODDS, max: 1 }])).toEqual([
      'inconclusive',
      'inconclusive',
    ]);
  });

  it('fails by one error, whatever else passes; a warning fails nothing', () => {
    const passing = { metric: 'overallAccuracy', min: 0.1 };
    expect(verdicts(reportOf(), [passing, { ...ODDS, max: 0 }])[0]).toBe('fail');
    expect(verdicts(reportOf(), [passing, { ...ODDS, max: 0, severity: 'warning' }])).toEqual([
      'pass',
      'pass',
      'fail',
    ]);
  });

  it.each([
    ['a gap', ODDS, 0.09, 'fail'], // 0.1 now, 0 then
    ['a gap', ODDS, 0.1, 'pass'],
    ['a ratio', { metric: 'demographicParityRatio' }, 0.24, 'fail'], // 3/4 now, 1 then
    ['a ratio', { metric: 'demographicParityRatio' }, 0.25, 'pass'],
  ])('compares %s with the baseline: %j may worsen by %d: %s', (_, rule, maxWorsening, verdict) => {
    const even = reportOf([
      ['f', [25, 5, 45, 25]],
      ['m', [25, 5, 45, 25]],
    ]);
    expect(verdicts(reportOf(), [{ ...rule, maxWorsening }], even)[0]).toBe(verdict);
    expect(verdicts(even, [{ ...rule, maxWorsening: 0 }], reportOf())[0]).toBe('pass');
  });
});

describe('withGate', () => {
  it('is the audit itself without a policy', () => {
    const report = reportOf();
    expect(withGate(report, undefined)).toBe(report);
    const policy = policyOf({ ...ODDS, max: 1 });
    expect(withGate(report, policy)).toEqual({ ...report, gate: gate(report, policy) });
  });
});
