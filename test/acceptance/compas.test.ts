import { existsSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import type { AuditReport, GroupMetrics, RateName } from '../../core/fairness/types.ts';
import { runCli } from '../../worker/cli.ts';

const DATA = path.join(import.meta.dirname, '../../../shared/data/compas/compas.csv');

/** The data is not part of this repository; where it is absent the tests count as skipped. */
const isSkipped = !existsSync(DATA);

/** ProPublica, Compas Analysis.ipynb: TN, FP, FN, TP, then FPR and FNR in percent. */
const PROPUBLICA = {
  '(all)': [2681, 1282, 1216, 2035, 32.35, 37.4],
  'African-American': [990, 805, 532, 1369, 44.85, 27.99],
  Caucasian: [1139, 349, 461, 505, 23.45, 47.72],
} as const;

const AEQUITAS_COLUMNS = [
  'truePositiveRate',
  'trueNegativeRate',
  'falseOmissionRate',
  'falseDiscoveryRate',
  'falsePositiveRate',
  'falseNegativeRate',
  'negativePredictiveValue',
  'positivePredictiveValue',
  'selectionRate',
] as const satisfies readonly RateName[];

/** Aequitas, compas_demo.ipynb, rounded there to two digits. */
const AEQUITAS = {
  'African-American': [0.72, 0.55, 0.35, 0.37, 0.45, 0.28, 0.65, 0.63, 0.59],
  Asian: [0.67, 0.91, 0.12, 0.25, 0.09, 0.33, 0.88, 0.75, 0.25],
  Caucasian: [0.52, 0.77, 0.29, 0.41, 0.23, 0.48, 0.71, 0.59, 0.35],
  Hispanic: [0.44, 0.79, 0.29, 0.46, 0.21, 0.56, 0.71, 0.54, 0.3],
  'Native American': [0.9, 0.62, 0.17, 0.25, 0.38, 0.1, 0.83, 0.75, 0.67],
  Other: [0.32, 0.85, 0.3, 0.46, 0.15, 0.68, 0.7, 0.54, 0.21],
  Female: [0.61, 0.68, 0.24, 0.49, 0.32, 0.39, 0.76, 0.51, 0.42],
  Male: [0.63, 0.68, 0.33, 0.36, 0.32, 0.37, 0.67, 0.64, 0.47],
} as const;

/** Aequitas, rate of a group over that of a reference group, six digits. */
const AEQUITAS_RATIOS = [
  ['falsePositiveRate', 'African-American', 'Hispanic', 2.087696],
  ['falsePositiveRate', 'Caucasian', 'Hispanic', 1.091838],
  ['falsePositiveRate', 'Asian', 'Hispanic', 0.404798],
  ['falsePositiveRate', 'Native American', 'Hispanic', 1.74569],
  ['falsePositiveRate', 'Other', 'Hispanic', 0.686829],
  ['falseNegativeRate', 'African-American', 'Hispanic', 0.503301],
  ['falseNegativeRate', 'Caucasian', 'Hispanic', 0.858266],
  ['selectionRate', 'African-American', 'Hispanic', 1.97203],
  ['selectionRate', 'Caucasian', 'Hispanic', 1.166727],
  ['truePositiveRate', 'African-American', 'Hispanic', 1.622079],
  ['truePositiveRate', 'Caucasian', 'Hispanic', 1.177511],
  ['falsePositiveRate', 'Female', 'Male', 0.990343],
  ['falseNegativeRate', 'Female', 'Male', 1.05581],
  ['selectionRate', 'Female', 'Male', 0.904348],
  ['falsePositiveRate', 'Caucasian', 'African-American', 0.522987],
  ['falseNegativeRate', 'Caucasian', 'African-American', 1.705274],
  ['selectionRate', 'Caucasian', 'African-American', 0.591638],
  ['truePositiveRate', 'Caucasian', 'African-American', 0.725927],
  ['positivePredictiveValue', 'Caucasian', 'African-American', 0.939052],
] as const;

describe.skipIf(isSkipped)('COMPAS, published score, through the command line', () => {
  const groups = new Map<string, GroupMetrics>();

  beforeAll(async () => {
    let stdout = '';
    const code = await runCli(
      [
        ...['audit', '--predictions', DATA, '--label', 'label', '--prediction', 'pred_medium_high'],
        ...['--sensitive', 'race', 'sex', '--json', '--quiet', '--backend', 'wasm'],
      ],
      {
        stdout: { write: (text) => (stdout += text) },
        stderr: process.stderr,
        signal: new AbortController().signal,
        now: () => 0,
        isDebug: false,
      },
    );
    expect(code).toBe(0);
    const report = JSON.parse(stdout) as AuditReport;
    for (const group of [report.overall, ...report.features.flatMap((feature) => feature.groups)]) {
      groups.set(group.group, group);
    }
  });

  const rateOf = (group: string, name: RateName) => groups.get(group)!.rates[name].value!;

  test.each(Object.entries(PROPUBLICA))(
    '%s: counts, FPR and FNR as ProPublica published them',
    (name, row) => {
      const { trueNegatives, falsePositives, falseNegatives, truePositives } = groups.get(name)!.counts;
      const percent = (rate: RateName) => Number((rateOf(name, rate) * 100).toFixed(2));
      const received = [trueNegatives, falsePositives, falseNegatives, truePositives];
      expect([...received, percent('falsePositiveRate'), percent('falseNegativeRate')]).toEqual([...row]);
    },
  );

  test.each(Object.entries(AEQUITAS))('%s: rates as Aequitas printed them', (name, row) => {
    const received = AEQUITAS_COLUMNS.map((rate) => rateOf(name, rate));
    // Aequitas rounds halves to even, so half a unit of the last digit is what "the same" means
    received.forEach((value, column) => {
      expect(Math.abs(value - row[column]!), AEQUITAS_COLUMNS[column]).toBeLessThanOrEqual(0.005 + 1e-12);
    });
  });

  test.each(AEQUITAS_RATIOS)('%s of %s over %s is %f', (rate, group, reference, published) => {
    expect(Number((rateOf(group, rate) / rateOf(reference, rate)).toFixed(6))).toBe(published);
  });
});
