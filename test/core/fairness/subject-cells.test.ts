import { beforeAll, describe, expect, test } from 'vitest';
import { audit } from '../../../core/fairness/audit.ts';
import { addSubjects, clustersOf, MOST_UNITS, startSubjects } from '../../../core/fairness/subject-cells.ts';
import type { AuditReport } from '../../../core/fairness/types.ts';
import { startBackend } from '../../../worker/backend.ts';
import { featureOf } from '../../helpers/metric-tables.ts';

beforeAll(async () => {
  await startBackend('cpu');
});

const all = (size: number) => ({ groupOf: Int32Array.of(0), groupCount: 1, size });

describe('clustersOf', () => {
  test('effective rows by the ratio estimator of the variance', () => {
    const store = startSubjects();
    // Three subjects with 2, 1 and 3 rows, of which 2, 0 and 1 are selected (cells 1 and 3).
    addSubjects(store, {
      subjects: Int32Array.of(0, 0, 1, 2, 2, 2),
      groups: new Int32Array(6),
      cells: Int32Array.of(1, 3, 0, 3, 0, 2),
      weights: null,
    });
    const { subjects, units, effective } = clustersOf(store, all(6));
    expect(subjects).toBe(3);
    expect(units.map((unit) => Array.from(unit))).toEqual([
      [0, 1, 0, 1],
      [1, 0, 0, 0],
      [1, 0, 1, 1],
    ]);
    const squares = (2 - 0.5 * 2) ** 2 + (0 - 0.5 * 1) ** 2 + (1 - 0.5 * 3) ** 2;
    expect(effective[0]!.selectionRate).toBeCloseTo((0.5 * 0.5) / (((3 / 2) * squares) / 6 ** 2), 12);
    // No spread at a rate of 1 (all positives that were selected and found: rows of two subjects).
    expect(effective[0]!.positivePredictiveValue).toBeCloseTo(
      ((2 / 3) * (1 / 3)) / ((2 * ((1 - (2 / 3) * 2) ** 2 + (1 - 2 / 3) ** 2)) / 3 ** 2),
      12,
    );
  });

  test('more subjects than units are drawn in bundles', () => {
    const store = startSubjects();
    const subjects = Int32Array.from({ length: 2500 }, (_, row) => row);
    addSubjects(store, {
      subjects,
      groups: new Int32Array(2500),
      cells: new Int32Array(2500),
      weights: null,
    });
    const { units } = clustersOf(store, all(2500));
    expect(units).toHaveLength(MOST_UNITS);
    expect(units.reduce((sum, [rows]) => sum + rows!, 0)).toBe(2500);
  });
});

describe('an audit of rows in clusters', () => {
  const rows = Array.from({ length: 60 }, (_, row) => ({
    label: row % 2,
    group: row % 3 === 0 ? 'a' : 'b',
    score: ((row * 37) % 60) / 60,
  }));
  const auditOf = (copies: number, subjectOf?: (row: number, copy: number) => string): AuditReport => {
    const repeated = rows.flatMap((row, place) =>
      Array.from({ length: copies }, (_, copy) => ({ ...row, subject: subjectOf?.(place, copy) ?? '' })),
    );
    return audit({
      labels: Int32Array.from(repeated, ({ label }) => label),
      sensitiveFeatures: [featureOf(repeated.map(({ group }) => group))],
      decisions: { scores: repeated.map(({ score }) => score), threshold: 0.5 },
      subjects: subjectOf && repeated.map(({ subject }) => subject),
      replicates: 500,
    });
  };
  const widthOf = (report: AuditReport, figure: 'auc' | 'brier' | 'selectionRate') => {
    const { overall } = report;
    const { low, high } = (figure === 'selectionRate' ? overall.rates.selectionRate : overall[figure])
      .interval!;
    return high - low;
  };

  test('copies of a row in one subject add no certainty; in subjects of their own they do', () => {
    const [once, oneSubject, ownSubjects] = [
      auditOf(1),
      auditOf(4, (row) => String(row)),
      auditOf(4, (row, copy) => `${row}.${copy}`),
    ];
    expect(oneSubject.clusters).toBe(60);
    for (const figure of ['auc', 'brier', 'selectionRate'] as const) {
      expect(widthOf(oneSubject, figure) / widthOf(once, figure), figure).toBeGreaterThan(0.93);
      expect(widthOf(oneSubject, figure) / widthOf(once, figure), figure).toBeLessThan(1.07);
      expect(widthOf(ownSubjects, figure) / widthOf(once, figure), figure).toBeLessThan(0.6);
    }
    const gap = (report: AuditReport) => report.features[0]!.disparities.demographicParityDifference;
    expect(gap(oneSubject).value).toBe(gap(once).value);
    expect(gap(oneSubject).interval!.method).toBe('cluster-bootstrap');
    expect(gap(oneSubject).test!.pValue).toBeCloseTo(gap(once).test!.pValue, 1);
    expect(oneSubject.features[0]!.crossAuc[0]!.auc.interval).toBeNull();
  });

  test('one subject shows no spread', () => {
    const report = auditOf(1, () => 'x');
    expect(report.overall.auc.interval).toBeNull();
    expect(report.features[0]!.disparities.demographicParityDifference.interval!.method).toBe('newcombe');
  });
});
