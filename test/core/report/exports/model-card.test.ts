import { describe, expect, it } from 'vitest';
import { gate } from '../../../../core/fairness/policy/gate.ts';
import { policySchema } from '../../../../core/fairness/policy/schema.ts';
import { markdownText } from '../../../../core/report/exports/markdown.ts';
import { modelCardSection } from '../../../../core/report/exports/model-card.ts';
import { FIVE_GROUPS, HOSTILE_AUDIT, TWO_GROUPS_BEFORE } from '../../../helpers/report-samples.ts';

const OPTIONS = { model: 'skin | CNN', source: 'scores.csv' };

describe('modelCardSection', () => {
  it('gives rates with their counts by group and over all samples', () => {
    const section = modelCardSection(TWO_GROUPS_BEFORE, OPTIONS);
    expect(section).toContain(
      '| female | 477 | 80 | 0.122, 58 of 477 | 0.250, 20 of 80 | 0.096, 38 of 397 | 0.681 |',
    );
    expect(section).toContain('| All samples | 877 |');
    expect(section).toContain('| Equalised odds difference | 0.650 | none | none |');
    expect(section).toContain('- Model: skin \\| CNN');
  });

  it('never gives a number for a gap that leaves out a group', () => {
    const section = modelCardSection(FIVE_GROUPS, OPTIONS);
    expect(section).toContain(
      '| Equal opportunity difference | not defined: a group has no samples to divide by |',
    );
    expect(section).toContain('| 0–19 | 124 | 0 | 0.048, 6 of 124 | not defined |');
  });

  it('has the rules of a policy with their verdicts', () => {
    const policy = policySchema.parse({
      name: 'release',
      rules: [{ metric: 'equalizedOddsDifference', max: 0.1 }],
    });
    const section = modelCardSection(TWO_GROUPS_BEFORE, {
      ...OPTIONS,
      gate: gate(TWO_GROUPS_BEFORE, policy),
    });
    expect(section).toContain('### Policy release: fail');
    expect(section).toContain('- Equalised odds difference by sex 0.65, at most 0.1: broken');
  });

  it('has as many cells in every row as in the head, whatever the names', () => {
    const rows = modelCardSection(HOSTILE_AUDIT, OPTIONS)
      .split('\n')
      .filter((line) => line.startsWith('|'));
    const cells = rows.map((row) => row.split(/(?<!\\)\|/).length - 2);
    expect(new Set(cells)).toEqual(new Set([8, 4]));
    expect(rows.join('\n')).not.toMatch(/(?<!\\)</);
  });
});

describe('markdownText', () => {
  it('escapes what Markdown would read, and keeps to one line', () => {
    expect(markdownText('a|b *c*\n`d` <e>')).toBe('a\\|b \\*c\\* \\`d\\` \\<e\\>');
    expect(markdownText(' ')).toBe('(empty name)');
  });
});
