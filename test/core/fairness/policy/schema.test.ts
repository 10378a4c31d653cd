import { describe, expect, it } from 'vitest';
import { parseWith } from '../../../../core/data/parse.ts';
import { policySchema } from '../../../../core/fairness/policy/schema.ts';

const parse = (rule: object) => parseWith(policySchema, { name: 'ours', rules: [rule] }, 'policy');

describe('policySchema', () => {
  it('takes a limit on a gap, with what is usual filled in', () => {
    expect(parse({ metric: 'equalizedOddsDifference', max: 0.1 }).rules[0]).toEqual({
      metric: 'equalizedOddsDifference',
      max: 0.1,
      on: 'estimate',
      severity: 'error',
    });
  });

  it.each<[object, RegExp]>([
    [{ metric: 'equalizedOddsDifference', max: Number.NaN }, /max/],
    [{ metric: 'equalizedOddsDifference', max: 1.1 }, /at most 1/],
    [{ metric: 'equalizedOddsDifference', max: -0.1 }, /at least 0/],
    [{ metric: 'equalizedOddsDifference', min: 0.1 }, /must be max/],
    [{ metric: 'demographicParityRatio', max: 0.8 }, /must be min/],
    [{ metric: 'overallAuc', maxWorsening: 2 }, /at most 1/],
    [{ metric: 'equalizedOddsDifference' }, /one of max, min and maxWorsening/],
    [{ metric: 'equalizedOddsDifference', max: 0.1, maxWorsening: 0.1 }, /one of max, min and maxWorsening/],
    [{ metric: 'fairness', max: 0.1 }, /must be one of/],
    [{ metric: 'equalizedOddsDifference', max: 0.1, minSupport: { positives: 0 } }, /at least 1/],
    [{ metric: 'equalizedOddsDifference', max: 0.1, maximum: 1 }, /unknown key/],
  ])('refuses %j', (rule, message) => {
    expect(() => parse(rule)).toThrow(message);
  });

  it('refuses a policy without rules, which would pass everything', () => {
    expect(() => parseWith(policySchema, { name: 'none', rules: [] }, 'policy')).toThrow(/at least 1 entry/);
  });
});
