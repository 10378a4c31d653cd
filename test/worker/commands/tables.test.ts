import { describe, expect, it } from 'vitest';
import { auditTable, mitigationTable, number, textTable } from '../../../worker/commands/tables.ts';
import { auditOf, featureOf, groupOf } from '../../helpers/report-audits.ts';
import { IMPROVED_RUN, REJECTED_AUDIT, REJECTED_RUN } from '../../helpers/report-samples.ts';

describe('textTable', () => {
  it('makes each column as wide as its widest cell, names left and numbers right', () => {
    const rows = [
      ['sex', 'n'],
      ['f', '1234'],
      ['male', '5'],
    ];
    expect(textTable(rows)).toBe('sex      n\nf     1234\nmale     5');
  });

  it('aligns left when asked to, and leaves no space at the end of a line', () => {
    const rows = [
      ['a', 'long cell', 'b'],
      ['c', 'd', ''],
    ];
    expect(textTable(rows, 'left')).toBe('a  long cell  b\nc  d');
  });
});

describe('number', () => {
  it('shows no number as n/a, never as 0', () => {
    expect(number(null)).toBe('n/a');
    expect(number(0)).not.toBe('n/a');
  });
});

describe('auditTable', () => {
  const groups = [groupOf('f', [6, 2, 8, 4], 0.7), groupOf('m', [0, 3, 3, 0], null)];
  const text = auditTable(auditOf([featureOf('sex', groups)], { warnings: ['sex "m": no positive labels'] }));

  it('has as many columns in its header as in each row', () => {
    const lines = text.split('\n\n')[1]!.split('\n');
    const columns = lines.map((line) => line.split(/\s{2,}/).length);
    expect(new Set(columns).size).toBe(1);
  });

  it('shows a rate without support as n/a, and why a gap over it is none', () => {
    expect(text).toMatch(/^m {2,}6 {2,}0 .*n\/a/m);
    expect(text).toMatch(/^equalOpportunityDifference +n\/a \(a group has no samples to divide by\)$/m);
  });

  it('ends with the limits of these figures, and without a heading where there are none', () => {
    expect(text).toMatch(/\n\nLimits\n {2}sex "m": no positive labels$/);
    expect(auditTable(auditOf([featureOf('sex', groups)]))).not.toContain('Limits');
  });

  it('says where the threshold lies, or that there was none', () => {
    expect(text).toMatch(/^26 samples, 10 positive, predicted positive at score >= 0.5\n/);
    expect(auditTable(auditOf([featureOf('sex', groups)], { threshold: null }))).toMatch(
      /^26 samples, 10 positive, predictions as given\n/,
    );
  });
});

describe('mitigationTable', () => {
  const { sensitiveFeature } = IMPROVED_RUN.outcome;
  const before = auditOf([
    featureOf(sensitiveFeature, [groupOf('f', [6, 2, 8, 4], 0.7), groupOf('m', [8, 6, 4, 2], 0.8)]),
  ]);
  const after = auditOf([
    featureOf(sensitiveFeature, [groupOf('f', [7, 2, 8, 3], 0.75), groupOf('m', [8, 3, 7, 2], 0.8)]),
  ]);
  const rest = { before };

  it('shows each group before and after', () => {
    const text = mitigationTable({ ...IMPROVED_RUN, ...rest, after });
    expect(text).toMatch(/^improved \(audited on test data\)\n/);
    expect(text).toMatch(/^f {2,}20 {2,}0\.60*\s→\s0\.70* {2,}0\.20*\s→\s0\.20* {2,}0\.70*\s→\s0\.750*$/m);
    expect(text).toMatch(/^m {2,}20 {2,}0\.80*\s→\s0\.80* {2,}0\.60*\s→\s0\.30* /m);
  });

  it('shows a dash after, and the reason, where nothing was tuned', () => {
    const feature = REJECTED_RUN.outcome.sensitiveFeature;
    expect(REJECTED_AUDIT.features[0]!.sensitiveFeature).toBe(feature);
    const text = mitigationTable({ ...REJECTED_RUN, before: REJECTED_AUDIT, after: null });
    expect(text).toMatch(/^rejected /);
    expect(text).toContain('→ –');
    expect(text).toMatch(new RegExp(`\\n\\n- ${REJECTED_RUN.outcome.reasons[0]!.slice(0, 10)}`));
  });

  it('warns when the audited data also steered the run', () => {
    const data = { ...IMPROVED_RUN.data, auditedOn: 'select' as const, isIndependent: false };
    expect(mitigationTable({ ...IMPROVED_RUN, ...rest, after, data })).toMatch(
      /^improved \(audited on select data, which also steered the run, so these figures are optimistic\)\n/,
    );
  });
});
