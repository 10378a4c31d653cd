import { z } from 'zod';
import { isBounded, isMoreBetter, POLICY_METRICS } from './metrics.ts';

const supportSchema = z
  .strictObject({
    group: z.int().min(1).optional().describe('rows of each group'),
    positives: z.int().min(1).optional().describe('positive labels of each group'),
    negatives: z.int().min(1).optional().describe('negative labels of each group'),
  })
  .describe('With less, a rule is inconclusive.');

const limit = z.number().min(0);

/** One limit on one metric. */
const ruleSchema = z
  .strictObject({
    metric: z.enum(POLICY_METRICS),
    feature: z.string().min(1).optional().describe('sensitive feature; every one when absent'),
    max: limit.optional().describe('largest value that passes; for gaps, of which less is better'),
    min: limit.optional().describe('smallest value that passes; for ratios and for what a model does well'),
    maxWorsening: limit.optional().describe('how much worse than the baseline still passes'),
    on: z
      .enum(['estimate', 'interval'])
      .default('estimate')
      .describe(
        'interval: passes only when the whole interval is within the limit, fails only when none of it is',
      ),
    minSupport: supportSchema.optional(),
    severity: z.enum(['error', 'warning']).default('error').describe('a warning is shown and fails nothing'),
  })
  .superRefine((rule, context) => {
    const { metric, max, min, maxWorsening } = rule;
    const complain = (path: string, message: string) =>
      context.addIssue({ code: 'custom', path: [path], message });
    const given = [max, min, maxWorsening].filter((value) => value !== undefined);
    if (given.length !== 1) {
      complain('metric', `needs one of max, min and maxWorsening, received ${given.length}`);
      return;
    }
    if (max !== undefined && isMoreBetter(metric))
      complain('max', `must be min, since more ${metric} is better`);
    if (min !== undefined && !isMoreBetter(metric))
      complain('min', `must be max, since less ${metric} is better`);
    if (isBounded(metric) && given[0]! > 1) {
      const path = max === undefined ? (min === undefined ? 'maxWorsening' : 'min') : 'max';
      complain(path, `must be at most 1, as ${metric} is, received ${given[0]}`);
    }
  });
export type Rule = z.output<typeof ruleSchema>;

/** What an audit must show to pass: `policy.json`. */
export const policySchema = z.strictObject({
  $schema: z.string().optional().describe('for editors'),
  schemaVersion: z.literal(1).default(1),
  name: z.string().min(1).max(200),
  rules: z.array(ruleSchema).min(1).max(100),
});
export type Policy = z.output<typeof policySchema>;
