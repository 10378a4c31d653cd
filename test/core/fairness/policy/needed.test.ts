import { describe, expect, it } from 'vitest';
import { gate } from '../../../../core/fairness/policy/gate.ts';
import { neededRows } from '../../../../core/fairness/policy/needed.ts';
import { policySchema } from '../../../../core/fairness/policy/schema.ts';
import { newcombe } from '../../../../core/fairness/statistics/rate-intervals.ts';
import { auditOf, type Confusion, featureOf, groupOf } from '../../../helpers/report-audits.ts';

/** TPR 0.6 of 50 positives against 0.55 of 20; FPR 0.2 of 500 in both. */
const GROUPS = (
  [
    ['f', [30, 100, 400, 20]],
    ['m', [11, 100, 400, 9]],
  ] satisfies [string, Confusion][]
).map(([name, counts]) => groupOf(name, counts, 0.8));
const at = { limit: 0.2, level: 0.95 };

describe('neededRows', () => {
  it('is the least number of positives after which the interval lies within the limit', () => {
    const [needed, ...others] = neededRows('equalOpportunityDifference', GROUPS, at)!;
    expect(others).toEqual([]);
    expect(needed).toMatchObject({ group: 'm', of: 'positives' });
    // the interval of two rates is Newcombe's: see where its upper end crosses the limit
    const upper = (more: number) =>
      newcombe({ numerator: 30, support: 50 }, { numerator: 0.55 * (20 + more), support: 20 + more }, 0.95)!
        .high;
    expect(upper(needed!.more)).toBeLessThanOrEqual(0.2 + 1e-9);
    expect(upper(needed!.more - 1)).toBeGreaterThan(0.2);
  });

  it('asks for the rows of each rate that is open', () => {
    const kinds = neededRows('equalizedOddsDifference', GROUPS, at)!.map(({ of }) => of);
    expect(kinds).toEqual(['positives']); // the false positive rates are decided
  });

  it.each(['overallAuc', 'aucDifference', 'equalizedOddsMeanDifference'] as const)(
    'cannot say it of %s',
    (metric) => {
      expect(neededRows(metric, GROUPS, at)).toBeNull();
    },
  );

  it('cannot decide a gap that is the limit', () => {
    const same = [groupOf('f', [30, 5, 5, 20], 0.8), groupOf('m', [20, 5, 5, 30], 0.8)];
    expect(neededRows('equalOpportunityDifference', same, at)).toBeNull();
  });
});

describe('a finding', () => {
  it('says what would decide it', () => {
    const feature = featureOf('sex', GROUPS);
    const gap = feature.disparities.equalOpportunityDifference;
    const interval = { low: 0, high: 0.3, method: 'newcombe' as const };
    const disparities = { ...feature.disparities, equalOpportunityDifference: { ...gap, interval } };
    const report = auditOf([{ ...feature, disparities }]);
    const rule = { metric: 'equalOpportunityDifference', max: 0.2, on: 'interval' };
    const policyOf = (more: object) => policySchema.parse({ name: 'ours', rules: [{ ...rule, ...more }] });
    expect(gate(report, policyOf({})).findings[0]!.needed).toEqual(
      neededRows('equalOpportunityDifference', GROUPS, at),
    );
    expect(gate(report, policyOf({ minSupport: { positives: 50 } })).findings[0]!.needed).toEqual([
      { group: 'm', more: 30, of: 'positives' },
    ]);
    expect(gate({ ...report, isWeighted: true }, policyOf({})).findings[0]!.needed).toBeNull();
  });
});
