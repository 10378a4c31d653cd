import { describe, expect, it } from 'vitest';
import type { RunRecord } from '../../../core/jobs/run-record.ts';
import { decisionText } from '../../../worker/commands/decision-text.ts';
import { makeDecision } from '../../../worker/decision/make-decision.ts';
import { FILES, SET } from '../../helpers/decision-samples.ts';
import { IMPROVED_RUN } from '../../helpers/report-samples.ts';

const FINDING = { code: 'small-cell', severity: 'care', reason: 'r', repair: 'p' } as const;

const CLEAN = { verdict: 'fit', isOverruled: false, findings: [] } as const;

describe('decisionText', () => {
  it('says that the disparity fell by the loss of a group', () => {
    const text = decisionText(makeDecision({ run: IMPROVED_RUN, sets: [SET], files: FILES }), CLEAN);
    expect(text.split('\n')).toHaveLength(1);
    expect(text).toMatch(
      /^- On "test", by sex: the disparity fell while a group got worse \(levelling down\)/,
    );
    expect(text).toContain('true positive rate of "male" (0.900 to 0.760)');
  });

  it('says nothing of a candidate that was not kept', () => {
    const outcome = { ...IMPROVED_RUN.outcome, status: 'not-improved' } as RunRecord['outcome'];
    const decision = makeDecision({ run: { ...IMPROVED_RUN, outcome }, sets: [SET], files: FILES });
    expect(decisionText(decision, CLEAN)).toBe('');
  });

  it('says what the check called the data, unless nothing was found', () => {
    const decision = makeDecision({
      run: IMPROVED_RUN,
      sets: [{ ...SET, after: null, flips: null }],
      files: FILES,
    });
    expect(decisionText(decision, CLEAN)).toBe('');
    expect(decisionText(decision, undefined)).toBe(
      '- The data was not checked before: the check is for one label at a time.',
    );
    expect(
      decisionText(decision, { verdict: 'usable with care', isOverruled: false, findings: [FINDING] }),
    ).toBe('- The check calls the data usable with care (1 finding in check.json and the report).');
    expect(
      decisionText(decision, { verdict: 'unfit', isOverruled: true, findings: [FINDING, FINDING] }),
    ).toBe(
      '- The check calls the data unfit (2 findings in check.json and the report), and the run was told to go on.',
    );
  });
});
