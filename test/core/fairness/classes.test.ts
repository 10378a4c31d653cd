import { beforeAll, describe, expect, test } from 'vitest';
import { addChunk, startAccumulator } from '../../../core/fairness/accumulator.ts';
import { finishClasses } from '../../../core/fairness/audit.ts';
import type { AuditReport, GroupMetrics, MinSupport } from '../../../core/fairness/types.ts';
import { auditReportSchema } from '../../../core/jobs/audit-schema.ts';
import { startBackend } from '../../../worker/backend.ts';

beforeAll(async () => {
  await startBackend('cpu');
});

const LABELS = Int32Array.of(0, 0, 1, 1, 2, 2, 0, 0, 1, 1);
const PREDICTIONS = Int32Array.of(0, 1, 1, 1, 2, 0, 0, 0, 1, 0);
const GROUPS = Int32Array.of(0, 0, 0, 0, 0, 0, 1, 1, 1, 1);

function auditClasses(
  names: readonly string[],
  scores: Float64Array | null = null,
  { groups = GROUPS, minSupport = {} }: { groups?: Int32Array; minSupport?: Partial<MinSupport> } = {},
) {
  const accumulators = names.map((_, place) => {
    const accumulator = startAccumulator({ threshold: scores && 0.5, features: [[0]] });
    addChunk(accumulator, {
      labels: LABELS.map((label) => (label === place ? 1 : 0)),
      groups: [groups],
      scores: scores?.map((score, row) => (PREDICTIONS[row] === place ? score : 1 - score)) ?? null,
      predictions: scores ? null : PREDICTIONS.map((prediction) => (prediction === place ? 1 : 0)),
      weights: null,
      subjects: null,
      strata: null,
    });
    return accumulator;
  });
  const groupNames = ['f', 'm', 'n', 'o'].slice(0, 1 + Math.max(...groups));
  const vocabularies = { attributes: [{ name: 'sex', groupNames }] };
  return finishClasses(accumulators, { labels: names, vocabularies }, { minSupport });
}

describe('finishClasses', () => {
  let report: AuditReport;
  beforeAll(() => {
    report = auditClasses(['x', 'y', 'z']);
  });

  test('holds each class against the rest, and means over classes at the top', () => {
    expect(
      report.classes!.map(({ label, overall }) => [label, overall.rates.truePositiveRate.value]),
    ).toEqual([
      ['x', 3 / 4],
      ['y', 3 / 4],
      ['z', 1 / 2],
    ]);
    const { rates, support, positives } = report.overall;
    expect(rates.truePositiveRate).toMatchObject({ numerator: 7, support: 10, interval: null });
    expect(rates.truePositiveRate.value).toBeCloseTo((3 / 4 + 3 / 4 + 1 / 2) / 3, 12);
    expect([support, positives]).toEqual([10, 10]);
    expect(auditReportSchema.parse(JSON.parse(JSON.stringify(report)))).toBeTruthy();
  });

  test('a mean is null as soon as one class lacks the figure, and names it', () => {
    const { groups, disparities } = report.features[0]!;
    expect(groups[1]!.rates.truePositiveRate.value).toBeNull();
    expect(disparities.equalOpportunityDifference).toMatchObject({
      value: null,
      reason: 'class "z": group "m" has no positive labels (support 0 of 4)',
      unsupportedGroups: ['m'],
    });
    const gaps = report.classes!.map(
      ({ features }) => features[0]!.disparities.demographicParityDifference.value!,
    );
    expect(disparities.demographicParityDifference.value).toBeCloseTo(
      (gaps[0]! + gaps[1]! + gaps[2]!) / 3,
      12,
    );
  });

  test('figures of scores have means too', () => {
    const scores = Float64Array.of(0.9, 0.6, 0.7, 0.8, 0.9, 0.6, 0.8, 0.9, 0.7, 0.6);
    const { overall, classes, ranks } = auditClasses(['x', 'y', 'z'], scores);
    expect(ranks).toBe('exact');
    const mean = (pick: (group: GroupMetrics) => number) =>
      classes!.reduce((sum, one) => sum + pick(one.overall), 0) / 3;
    expect(overall.auc.value).toBeCloseTo(
      mean(({ auc }) => auc.value!),
      12,
    );
    expect(overall.calibration!.error.value).toBeCloseTo(
      mean(({ calibration }) => calibration!.error.value!),
      12,
    );
    expect(overall.calibration!.bins).toEqual([]);
  });

  test('warnings name the class', () => {
    expect(report.warnings).toContain(
      'class "z": sex "m": no positive labels, so rates over them are not defined',
    );
  });

  test('groups that are merged in some classes only are named, and means leave them out', () => {
    // f has 2 rows of each of x and y, m and n one of each, o two of z: merged are m, n and o in x and y, f, m, n in z
    const { classes, features, warnings } = auditClasses(['x', 'y', 'z'], null, {
      groups: Int32Array.of(0, 0, 0, 0, 3, 3, 1, 2, 1, 2),
      minSupport: { group: 1, positives: 2, negatives: 0, action: 'merge' },
    });
    const names = classes!.map((one) => one.features[0]!.groups.map(({ group }) => group));
    expect(names).toEqual([
      ['f', '(other)'],
      ['f', '(other)'],
      ['o', '(other)'],
    ]);
    expect(features[0]!.groups).toEqual([]); // '(other)' is of other groups in class z
    expect(features[0]!.merged).toEqual(['m', 'n', 'o', 'f']);
    expect(warnings.at(-1)).toBe(
      'sex: merged in some classes and not in others, so without means over classes: "o", "f"',
    );
    expect(report.warnings.join()).not.toContain('without means');
  });
});
