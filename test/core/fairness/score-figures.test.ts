import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { collect, tableOf } from '../../../core/fairness/score-column.ts';
import { brierOf, calibrationOf, sweepOf, sweepThresholds } from '../../../core/fairness/score-figures.ts';

const rowsArbitrary = fc.array(
  fc.record({
    score: fc.integer({ min: 0, max: 16 }).map((score) => score / 16),
    label: fc.integer({ min: 0, max: 1 }),
    weight: fc.integer({ min: 1, max: 3 }),
  }),
  { minLength: 1, maxLength: 40 },
);
type Rows = readonly { score: number; label: number; weight: number }[];

function tableFor(rows: Rows, isWeighted = false) {
  const columnOf = (label: number) => {
    const own = rows.filter((row) => row.label === label);
    const weights = isWeighted ? Float64Array.from(own, ({ weight }) => weight) : null;
    return collect(
      Float64Array.from(own, ({ score }) => score),
      weights,
    );
  };
  return tableOf(columnOf(1), columnOf(0));
}

const repeated = (rows: Rows) => rows.flatMap((row) => new Array(row.weight).fill({ ...row, weight: 1 }));

describe('brierOf', () => {
  test('is the mean squared error, with the variance of a mean', () => {
    fc.assert(
      fc.property(rowsArbitrary, (rows) => {
        const errors = rows.map(({ score, label }) => (score - label) ** 2);
        const mean = errors.reduce((sum, error) => sum + error, 0) / rows.length;
        const { value, variance } = brierOf(tableFor(rows))!;
        expect(value).toBeCloseTo(mean, 12);
        if (rows.length === 1) expect(variance).toBeNull();
        else {
          const squares = errors.reduce((sum, error) => sum + (error - mean) ** 2, 0);
          expect(variance).toBeCloseTo(squares / (rows.length - 1) / rows.length, 12);
        }
      }),
      { seed: 6, numRuns: 40 },
    );
  });

  test('is not defined for logits', () => {
    expect(brierOf(tableFor([{ score: 1.5, label: 1, weight: 1 }]))).toBeNull();
    expect(calibrationOf(tableFor([{ score: -0.5, label: 1, weight: 1 }]), 0.95).error).toMatchObject({
      value: null,
      reason: 'scores outside [0, 1] are no probabilities',
    });
  });
});

describe('a weight of k', () => {
  test('counts as k equal rows, for error, bins and Brier score', () => {
    fc.assert(
      fc.property(rowsArbitrary, (rows) => {
        const weighted = tableFor(rows, true);
        const twice = tableFor(repeated(rows));
        expect(brierOf(weighted)!.value).toBeCloseTo(brierOf(twice)!.value, 12);
        const [one, two] = [calibrationOf(weighted, null), calibrationOf(twice, null)];
        expect(one.error.value).toBeCloseTo(two.error.value!, 12);
        expect(one.bins.map(({ support }) => support)).toEqual(two.bins.map(({ support }) => support));
      }),
      { seed: 7, numRuns: 40 },
    );
  });
});

describe('calibrationOf', () => {
  test('bins hold a tenth of the rows each, equal scores together', () => {
    const rows = Array.from({ length: 50 }, (_, place) => ({
      score: place / 50,
      label: place % 2,
      weight: 1,
    }));
    const { bins, error } = calibrationOf(tableFor(rows), null);
    expect(bins.map(({ support }) => support)).toEqual(new Array(10).fill(5));
    const gaps = bins.map(({ meanScore, positives }) => Math.abs(positives - 5 * meanScore) / 50);
    expect(error.value).toBeCloseTo(
      gaps.reduce((sum, gap) => sum + gap, 0),
      12,
    );
    const tied = calibrationOf(
      tableFor(rows.map((row, place) => (place < 30 ? { ...row, score: 0.1 } : row))),
      null,
    );
    expect(tied.bins.map(({ support }) => support)).toEqual([30, 5, 5, 5, 5]);
  });
});

describe('sweepOf', () => {
  test('counts rows at or above each threshold', () => {
    fc.assert(
      fc.property(rowsArbitrary, fc.option(fc.constantFrom(0.1, 0.5, 2)), (rows, threshold) => {
        const table = tableFor(rows);
        const thresholds = sweepThresholds(table, threshold);
        const above = (label: number) =>
          thresholds.map((cut) => rows.filter((row) => row.label === label && row.score >= cut).length);
        expect(sweepOf(table, thresholds)).toEqual({ truePositives: above(1), falsePositives: above(0) });
        if (threshold !== null) expect(thresholds).toContain(threshold);
      }),
      { seed: 8, numRuns: 40 },
    );
  });

  test('has at most 101 thresholds, at hundredths of the rows', () => {
    const rows = Array.from({ length: 1000 }, (_, place) => ({ score: place / 1000, label: 1, weight: 1 }));
    const thresholds = sweepThresholds(tableFor(rows), 0.12345);
    expect(thresholds).toHaveLength(101);
    expect(thresholds.slice(0, 3)).toEqual([0, 0.01, 0.02]);
  });
});
