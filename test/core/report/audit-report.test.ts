import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { renderAuditReport } from '../../../core/report/audit-report.ts';
import { auditOf, featureOf, groupOf, UNTESTED } from '../../helpers/report-audits.ts';
import { FIVE_GROUPS, HOSTILE_AUDIT, TWO_GROUPS_BEFORE, textOf } from '../../helpers/report-samples.ts';

const OPTIONS = { title: 'Audit of a table', source: 'predictions.csv' };

/** The sequence of tags with their attribute names: what a browser would build. */
function structureOf(document: string): string[] {
  return [...document.matchAll(/<(\/?[a-z!][\w-]*)([^>]*)>/gi)].map(
    ([, tag, attributes]) =>
      `${tag} ${[...attributes!.matchAll(/ ([\w:-]+)="/g)].map(([, name]) => name).join(' ')}`,
  );
}

function auditNamed(names: readonly string[], feature: string) {
  return auditOf([
    featureOf(
      feature,
      names.map((name, index) => groupOf(name, [5 + index, 3, 40, 2], 0.75)),
    ),
  ]);
}

describe('renderAuditReport', () => {
  it('says first what the gaps are', () => {
    const text = textOf(renderAuditReport(FIVE_GROUPS, OPTIONS));
    expect(text).toContain('1,805 samples audited for gaps between groups');
    expect(text).toContain('by skin tone : 0.188 over 3 groups.');
    expect(text).toContain(
      'by age group : not defined over 5 groups, since 0–19 lacks support. It is 0.432 among',
    );
    expect(text).toContain('some gaps by age group leave out 0–19');
  });

  it('names no other figure where too few groups have support, and no group where none lacks it', () => {
    const lonely = auditOf([
      featureOf('sex', [groupOf('F', [0, 1, 1, 0], null), groupOf('M', [1, 1, 1, 1], 0.5)]),
    ]);
    expect(textOf(renderAuditReport(lonely, OPTIONS))).toMatch(
      /not defined over 2 groups, since F lacks support ?\. /,
    );
    const [feature] = TWO_GROUPS_BEFORE.features;
    const unexplained = { ...UNTESTED, value: null, amongSupported: null, unsupportedGroups: [] };
    const disparities = { ...feature!.disparities, equalizedOddsDifference: unexplained };
    const audit = { ...TWO_GROUPS_BEFORE, features: [{ ...feature!, disparities }] };
    expect(textOf(renderAuditReport(audit, OPTIONS))).toContain('not defined over 2 groups.');
  });

  it('has the groups and the limits, and nothing of a run', () => {
    const document = renderAuditReport(TWO_GROUPS_BEFORE, OPTIONS);
    expect([...document.matchAll(/<section id="([^"]+)"/g)].map(([, id]) => id)).toEqual([
      'groups',
      'limits',
    ]);
  });

  it('survives an audit without a sensitive feature', () => {
    expect(textOf(renderAuditReport({ ...TWO_GROUPS_BEFORE, features: [] }, OPTIONS))).toContain(
      '877 samples',
    );
  });

  it('shows hostile names as text', () => {
    const document = renderAuditReport(HOSTILE_AUDIT, {
      title: '<script>alert(3)</script>',
      source: '"><b>',
    });
    expect(document).not.toMatch(/<script|<img|onerror=alert\(2\)>|\u202e/);
    expect(textOf(document)).toContain('<script>alert(1)</script>');
    expect(textOf(document)).toContain('(empty name)');
  });

  it('is built of the same elements whatever names and titles say', () => {
    const hostile = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom('</title>', '"onload="x', "'>", '<!--', ']]>', '</style><script>', '&lt;'),
    );
    const plain = structureOf(renderAuditReport(auditNamed(['0', '1', '2'], 'f'), OPTIONS));
    fc.assert(
      fc.property(fc.array(hostile, { minLength: 5, maxLength: 5 }), ([a, b, c, feature, title]) => {
        const names = [`0${a}`, `1${b}`, `2${c}`];
        const document = renderAuditReport(auditNamed(names, feature!), { title: title!, source: a! });
        expect(structureOf(document)).toEqual(plain);
      }),
      { numRuns: 40 },
    );
  });

  it('never promises that a model is fair', () => {
    expect(textOf(renderAuditReport(FIVE_GROUPS, OPTIONS))).not.toMatch(/\b(un)?(fair|biased)\b|\bdebias/i);
  });
});
