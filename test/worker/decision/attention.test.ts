import { describe, expect, it } from 'vitest';
import type { RunRecord } from '../../../core/jobs/run-record.ts';
import { makeDecision } from '../../../worker/decision/make-decision.ts';
import { SET } from '../../helpers/decision-samples.ts';
import { IMPROVED_RUN, TWO_GROUPS_AFTER, TWO_GROUPS_BEFORE } from '../../helpers/report-samples.ts';

const attention = (run: RunRecord, set = SET) => makeDecision({ run, sets: [set], files: [] }).attention;

describe('what a person has to look at', () => {
  it('are the groups that lost, the levelling down and what the outcome noted', () => {
    const noted = { ...IMPROVED_RUN.outcome, reasons: ['AUC of "male" fell'] };
    expect(attention({ ...IMPROVED_RUN, outcome: noted })).toEqual([
      'Recorded with the outcome: AUC of "male" fell',
      'On "test", by sex: the disparity fell while a group got worse (levelling down): ' +
        // 38 to 48 of 397, 90 to 76 of 100
        'false positive rate of "female" (0.096 to 0.121), true positive rate of "male" (0.900 to 0.760).',
      'On "test", sex "male" lost 14 correct decisions and gained 9.',
    ]);
  });

  it('are data that also steered the run, an overruled check, a mask by chance and a kept original', () => {
    const sentences = attention({
      ...IMPROVED_RUN,
      outcome: { ...IMPROVED_RUN.outcome, status: 'not-improved', reasons: [] },
      data: { ...IMPROVED_RUN.data, isIndependent: false },
      mask: { ...IMPROVED_RUN.mask!, stability: 0.21 },
      check: { verdict: 'unfit', isOverruled: true, findings: [], notChecked: ['Subjects: none.'] },
    });
    expect(sentences).toEqual(
      expect.arrayContaining([
        'The outcome is not-improved: the original model stays in use.',
        expect.stringMatching(/also steered the run/),
        'The check called the data unfit, and the run was told to go on.',
        'Not checked. Subjects: none.',
        'Two halves of the data give masks that overlap by 0.21 only.',
      ]),
    );
  });

  it('is a disparity that rose on a further set, and its empty cells', () => {
    const set = { ...SET, name: 'clinic', before: TWO_GROUPS_AFTER, after: TWO_GROUPS_BEFORE };
    expect(attention(IMPROVED_RUN, set)).toContain('On "clinic" the disparity rose from 0.085 to 0.650.');
  });
});
