import { describe, expect, it } from 'vitest';
import { headlineOf, type MitigationInput } from '../../../../core/report/facts/headline.ts';
import { verdictNotices } from '../../../../core/report/sections/verdict-notices.ts';
import {
  CANDIDATES,
  FIVE_GROUPS,
  HOSTILE_AUDIT,
  HOSTILE_NAMES,
  IMPROVED_RUN,
  NOT_IMPROVED_RUN,
  REJECTED_AUDIT,
  REJECTED_RUN,
  TWO_GROUPS_AFTER,
  TWO_GROUPS_BEFORE,
  textOf,
} from '../../../helpers/report-samples.ts';

function notices(input: MitigationInput): string {
  return textOf(verdictNotices(input, headlineOf(input)));
}

const IMPROVED = { run: IMPROVED_RUN, before: TWO_GROUPS_BEFORE, after: TWO_GROUPS_AFTER };

describe('verdictNotices', () => {
  it('warns when the audited part also steered the run, and only then', () => {
    const warning =
      'Warning: the select part also steered training or selection, so these figures are optimistic.';
    expect(notices({ run: NOT_IMPROVED_RUN, before: TWO_GROUPS_BEFORE, after: null })).toContain(warning);
    expect(notices(IMPROVED)).not.toContain('optimistic');
  });

  it('warns of groups that got worse though the gap narrowed', () => {
    expect(notices(IMPROVED)).toContain('male ( sex ): true positive rate 0.900 → 0.760');
  });

  it('warns when the gap on the audited part is wider, or did not move', () => {
    const recorded = { ...IMPROVED_RUN.outcome, before: 0.085, after: 0.65 };
    const run = { ...IMPROVED_RUN, outcome: recorded };
    const wider = notices({ run, before: TWO_GROUPS_AFTER, after: TWO_GROUPS_BEFORE });
    expect(wider).toContain(
      'met every guard rail on the select part, but on the test part the gap is wider than before',
    );
    expect(wider).toContain('some gaps are wider than before:');
    expect(notices({ ...IMPROVED, after: TWO_GROUPS_BEFORE })).toContain('the gap did not move');
    expect(notices(IMPROVED)).not.toMatch(/on the test part the gap/);
  });

  it('speaks of no guard rails when there was no selection', () => {
    const run = { ...IMPROVED_RUN, data: { ...IMPROVED_RUN.data, parts: [] } };
    expect(notices({ ...IMPROVED, run, after: TWO_GROUPS_BEFORE })).toContain(
      'Warning: on the test part the gap did not move',
    );
  });

  it('names groups without support', () => {
    const outcome = { ...IMPROVED_RUN.outcome, sensitiveFeature: 'age group' };
    const text = notices({ run: { ...IMPROVED_RUN, outcome }, before: FIVE_GROUPS, after: FIVE_GROUPS });
    expect(text).toContain(
      'Left out for lack of support: 0–19 . Nothing can be said about the gap to these groups.',
    );
  });

  it('says when an improved run comes without an audit of its model', () => {
    expect(notices({ ...IMPROVED, after: null })).toContain('no audit of the changed model is at hand');
  });

  it('says when a control was chosen and not BMFT', () => {
    const candidates = CANDIDATES.map((each) => ({ ...each, isChosen: each.id === 'head-refit-only' }));
    expect(notices({ ...IMPROVED, run: { ...IMPROVED_RUN, candidates } })).toContain(
      'a control ( head-refit-only ), not BMFT',
    );
    expect(notices(IMPROVED)).not.toContain('not BMFT');
  });

  it('names the empty cells of rejected data', () => {
    const text = notices({ run: REJECTED_RUN, before: REJECTED_AUDIT, after: null });
    expect(text).toContain('no sample at all for female with label 1 in the test part');
    const parts = [{ name: 'test', support: 1, cells: [] }] as const;
    const run = { ...REJECTED_RUN, data: { ...REJECTED_RUN.data, parts } };
    expect(notices({ run, before: REJECTED_AUDIT, after: null })).not.toContain('no sample at all');
  });

  it('names six of many and counts the rest', () => {
    const [feature] = HOSTILE_AUDIT.features;
    const worse = feature!.groups.map((group) => ({ ...group, auc: { value: 0.1, interval: null } }));
    const after = { ...HOSTILE_AUDIT, features: [{ ...feature!, groups: worse }] };
    const outcome = { ...IMPROVED_RUN.outcome, before: null, after: null, aucBefore: null, aucAfter: null };
    const text = notices({ run: { ...IMPROVED_RUN, outcome }, before: HOSTILE_AUDIT, after });
    expect(text.match(/: AUC/g)).toHaveLength(6);
    expect(text).toContain(`${HOSTILE_NAMES.length - 6} more, see the tables`);
  });

  it('passes on where run record and audit differ', () => {
    const outcome = { ...IMPROVED_RUN.outcome, aucAfter: 0.9 };
    expect(notices({ ...IMPROVED, run: { ...IMPROVED_RUN, outcome } })).toContain(
      'the run record says 0.900',
    );
  });
});
