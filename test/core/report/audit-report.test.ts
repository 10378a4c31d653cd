import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { audit as auditOfRows } from '../../../core/fairness/audit.ts';
import { driftOf } from '../../../core/fairness/drift/drift.ts';
import { gate } from '../../../core/fairness/policy/gate.ts';
import { policySchema } from '../../../core/fairness/policy/schema.ts';
import { renderAuditReport } from '../../../core/report/audit-report.ts';
import { startBackend } from '../../../worker/backend.ts';
import { classesAudit, decidedAudit, measuredAudit } from '../../helpers/measured-audits.ts';
import { auditOf, featureOf, groupOf, UNTESTED } from '../../helpers/report-audits.ts';
import { FIVE_GROUPS, HOSTILE_AUDIT, TWO_GROUPS_BEFORE, textOf } from '../../helpers/report-samples.ts';

const OPTIONS = { title: 'Audit of a table', source: 'predictions.csv' };

const sectionsOf = (document: string) => [...document.matchAll(/<section id="([^"]+)"/g)].map(([, id]) => id);

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

  it('has what the audit has, and nothing of a run', () => {
    const document = renderAuditReport(TWO_GROUPS_BEFORE, OPTIONS);
    expect(sectionsOf(document)).toEqual(['groups', 'scores', 'method', 'limits']);
    expect(textOf(document)).toContain('No curves by sex');
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

describe('the report of an audit with evidence', () => {
  const policy = policySchema.parse({
    name: 'release',
    rules: [
      { metric: 'equalizedOddsDifference', feature: 'sex', max: 0.1 },
      { metric: 'overallAuc', min: 0.5 },
      { metric: 'equalOpportunityDifference', feature: 'skin tone', max: 0.9, minSupport: { positives: 12 } },
      { metric: 'xAucDifference', feature: 'age', max: 0.1, severity: 'warning' },
    ],
  });
  let audit: ReturnType<typeof measuredAudit>;
  let documents: Record<'en' | 'ja', string>;

  beforeAll(async () => {
    await startBackend('cpu');
    audit = measuredAudit();
    const times = [3, 4, 5, 6].map((month) => new Date(Date.UTC(2025, month, 1, 9, 30)));
    const drift = driftOf(times.map((time) => ({ time, report: audit })));
    const render = (lang: 'en' | 'ja') =>
      renderAuditReport(audit, { ...OPTIONS, lang, gate: gate(audit, policy), drift });
    documents = { en: render('en'), ja: render('ja') };
  });

  it('has a section for each kind of evidence, in both languages', () => {
    const all = [
      'policy',
      'groups',
      'comparisons',
      'intersections',
      'scores',
      'thresholds',
      'drift',
      'method',
    ];
    expect(sectionsOf(documents.en)).toEqual([...all, 'limits']);
    expect(sectionsOf(documents.ja)).toEqual([...all, 'limits']);
  });

  it('is built of the same elements in both languages, but for line breaks and unfolded words', () => {
    const pictures = (document: string) => document.match(/<svg |<table|<details|<polyline |<h[23]/g);
    expect(pictures(documents.ja)).toEqual(pictures(documents.en));
    expect(documents.ja).toContain('<html lang="ja">');
  });

  it('gives each figure that the audit has, with its interval', () => {
    const [sex] = audit.features;
    const text = textOf(documents.en);
    const [comparison] = sex!.comparisons;
    const { value, interval, test } = comparison!.difference;
    const signed = value! < 0 ? `−${(-value!).toFixed(3)}` : `+${value!.toFixed(3)}`;
    expect(text).toContain(`${signed}, p ${test!.adjustedPValue.toFixed(3)}`);
    const { slope, error } = sex!.groups[0]!.calibration!;
    const ends = [slope.interval!.low, slope.interval!.high].map((end) => end.toFixed(3));
    expect(text).toContain(`${error.value!.toFixed(3)} ${slope.value!.toFixed(3)} ${ends.join(' to ')}`);
    const cross = sex!.crossAuc[0]!.auc;
    expect(text).toContain(`${cross.value!.toFixed(3)} ${cross.interval!.low.toFixed(3)} to`);
    expect(interval).not.toBeNull();
  });

  it('shows the policy rule by rule, with why one is not decided', () => {
    const text = textOf(documents.en);
    expect(text).toContain('✗ Policy broken Policy: release');
    expect(text).toContain('all samples');
    expect(text).toContain('? not decided the audit has no feature "age"');
    expect(textOf(documents.ja)).toContain('? 判定できない 監査に特徴「age」がない');
    const [, , few] = audit.features[1]!.groups;
    expect(few!.positives).toBeLessThan(12);
    expect(text).toContain(`Would decide it: ${12 - few!.positives} more positives of V–VI .`);
    expect(textOf(documents.ja)).toContain(`V–VI の陽性をあと ${12 - few!.positives} 件`);
  });

  it('tells how rows were read', () => {
    const text = textOf(documents.en);
    expect(text).toContain('skin tone , by the edges given: 2, 4');
    expect(text).toContain('897 rows matched, 3 unmatched, 2 duplicate, 1 conflicting, 14 unused');
    expect(text).toContain('skin tone : 3 rows, the group (missing)');
  });

  it('writes dates in the form of the language', () => {
    expect(textOf(documents.en)).toContain('Apr 1, 2025');
    expect(textOf(documents.ja)).toContain('2025/04/01 9:30');
  });

  it('shows the rates of the report in the table that a slider moves', () => {
    const [sex] = audit.features;
    const [female] = sex!.groups;
    const { selectionRate, truePositiveRate, falsePositiveRate } = female!.rates;
    const figures = [selectionRate, truePositiveRate, falsePositiveRate].map(({ value }) =>
      value!.toFixed(3),
    );
    const table = documents.en.slice(documents.en.indexOf('Rates at the threshold by sex'));
    expect(textOf(table.slice(table.indexOf('<tbody>')))).toMatch(
      new RegExp(`^female ${figures.join(' ')} male`),
    );
  });

  it('gives the same bytes for the same input', () => {
    expect(renderAuditReport(audit, OPTIONS)).toBe(renderAuditReport(measuredAudit(), OPTIONS));
  });

  it('says why there are no curves without scores', () => {
    const text = textOf(renderAuditReport(decidedAudit(), OPTIONS));
    expect(text).toContain('The table held predictions and no scores');
    expect(text).toContain('not defined the table holds predictions, no scores');
    expect(textOf(renderAuditReport(decidedAudit(), { ...OPTIONS, lang: 'ja' }))).toContain(
      '表には予測だけがあり、スコアがない',
    );
  });

  it('says why there are no curves where no group has both labels', () => {
    const scores = [0.1, 0.2, 0.8, 0.9];
    const sensitiveFeatures = [{ name: 'sex', groupNames: ['F', 'M'], groups: Int32Array.of(0, 0, 1, 1) }];
    const labels = Int32Array.of(0, 0, 1, 1);
    const report = auditOfRows({
      labels,
      sensitiveFeatures,
      decisions: { scores, threshold: 0.5 },
      replicates: 0,
    });
    expect(textOf(renderAuditReport(report, OPTIONS))).toContain('no group has both positives and negatives');
  });

  it('has a row for each of several classes', () => {
    const document = renderAuditReport(classesAudit(), OPTIONS);
    expect(sectionsOf(document)).toContain('classes');
    expect(textOf(document)).toContain('Each class against the rest');
    expect(textOf(document)).toContain('each class against the rest, by its own scores');
  });
});
