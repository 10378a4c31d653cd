import { describe, expect, it } from 'vitest';
import { headlineOf } from '../../../../core/report/facts/headline.ts';
import { auditOf, featureOf, groupOf } from '../../../helpers/report-audits.ts';
import {
  FIVE_GROUPS,
  IMPROVED_RUN,
  NOT_IMPROVED_RUN,
  TWO_GROUPS_AFTER,
  TWO_GROUPS_BEFORE,
} from '../../../helpers/report-samples.ts';

const AGE_OUTCOME = { ...IMPROVED_RUN.outcome, sensitiveFeature: 'age group', before: null, after: null };
const AGE_RUN = { ...IMPROVED_RUN, outcome: AGE_OUTCOME };

describe('headlineOf', () => {
  it('takes the figures from the audits', () => {
    const headline = headlineOf({ run: IMPROVED_RUN, before: TWO_GROUPS_BEFORE, after: TWO_GROUPS_AFTER });
    expect(headline.before).toBeCloseTo(90 / 100 - 20 / 80, 12);
    expect(headline.after).toBeCloseTo(76 / 100 - 54 / 80, 12);
    expect(headline).toMatchObject({ aucBefore: 0.72, aucAfter: 0.77, leftOut: [], disagreements: [] });
  });

  it('falls back to the run record where no audit holds the figure', () => {
    const headline = headlineOf({ run: IMPROVED_RUN, before: FIVE_GROUPS, after: null });
    expect(headline).toMatchObject({
      before: IMPROVED_RUN.outcome.before,
      aucAfter: 0.77,
      isComparable: true,
    });
  });

  it('uses the groups with support and names the others', () => {
    const headline = headlineOf({ run: AGE_RUN, before: FIVE_GROUPS, after: FIVE_GROUPS });
    expect(headline).toMatchObject({ leftOut: ['0–19'], isComparable: true });
    expect(headline.before).toBe(FIVE_GROUPS.features[0]!.disparities.equalizedOddsDifference.amongSupported);
  });

  it('does not compare figures that leave out different groups', () => {
    const audits = [0, 1].map((empty) =>
      auditOf([
        featureOf(
          'age group',
          ['a', 'b', 'c'].map((name, index) =>
            groupOf(name, index === empty ? [0, 1, 1, 0] : [1, 1, 1, 1], 0.5),
          ),
        ),
      ]),
    );
    const headline = headlineOf({ run: AGE_RUN, before: audits[0]!, after: audits[1]! });
    expect(headline).toMatchObject({ isComparable: false, leftOut: ['a', 'b'] });
  });

  it('says where run record and audit differ, in figures and in size', () => {
    const outcome = { ...IMPROVED_RUN.outcome, before: 0.1, aucAfter: 0.99 };
    const before = { ...TWO_GROUPS_BEFORE, overall: { ...TWO_GROUPS_BEFORE.overall, support: 900 } };
    const { disagreements } = headlineOf({
      run: { ...IMPROVED_RUN, outcome },
      before,
      after: TWO_GROUPS_AFTER,
    });
    expect(disagreements).toEqual([
      'Equalised odds difference before: the run record says 0.100, the audit says 0.650; this report shows the audit.',
      'AUC after: the run record says 0.990, the audit says 0.770; this report shows the audit.',
      'The run record counts 877 samples in the test part, the audit was made on 900.',
    ]);
  });

  it('says when before and after are not the same samples', () => {
    const { disagreements } = headlineOf({
      run: IMPROVED_RUN,
      before: TWO_GROUPS_BEFORE,
      after: FIVE_GROUPS,
    });
    expect(disagreements.at(-1)).toContain('not audited on the same samples');
  });

  it('says nothing of size where the audited part is not recorded', () => {
    const data = { ...NOT_IMPROVED_RUN.data, parts: [] };
    expect(
      headlineOf({ run: { ...NOT_IMPROVED_RUN, data }, before: TWO_GROUPS_BEFORE, after: null })
        .disagreements,
    ).toEqual([]);
  });
});
