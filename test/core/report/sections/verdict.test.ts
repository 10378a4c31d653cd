import { describe, expect, it } from 'vitest';
import { verdict } from '../../../../core/report/sections/verdict.ts';
import { auditOf, featureOf, groupOf } from '../../../helpers/report-audits.ts';
import {
  FIVE_GROUPS,
  IMPROVED_RUN,
  NOT_IMPROVED_RUN,
  REJECTED_AUDIT,
  REJECTED_RUN,
  TWO_GROUPS_AFTER,
  TWO_GROUPS_BEFORE,
  textOf,
} from '../../../helpers/report-samples.ts';

function verdictText(input: Parameters<typeof verdict>[0]): string {
  return textOf(verdict(input));
}

const AGE_RUN = {
  ...IMPROVED_RUN,
  outcome: { ...IMPROVED_RUN.outcome, sensitiveFeature: 'age group', before: null, after: null },
};

describe('verdict', () => {
  it('says in one sentence what happened, on which data', () => {
    const text = verdictText({ run: IMPROVED_RUN, before: TWO_GROUPS_BEFORE, after: TWO_GROUPS_AFTER });
    expect(text).toMatch(/^→← Improved a candidate met every guard rail on the select part/);
    expect(text).toContain(
      'Equalised odds difference by sex fell from 0.650 to 0.085 on 877 test samples; AUC 0.720 → 0.770.',
    );
    expect(text).toContain('Threshold 0.500 → 0.437');
  });

  it('gives the reasons when nothing improved', () => {
    const text = verdictText({ run: NOT_IMPROVED_RUN, before: TWO_GROUPS_BEFORE, after: null });
    expect(text).toMatch(/^= Not improved/);
    expect(text).toContain('No candidate met the guard rails; the original model stays.');
    expect(text).toContain('is 0.650 on 877 select samples; AUC 0.720.');
    expect(text).toContain('Why: TPR of male fell by 0.140 or more in 8 of 8 candidates');
  });

  it('says what is missing when the data were rejected, and prints no gap', () => {
    const text = verdictText({ run: REJECTED_RUN, before: REJECTED_AUDIT, after: null });
    expect(text).toMatch(/^× Rejected/);
    expect(text).toContain('is not defined on 2,633 test samples');
    expect(text).toContain('What is missing: group "female" has no positives');
    expect(text).not.toContain('0.000');
  });

  it('claims no guard rails for a run with fixed settings', () => {
    const data = {
      ...IMPROVED_RUN.data,
      parts: IMPROVED_RUN.data.parts.filter(({ name }) => name !== 'select'),
    };
    const text = verdictText({
      run: { ...IMPROVED_RUN, data },
      before: TWO_GROUPS_BEFORE,
      after: TWO_GROUPS_AFTER,
    });
    expect(text).toContain('settings were fixed beforehand, no guard rails were applied');
    expect(text).not.toContain('met every guard rail');
  });

  it('says over which groups a gap is when one lacks support', () => {
    const text = verdictText({ run: AGE_RUN, before: FIVE_GROUPS, after: FIVE_GROUPS });
    expect(text).toContain('by age group , among the groups with support, stayed at 0.432');
  });

  it('says what is not defined instead of a change', () => {
    const alone = auditOf([featureOf('age group', [groupOf('a', [1, 1, 1, 1], 0.5)])]);
    expect(verdictText({ run: AGE_RUN, before: alone, after: alone })).toContain(
      ': before not defined, after not defined',
    );
  });

  it('compares nothing when before and after leave out different groups', () => {
    const sound = auditOf([
      featureOf(
        'age group',
        ['0–19', '20–39', '40–59'].map((name) => groupOf(name, [1, 1, 1, 1], 0.5)),
      ),
    ]);
    const text = verdictText({ run: AGE_RUN, before: FIVE_GROUPS, after: sound });
    expect(text).toContain('cannot be compared before and after');
    expect(text).toContain('not comparable');
  });

  it('writes thresholds that are not known in words', () => {
    const before = { ...TWO_GROUPS_BEFORE, threshold: null };
    expect(verdictText({ run: IMPROVED_RUN, before, after: TWO_GROUPS_AFTER })).toContain(
      'before not known, the table held predictions only, after 0.437',
    );
  });
});
