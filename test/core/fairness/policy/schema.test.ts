import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { parseWith } from '../../../../core/data/parse.ts';
import { policySchema } from '../../../../core/fairness/policy/schema.ts';

const parse = (rule: object) => parseWith(policySchema, { name: 'ours', rules: [rule] }, 'policy');

const DOCS = path.join(import.meta.dirname, '../../../../docs');

describe('policySchema', () => {
  // vitest -u writes it anew
  it('is published as JSON Schema', async () => {
    const published = {
      title: 'Policy of a fairness audit',
      ...z.toJSONSchema(policySchema, { io: 'input' }),
    };
    await expect(`${JSON.stringify(published, null, 2)}\n`).toMatchFileSnapshot(
      path.join(DOCS, 'policy.schema.json'),
    );
  });

  it('takes the example of its page', () => {
    const [, example] = /```json\n([\s\S]*?)```/.exec(readFileSync(path.join(DOCS, 'policy.md'), 'utf8'))!;
    expect(policySchema.parse(JSON.parse(example!)).rules).toHaveLength(4);
  });

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
